package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Whoever asks for a cluster's status takes its lock for a moment.
const lookTime = time.Second

// Lock takes the cluster's lock, which process 1 inside holds too: as long as
// anything of the cluster runs, the lock is taken, and no longer.
func Lock(folder string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(lookTime)
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if time.Now().After(deadline) {
			file.Close()
			return nil, fmt.Errorf("the cluster in %s runs already", folder)
		}
		time.Sleep(lookTime / 50)
	}
}
