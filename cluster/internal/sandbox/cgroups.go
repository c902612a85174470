package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const cgroups = "/sys/fs/cgroup"

// A kubelet deletes pod cgroups that it does not know, so every node has a root
// of its own, in each hierarchy of version 1 or in the one of version 2.

// MakeCgroup creates the control group that the node's pods live in.
func MakeCgroup(name string) error {
	if unified() {
		return makeUnified(name)
	}
	for _, hierarchy := range hierarchies() {
		path := filepath.Join(hierarchy, name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return fmt.Errorf("control group %s: %w", path, err)
		}
		// A new cpuset is empty, and nothing can run in it: give it what its parent has.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			if content, err := os.ReadFile(filepath.Join(hierarchy, file)); err == nil {
				_ = os.WriteFile(filepath.Join(path, file), content, 0o644)
			}
		}
	}
	return nil
}

func unified() bool {
	_, err := os.Stat(filepath.Join(cgroups, "cgroup.controllers"))
	return err == nil
}

func makeUnified(name string) error {
	path := filepath.Join(cgroups, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return fmt.Errorf("control group %s: %w", path, err)
	}
	for _, parent := range []string{cgroups, path} {
		if err := delegate(parent); err != nil {
			return err
		}
	}
	return nil
}

// delegate lets the children of a group have every controller that it has.
func delegate(path string) error {
	available, err := os.ReadFile(filepath.Join(path, "cgroup.controllers"))
	if err != nil {
		return err
	}
	control := filepath.Join(path, "cgroup.subtree_control")
	for _, controller := range strings.Fields(string(available)) {
		err := os.WriteFile(control, []byte("+"+controller), 0o644)
		if errors.Is(err, syscall.EBUSY) {
			if err := vacate(path); err != nil {
				return err
			}
			err = os.WriteFile(control, []byte("+"+controller), 0o644)
		}
		if err != nil && needed(controller) {
			return fmt.Errorf("controller %s in %s: %w", controller, path, err)
		}
	}
	return nil
}

// vacate moves the processes of a group into a child of it. Version 2 lets only a
// group without processes hand on its controllers; the machine's own root is exempt,
// but what a container sees as the root is an ordinary group, with its shell in it.
func vacate(path string) error {
	leaf := filepath.Join(path, "init") // where others that nest containers put them too
	if err := os.MkdirAll(leaf, 0o755); err != nil {
		return err
	}
	for range 20 { // a process that forks meanwhile needs another round
		content, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		if err != nil {
			return err
		}
		pids := strings.Fields(string(content))
		if len(pids) == 0 {
			return nil
		}
		for _, pid := range pids {
			_ = os.WriteFile(filepath.Join(leaf, "cgroup.procs"), []byte(pid), 0o644) // it may have ended
		}
	}
	return fmt.Errorf("%s holds processes that cannot be moved, so it cannot hand its controllers to a node", path)
}

func needed(controller string) bool {
	return controller == "cpu" || controller == "memory" || controller == "pids" || controller == "cpuset"
}

// RemoveCgroup deletes the node's groups, deepest first, waiting a moment for
// those whose last process is still being buried. Groups that are absent are fine.
func RemoveCgroup(name string) error {
	roots := []string{cgroups}
	if !unified() {
		roots = hierarchies()
	}
	deadline := time.Now().Add(2 * time.Second)
	for {
		var failed error
		for _, root := range roots {
			failed = errors.Join(failed, removeTree(filepath.Join(root, name)))
		}
		if failed == nil || time.Now().After(deadline) {
			return failed
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func removeTree(path string) error {
	var folders []string
	err := filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			folders = append(folders, path)
		}
		return nil // what vanished meanwhile is what is wanted
	})
	for i := len(folders) - 1; i >= 0; i-- {
		if failed := syscall.Rmdir(folders[i]); failed != nil && failed != syscall.ENOENT {
			err = errors.Join(err, fmt.Errorf("remove control group %s: %w", folders[i], failed))
		}
	}
	return err
}

func hierarchies() []string {
	entries, _ := os.ReadDir(cgroups)
	var found []string
	for _, entry := range entries {
		path := filepath.Join(cgroups, entry.Name())
		// Links (cpu -> cpu,cpuacct) would visit a hierarchy twice.
		if entry.IsDir() {
			found = append(found, path)
		}
	}
	return found
}
