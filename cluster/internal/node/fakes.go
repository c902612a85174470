package node

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	nodes "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	heartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	pods "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
)

const fakeAnnotation = "kwok.x-k8s.io/node"

// fakes makes the fake nodes that were asked for, and no others: KWOK gives them
// heartbeats, and their pods a life without containers.
func (n *Node) fakes(ctx context.Context) error {
	if err := n.removeFakes(ctx); err != nil || n.config.FakeNodes == 0 {
		return err
	}
	if err := writeFile(home("etc", "kwok.yaml"), stages()); err != nil {
		return err
	}
	if err := n.keep(kwok()); err != nil {
		return err
	}
	for i := range n.config.FakeNodes {
		name := fakeName(i)
		if err := n.client.apply(ctx, "/api/v1/nodes/"+name, n.fake(name)); err != nil {
			return err
		}
	}
	for i := range n.config.FakeNodes {
		// Nothing to wait for afresh: a fake node reports every ten minutes.
		if err := n.client.nodeReady(ctx, fakeName(i), time.Time{}); err != nil {
			return err
		}
	}
	n.report.Phase("fake-nodes", n.began)
	return nil
}

// stages are KWOK's own rules for how a node or a pod goes on to its next state at once.
func stages() string {
	return strings.Join([]string{
		nodes.DefaultNodeInit, heartbeat.DefaultNodeHeartbeatWithLease,
		pods.DefaultPodReady, pods.DefaultPodComplete, pods.DefaultPodDelete,
	}, "\n---\n")
}

func fakeName(i int) string { return fmt.Sprintf("fake-%05d", i) }

// removeFakes deletes those of an earlier start with more of them.
func (n *Node) removeFakes(ctx context.Context) error {
	var found struct {
		Items []struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
		} `json:"items"`
	}
	if err := n.client.get(ctx, "/api/v1/nodes?labelSelector="+url.QueryEscape("type=kwok"), &found); err != nil {
		return err
	}
	for _, node := range found.Items {
		if node.Metadata.Name >= fakeName(n.config.FakeNodes) {
			if err := n.client.delete(ctx, "/api/v1/nodes/"+node.Metadata.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *Node) fake(name string) map[string]any {
	capacity := map[string]string{"cpu": "32", "memory": "256Gi", "pods": "1000"}
	spec := map[string]any{}
	// Beside a real node, only pods that say so may land where nothing runs.
	if n.hasKubelet() {
		spec["taints"] = []map[string]string{{"key": fakeAnnotation, "value": "fake", "effect": "NoSchedule"}}
	}
	return map[string]any{
		"apiVersion": "v1",
		"kind":       "Node",
		"metadata": map[string]any{
			"name":        name,
			"annotations": map[string]string{fakeAnnotation: "fake"},
			"labels": map[string]string{
				"type":                   "kwok",
				"kubernetes.io/hostname": name,
				"kubernetes.io/os":       "linux",
				"node.kubernetes.io/exclude-from-external-load-balancers": "true",
			},
		},
		"spec":   spec,
		"status": map[string]any{"allocatable": capacity, "capacity": capacity},
	}
}
