// Package process starts, watches and stops the programs of a node.
//
// The supervisor is process 1 of its own namespace, so every orphan becomes its
// child: shims that outlive the call that started them, and what pods leave. It
// has to reap them all, and must not lose the exit status of its own programs
// by doing so. That is why nothing here uses os/exec's Wait: one loop collects
// every exit and hands it to whoever started that process.
package process

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Manager collects the exits of all children of this process.
type Manager struct {
	mutex   sync.Mutex
	waiting map[int]chan syscall.WaitStatus
}

// NewManager starts collecting. There must be one per operating system process.
func NewManager() *Manager {
	m := &Manager{waiting: map[int]chan syscall.WaitStatus{}}
	exits := make(chan os.Signal, 1)
	signal.Notify(exits, syscall.SIGCHLD)
	go func() {
		for range exits {
			m.reap()
		}
	}()
	return m
}

func (m *Manager) reap() {
	// Held while reaping, so that a child which ends at once is known by then.
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if pid <= 0 || err != nil {
			return
		}
		if exited, ours := m.waiting[pid]; ours {
			delete(m.waiting, pid)
			exited <- status
		}
	}
}

// start runs a program and returns the channel on which its end arrives.
func (m *Manager) start(argv []string, attributes *os.ProcAttr) (int, <-chan syscall.WaitStatus, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	started, err := os.StartProcess(argv[0], argv, attributes)
	if err != nil {
		return 0, nil, err
	}
	pid := started.Pid
	_ = started.Release()
	exited := make(chan syscall.WaitStatus, 1)
	m.waiting[pid] = exited
	return pid, exited, nil
}
