package supervisor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"envctl.dev/cluster/internal/node"
)

// listen opens the cluster's ports on the machine's loopback. A socket stays in
// the network it was made in, whoever holds it: process 1 inside inherits these,
// accepts here and dials there, and nothing needs to lead from one to the other.
func listen(config *node.Config) ([]*os.File, error) {
	var files []*os.File
	for _, port := range []int{config.APIPort, config.IngressPort} {
		for _, host := range []string{"127.0.0.1", "::1"} {
			file, err := listenOn(host, port)
			if err != nil {
				return nil, err
			}
			files = append(files, file)
		}
	}
	return files, nil
}

func listenOn(host string, port int) (*os.File, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
	if host == "::1" && (errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)) {
		// No IPv6 on this machine: a closed socket in its place keeps the order of descriptors.
		return os.Open(os.DevNull)
	}
	if err != nil {
		return nil, fmt.Errorf("port %d: %w", port, err)
	}
	defer listener.Close()
	return listener.(*net.TCPListener).File()
}
