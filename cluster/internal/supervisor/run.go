// Package supervisor is the process outside a node's walls: it holds the
// cluster's lock and its ports on the machine, starts process 1 inside, keeps
// the status file, and clears away what the walls do not take with them.
package supervisor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"envctl.dev/cluster/internal/node"
	"envctl.dev/cluster/internal/sandbox"
)

// The descriptors that process 1 inherits, in this order, after the standard ones.
const (
	reportFD = 3 + iota
	lockFD
	firstListenerFD
)

// The stop inside takes at most 3.5 seconds; then the kernel does it.
const stopTimeout = 4 * time.Second

// Run keeps a cluster running until it is told to stop. It returns an exit code.
func Run(configFile string) int {
	config, err := node.ReadConfig(configFile)
	if err != nil {
		return complain(err)
	}
	lock, err := Lock(config.Folder)
	if err != nil {
		return complain(err)
	}
	status := newStatus(config)
	if err := run(configFile, config, lock, status); err != nil {
		status.failed(err)
		return complain(err)
	}
	status.stopped()
	return 0
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "envctl-node:", err)
	return 1
}

func run(configFile string, config *node.Config, lock *os.File, status *status) error {
	listeners, err := listen(config)
	if err != nil {
		return err
	}
	if err := Clean(config); err != nil {
		return err
	}
	if err := sandbox.MakeCgroup(config.Cgroup); err != nil {
		return errors.Join(err, Clean(config))
	}
	ended, command, messages, err := spawn(configFile, lock, listeners)
	if err != nil {
		return errors.Join(fmt.Errorf("start the node in its own namespaces: %w", err), Clean(config))
	}
	status.started(command.Process.Pid)
	go status.follow(messages)
	return errors.Join(wait(ended, command, status), Clean(config))
}

func spawn(configFile string, lock *os.File, listeners []*os.File) (<-chan error, *exec.Cmd, io.Reader, error) {
	messages, report, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	command := exec.Command(sandbox.Self(), "inside", "--config", configFile)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.ExtraFiles = append([]*os.File{report, lock}, listeners...)
	ended, err := sandbox.Spawn(command)
	report.Close()
	for _, listener := range listeners {
		listener.Close()
	}
	return ended, command, messages, err
}

// wait returns when process 1 has ended, having passed on the request to stop.
func wait(ended <-chan error, command *exec.Cmd, status *status) error {
	requests := make(chan os.Signal, 2)
	signal.Notify(requests, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	select {
	case err := <-ended:
		return status.why(err)
	case <-requests:
	}
	status.stopping()
	_ = command.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(stopTimeout):
		_ = command.Process.Kill() // and with it everything inside
		<-ended
	}
	return nil
}

// Clean removes what outlives a node: its control groups. Everything else on the
// machine ended with its namespaces.
func Clean(config *node.Config) error {
	_ = os.Remove(filepath.Join(config.Folder, "stage"))
	return sandbox.RemoveCgroup(config.Cgroup)
}

// CleanUp is Clean for a cluster that does not run; one that does is left alone.
func CleanUp(configFile string) int {
	config, err := node.ReadConfig(configFile)
	if err != nil {
		return complain(err)
	}
	lock, err := Lock(config.Folder)
	if err != nil {
		return complain(err)
	}
	defer lock.Close()
	if err := Clean(config); err != nil {
		return complain(err)
	}
	return 0
}
