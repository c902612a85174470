// Package sandbox makes the walls around a node: its own process tree, mounts,
// network and host name. They are the kernel's, and go with the last process in
// them, so that however a node ends, nothing of it is left on the machine but
// its folder and empty control groups.
package sandbox

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

const namespaces = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET |
	syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC

// Spawn starts a command as process 1 of namespaces of its own, and returns a
// channel with the error of its end. When this process dies, so does all inside.
func Spawn(command *exec.Cmd) (<-chan error, error) {
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: namespaces,
		Pdeathsig:  syscall.SIGKILL,
		Setpgid:    true, // a Ctrl-C in the terminal must reach this process only
	}
	started := make(chan error, 1)
	ended := make(chan error, 1)
	go func() {
		// The kernel sends the death signal when the *thread* that forked ends: keep it.
		runtime.LockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			ended <- command.Wait()
		}
	}()
	return ended, <-started
}

// Self is the path of the running program.
func Self() string {
	if path, err := os.Executable(); err == nil {
		return path
	}
	return "/proc/self/exe"
}
