package node

import (
	"embed"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"envctl.dev/cluster/internal/sandbox"
)

//go:embed files
var files embed.FS

//go:embed manifests
var manifests embed.FS

// prepare makes this process's surroundings the node's, and writes what its
// programs will read. Everything but keys and data is written anew each time.
func (c *Config) prepare() error {
	if err := sandbox.Mount(c.Folder, c.Programs); err != nil {
		return err
	}
	if err := sandbox.Hostname(c.nodeName()); err != nil {
		return err
	}
	if err := sandbox.Network(nodeNet, servicesNet); err != nil {
		return err
	}
	if err := clearLastRun(); err != nil {
		return err
	}
	for _, folder := range []string{"etc/cni", "manifests", "audit", "volumes", "tmp", "kubelet/plugins-flex"} {
		if err := os.MkdirAll(home(folder), 0o755); err != nil {
			return err
		}
	}
	if err := c.writeCredentials(); err != nil {
		return err
	}
	return c.writeFiles()
}

// Addresses and temporary files belonged to processes that are gone.
func clearLastRun() error {
	for _, folder := range []string{"ipam", "tmp", "manifests"} {
		if err := os.RemoveAll(home(folder)); err != nil {
			return err
		}
	}
	return shortenLogs()
}

// A log that has grown beyond this is begun anew; the last one is kept.
const longLog = 16 << 20

func shortenLogs() error {
	logs, err := filepath.Glob(logFile("*"))
	if err != nil {
		return err
	}
	for _, log := range logs {
		if info, err := os.Stat(log); err == nil && info.Size() > longLog {
			if err := os.Rename(log, log+".old"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Config) writeFiles() error {
	snapshotter := "overlayfs"
	if !sandbox.Overlay() {
		snapshotter = "native" // copies every layer: slow, but works anywhere
	}
	words := strings.NewReplacer("CGROUP", "/"+c.Cgroup, "NODE", c.nodeName(), "SNAPSHOTTER", snapshotter)
	if err := write(files, home("etc"), words); err != nil {
		return err
	}
	if err := os.Rename(home("etc", "10-envctl.conflist"), home("etc", "cni", "10-envctl.conflist")); err != nil {
		return err
	}
	if err := write(manifests, home("manifests"), strings.NewReplacer("CA_BUNDLE", c.authority())); err != nil {
		return err
	}
	if c.Profile == ProfileNode {
		return nil
	}
	// Without a kubelet nothing that needs a pod or its node can work.
	for _, name := range []string{"coredns.yaml", "traefik.yaml", "metrics-server.yaml"} {
		if err := os.Remove(home("manifests", name)); err != nil {
			return err
		}
	}
	return nil
}

func write(source embed.FS, folder string, words *strings.Replacer) error {
	return fs.WalkDir(source, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := source.ReadFile(path)
		if err != nil {
			return err
		}
		return writeFile(filepath.Join(folder, filepath.Base(path)), words.Replace(string(content)))
	})
}
