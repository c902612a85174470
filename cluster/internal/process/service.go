package process

import (
	"context"
	"os"
	"sync"
	"syscall"
	"time"
)

// A service that ends is started again: at once the first time, then with this pause.
const restartPause = time.Second

// Service is a program that should be running until it is stopped.
type Service struct {
	Name string
	Argv []string
	Env  []string
	Log  string

	manager *Manager
	stop    context.CancelFunc
	done    chan struct{}

	mutex    sync.Mutex
	pid      int
	restarts int
}

// Keep starts a service and starts it again whenever it ends, until Stop.
func (m *Manager) Keep(service *Service) error {
	ctx, cancel := context.WithCancel(context.Background())
	service.manager, service.stop, service.done = m, cancel, make(chan struct{})
	exited, err := service.launch()
	if err != nil {
		cancel()
		return err
	}
	go service.keep(ctx, exited)
	return nil
}

// Restarts says how often the program ended without having been told to.
func (s *Service) Restarts() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.restarts
}

func (s *Service) launch() (<-chan syscall.WaitStatus, error) {
	output, err := os.OpenFile(s.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	pid, exited, err := s.manager.start(s.Argv, attributes(output, s.Env))
	s.mutex.Lock()
	s.pid = pid
	s.mutex.Unlock()
	return exited, err
}

func (s *Service) keep(ctx context.Context, exited <-chan syscall.WaitStatus) {
	defer close(s.done)
	for {
		<-exited
		for {
			if !s.pause(ctx) {
				return
			}
			again, err := s.launch()
			if err == nil {
				exited = again
				break
			}
		}
	}
}

// pause waits before a restart and reports whether there is to be one.
func (s *Service) pause(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	s.mutex.Lock()
	s.restarts++
	wait := time.Duration(0)
	if s.restarts > 1 {
		wait = restartPause
	}
	s.mutex.Unlock()
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

// Stop asks the service to end, and ends it when it has not within the grace period.
func (s *Service) Stop(grace time.Duration) {
	if s == nil || s.stop == nil {
		return
	}
	s.stop()
	s.signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(grace):
		s.signal(syscall.SIGKILL)
		<-s.done
	}
}

func (s *Service) signal(signal syscall.Signal) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.pid > 0 {
		_ = syscall.Kill(-s.pid, signal)
	}
}
