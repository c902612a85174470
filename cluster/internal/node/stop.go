package node

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"envctl.dev/cluster/internal/process"
)

// Stop ends the node in the order in which its parts need each other, in at most
// the sum of these graces. Whatever is left then ends with this process.
func (n *Node) Stop() {
	if n.manager == nil {
		return
	}
	// First who would start pods again, then the pods themselves.
	n.stop(500*time.Millisecond, "kubelet", "metrics-server", "kwok", "kube-controller-manager", "kube-scheduler")
	n.stopPods(1500 * time.Millisecond)
	// The API server waits for requests that nobody will end, and keeps nothing itself;
	// but it has to be gone before etcd, or it hangs for good.
	n.stop(time.Second, "kube-apiserver", "kube-proxy", "node-agents", "containerd")
	n.stop(500*time.Millisecond, "etcd")
}

func (n *Node) stop(grace time.Duration, names ...string) {
	var group sync.WaitGroup
	for _, name := range names {
		if service := n.service(name); service != nil {
			group.Go(func() { service.Stop(grace) })
		}
	}
	group.Wait()
}

func (n *Node) service(name string) *process.Service {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return n.services[name]
}

// stopPods lets every container end by itself, as in a shutdown: a database that
// may close its files does not have to recover at the next start.
func (n *Node) stopPods(grace time.Duration) {
	deadline := time.Now().Add(grace)
	asked := map[int]bool{}
	for {
		left := containersOf(n.config.Cgroup)
		for _, pid := range left {
			if !asked[pid] {
				asked[pid] = true
				_ = syscall.Kill(pid, syscall.SIGTERM)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return
		}
		time.Sleep(askAgain)
	}
}

// containersOf lists the processes in the pods' control groups.
func containersOf(cgroup string) []int {
	entries, _ := os.ReadDir("/proc")
	var found []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		groups, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cgroup"))
		if err == nil && strings.Contains(string(groups), "/"+cgroup+"/kubepods") {
			found = append(found, pid)
		}
	}
	return found
}
