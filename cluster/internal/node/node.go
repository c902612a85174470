package node

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"envctl.dev/cluster/internal/process"
	"envctl.dev/cluster/internal/sandbox"
)

// A start that takes longer than this has failed; usual are ten seconds.
const startTimeout = 3 * time.Minute

// Node is a running node. It exists once, in process 1 of its own namespaces.
type Node struct {
	config  *Config
	report  *Report
	manager *process.Manager
	client  *client
	began   time.Time

	mutex    sync.Mutex
	services map[string]*process.Service
}

// Start brings the node up and returns it, also half up when there is an error:
// Stop works on that too.
func Start(ctx context.Context, config *Config, report *Report) (*Node, error) {
	n := &Node{config: config, report: report, began: time.Now(), services: map[string]*process.Service{}}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := config.prepare(); err != nil {
		return n, err
	}
	n.manager = process.NewManager()
	var err error
	if n.client, err = newClient(); err != nil {
		return n, err
	}
	if err := n.controlPlane(ctx); err != nil {
		return n, n.explain(err)
	}
	return n, n.explain(n.everythingElse(ctx))
}

// controlPlane starts what answers API requests, and containerd beside it, since
// that needs nothing from the API server.
func (n *Node) controlPlane(ctx context.Context) error {
	n.report.Waiting("the control plane")
	for _, service := range []*process.Service{etcd(), apiserver()} {
		if err := n.keep(service); err != nil {
			return err
		}
	}
	if n.hasKubelet() {
		if err := n.keep(containerd()); err != nil {
			return err
		}
	}
	if err := n.client.apiReady(ctx); err != nil {
		return err
	}
	n.report.Phase("control-plane", n.began)
	for _, service := range []*process.Service{controllerManager(), scheduler()} {
		if err := n.keep(service); err != nil {
			return err
		}
	}
	return nil
}

// everythingElse runs its parts side by side: none needs another to begin.
func (n *Node) everythingElse(ctx context.Context) error {
	parts := []func(context.Context) error{n.imagesAndAddOns, n.fakes, n.client.podsAllowed}
	if n.hasKubelet() {
		parts = append(parts, n.kubelet)
	}
	if err := together(ctx, parts); err != nil {
		return err
	}
	if !n.hasKubelet() {
		return nil
	}
	return n.addOnsReady(ctx)
}

// together runs parts at once; the first that fails ends the others, and is the reason.
func together(ctx context.Context, parts []func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	var once sync.Once
	var first error
	for _, part := range parts {
		group.Go(func() {
			if err := part(ctx); err != nil {
				once.Do(func() { first = err })
				cancel()
			}
		})
	}
	group.Wait()
	return first
}

func (n *Node) kubelet(ctx context.Context) error {
	name := n.config.nodeName()
	if err := socketReady(ctx, "/run/containerd/containerd.sock"); err != nil {
		return err
	}
	since := time.Now()
	for _, service := range []*process.Service{kubelet(name), kubeProxy(), agents(name)} {
		if err := n.keep(service); err != nil {
			return err
		}
	}
	n.report.Waiting("the node")
	if err := n.client.nodeReady(ctx, name, since); err != nil {
		return err
	}
	n.report.Phase("node", n.began)
	return n.keep(metricsServer())
}

// images imports what the node's own pods are made of.
func (n *Node) images(ctx context.Context) error {
	if err := socketReady(ctx, "/run/containerd/containerd.sock"); err != nil {
		return err
	}
	archives, err := filepath.Glob(sandbox.Programs + "/images/*.tar")
	if err != nil {
		return err
	}
	for _, archive := range archives {
		mark, err := markOf(archive)
		if err != nil {
			return err
		}
		if _, err := os.Stat(mark); err == nil {
			continue
		}
		err = n.manager.Once(ctx, logFile("images"), environment(), program("ctr"), "--address",
			"/run/containerd/containerd.sock", "--namespace", "k8s.io", "images", "import", archive)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(mark), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(mark, nil, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// markOf is a file that says that an archive has been imported. The manifest's digest
// is at the very beginning of our archives, so that is enough to tell them apart.
func markOf(archive string) (string, error) {
	file, err := os.Open(archive)
	if err != nil {
		return "", err
	}
	defer file.Close()
	beginning := make([]byte, 4<<10)
	if _, err := io.ReadFull(file, beginning); err != nil {
		return "", fmt.Errorf("%s: %w", archive, err)
	}
	return home("images", fmt.Sprintf("%s-%x", filepath.Base(archive), sha256.Sum256(beginning))), nil
}

// Images first: the add-ons' pods can pull theirs from nowhere.
func (n *Node) imagesAndAddOns(ctx context.Context) error {
	if n.hasKubelet() {
		if err := n.images(ctx); err != nil {
			return err
		}
	}
	return n.addOns(ctx)
}

// addOns is tried again: the API server is ready a moment before its own namespaces exist.
func (n *Node) addOns(ctx context.Context) error {
	return await(ctx, "the add-ons", func(ctx context.Context) error {
		return n.manager.Once(ctx, logFile("add-ons"), environment(), program("kubernetes"), "kubectl", "apply",
			"--server-side", "--force-conflicts", "--field-manager=envctl-local", "--filename", home("manifests"))
	})
}

func (n *Node) addOnsReady(ctx context.Context) error {
	for _, name := range []string{"coredns", "traefik"} {
		n.report.Waiting(name)
		if err := n.client.podReady(ctx, name, n.began); err != nil {
			return err
		}
	}
	n.report.Phase("add-ons", n.began)
	return nil
}

func (n *Node) hasKubelet() bool { return n.config.Profile == ProfileNode }

func (n *Node) keep(service *process.Service) error {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.services[service.Name] = service
	if err := n.manager.Keep(service); err != nil {
		return fmt.Errorf("start %s: %w", service.Name, err)
	}
	return nil
}

// explain adds the last words of whatever keeps ending: that is why it is not ready.
func (n *Node) explain(err error) error {
	if err == nil {
		return nil
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	for name, service := range n.services {
		if service.Restarts() > 0 {
			return fmt.Errorf("%w; %s ended %d times: %s", err, name, service.Restarts(), process.Tail(service.Log, 3))
		}
	}
	return err
}
