package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// The places of a node, as its programs see them. They are the same in every
// node, so the programs' configuration is fixed text.
const (
	Home     = "/run/envctl"         // the cluster's folder
	Programs = "/run/envctl-build"   // what was built: bin/ and images/
	Kubelet  = "/var/lib/kubelet"    // pods' volumes; mounts made here reach containers
	Store    = "/var/lib/containerd" // images and containers
	Logs     = "/var/log"
)

// folders of the cluster's folder that appear at the place a program expects.
var places = map[string]string{
	"kubelet":    Kubelet,
	"containerd": Store,
	"log":        Logs,
}

// Mount gives this process, which must be alone in a new mount namespace, a view
// of the machine in which /run and /var/lib are its own.
func Mount(folder, programs string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := stage(folder, programs); err != nil {
		return err
	}
	for name, place := range places {
		if err := bind(filepath.Join(Home, name), place); err != nil {
			return err
		}
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	// Shared among our own namespaces only: containers may ask for propagation.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, ""); err != nil {
		return fmt.Errorf("shared mounts: %w", err)
	}
	return nil
}

// stage covers /run and /var/lib. The folder and the programs may lie under either,
// so they are mounted in a new tree first and that tree is then moved into place.
func stage(folder, programs string) error {
	tree := filepath.Join(folder, "stage")
	if err := os.MkdirAll(tree, 0o700); err != nil {
		return err
	}
	if err := tmpfs(tree); err != nil {
		return err
	}
	if err := bind(folder, filepath.Join(tree, filepath.Base(Home))); err != nil {
		return err
	}
	if err := bind(programs, filepath.Join(tree, filepath.Base(Programs))); err != nil {
		return err
	}
	if err := syscall.Mount(tree, "/run", "", syscall.MS_MOVE, ""); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	return tmpfs("/var/lib")
}

func tmpfs(path string) error {
	if err := syscall.Mount("tmpfs", path, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mount a tmpfs on %s: %w", path, err)
	}
	return nil
}

func bind(from, to string) error {
	for _, path := range []string{from, to} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
	}
	if err := syscall.Mount(from, to, "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount %s on %s: %w", from, to, err)
	}
	return nil
}

// Overlay reports whether the file system of the image store can hold overlays.
// It cannot where it is itself an overlay, as in most containers.
func Overlay() bool {
	base := filepath.Join(Store, "overlay-probe")
	defer os.RemoveAll(base)
	options := ""
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		path := filepath.Join(base, name)
		if os.MkdirAll(path, 0o700) != nil {
			return false
		}
		if name != "merged" {
			options += fmt.Sprintf(",%sdir=%s", name, path)
		}
	}
	merged := filepath.Join(base, "merged")
	if syscall.Mount("overlay", merged, "overlay", 0, options[1:]) != nil {
		return false
	}
	return syscall.Unmount(merged, 0) == nil
}
