package node

import (
	"io"
	"net"
	"os"
	"time"
)

// Forward accepts connections on sockets of the machine's loopback and carries
// them to an address inside. What is not a listening socket is passed over.
func Forward(to string, descriptors ...uintptr) {
	for _, descriptor := range descriptors {
		file := os.NewFile(descriptor, "listener")
		listener, err := net.FileListener(file)
		file.Close()
		if err == nil {
			go accept(listener, to)
		}
	}
}

func accept(listener net.Listener, to string) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			time.Sleep(askAgain) // out of descriptors: it passes
			continue
		}
		go carry(connection.(*net.TCPConn), to)
	}
}

func carry(outside *net.TCPConn, to string) {
	defer outside.Close()
	dialed, err := net.DialTimeout("tcp", to, 5*time.Second)
	if err != nil {
		return
	}
	inside := dialed.(*net.TCPConn)
	defer inside.Close()
	done := make(chan struct{}, 2)
	go half(outside, inside, done)
	go half(inside, outside, done)
	<-done
	<-done
}

// half carries one direction to its end, and says so to the other side: a client
// may be done sending and still be reading.
func half(to, from *net.TCPConn, done chan<- struct{}) {
	if _, err := io.Copy(to, from); err != nil {
		_ = from.Close() // broken: the other direction has nobody to talk to
	}
	_ = to.CloseWrite()
	done <- struct{}{}
}

// ForwardAll serves the four listeners of a node: the API server's and the
// ingress controller's, each on both loopback addresses.
func ForwardAll(first uintptr) {
	Forward(apiAddress, first, first+1)
	Forward(ingressAddress, first+2, first+3)
}
