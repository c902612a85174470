package process

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// Once runs a program to its end with its output in a log file, and kills it
// when the context ends first.
func (m *Manager) Once(ctx context.Context, log string, environment []string, argv ...string) error {
	output, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer output.Close()
	pid, exited, err := m.start(argv, attributes(output, environment))
	if err != nil {
		return err
	}
	select {
	case status := <-exited:
		if status.ExitStatus() == 0 {
			return nil
		}
		return fmt.Errorf("%s: %s: %s", argv[0], describe(status), Tail(log, 3))
	case <-ctx.Done():
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		<-exited
		return fmt.Errorf("%s: %w", argv[0], ctx.Err())
	}
}

// Each program leads a group of its own: a signal reaches its helpers too.
func attributes(output *os.File, environment []string) *os.ProcAttr {
	return &os.ProcAttr{
		Env:   environment,
		Files: []*os.File{nil, output, output},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	}
}

func describe(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "killed by " + status.Signal().String()
	}
	return fmt.Sprintf("ended with code %d", status.ExitStatus())
}

// Tail returns the last lines of a log, joined to one line, for an error message.
func Tail(path string, lines int) string {
	const enough = 8 << 10
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	size, _ := file.Seek(0, 2)
	content := make([]byte, min(size, enough))
	_, _ = file.ReadAt(content, size-int64(len(content)))
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], " | ")
}
