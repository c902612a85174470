package node

import (
	"context"
	"fmt"
	"net"
	"time"
)

// How often a component that has no watch to offer is asked again.
const askAgain = 50 * time.Millisecond

// await asks until the answer is nil; when the context ends first, its error
// says what was awaited and the last answer.
func await(ctx context.Context, what string, ask func(context.Context) error) error {
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", what, err)
		case <-time.After(askAgain):
		}
	}
}

func (c *client) apiReady(ctx context.Context) error {
	return await(ctx, "the API server", func(ctx context.Context) error {
		return c.get(ctx, "/readyz", nil)
	})
}

// podsAllowed waits for the account that pods run as unless they name another: without
// it none is admitted, and the controller that makes it needs a moment.
func (c *client) podsAllowed(ctx context.Context) error {
	return await(ctx, "the default service account", func(ctx context.Context) error {
		return c.get(ctx, "/api/v1/namespaces/default/serviceaccounts/default", nil)
	})
}

func socketReady(ctx context.Context, path string) error {
	return await(ctx, path, func(context.Context) error {
		connection, err := net.Dial("unix", path)
		if err == nil {
			connection.Close()
		}
		return err
	})
}

type condition struct {
	Type              string    `json:"type"`
	Status            string    `json:"status"`
	Message           string    `json:"message"`
	LastHeartbeatTime time.Time `json:"lastHeartbeatTime"`
}

// nodeReady waits for a Ready that this kubelet has reported: in a cluster that
// was stopped, the last run's answer is still there.
func (c *client) nodeReady(ctx context.Context, name string, since time.Time) error {
	return await(ctx, name, func(ctx context.Context) error {
		var node struct {
			Status struct {
				Conditions []condition `json:"conditions"`
			} `json:"status"`
		}
		if err := c.get(ctx, "/api/v1/nodes/"+name, &node); err != nil {
			return err
		}
		for _, condition := range node.Status.Conditions {
			// The reported time has whole seconds only.
			fresh := condition.LastHeartbeatTime.Add(time.Second).After(since)
			if condition.Type == "Ready" && fresh {
				if condition.Status == "True" {
					return nil
				}
				return fmt.Errorf("%s", condition.Message)
			}
		}
		return fmt.Errorf("the kubelet has not reported yet")
	})
}

type podList struct {
	Items []struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Status struct {
			Conditions []condition `json:"conditions"`
			StartTime  time.Time   `json:"startTime"`
			Containers []struct {
				State struct {
					Running *struct {
						StartedAt time.Time `json:"startedAt"`
					} `json:"running"`
				} `json:"state"`
			} `json:"containerStatuses"`
		} `json:"status"`
	} `json:"items"`
}

// podReady waits for a ready pod with that label whose container runs since then.
func (c *client) podReady(ctx context.Context, label string, since time.Time) error {
	return await(ctx, label, func(ctx context.Context) error {
		var found podList
		path := "/api/v1/namespaces/kube-system/pods?labelSelector=app.kubernetes.io%2Fname%3D" + label
		if err := c.get(ctx, path, &found); err != nil {
			return err
		}
		for _, pod := range found.Items {
			for _, container := range pod.Status.Containers {
				fresh := container.State.Running != nil && container.State.Running.StartedAt.Add(time.Second).After(since)
				if fresh && isTrue(pod.Status.Conditions, "Ready") {
					return nil
				}
			}
		}
		return fmt.Errorf("no pod of it is ready")
	})
}

func isTrue(conditions []condition, kind string) bool {
	for _, condition := range conditions {
		if condition.Type == kind {
			return condition.Status == "True"
		}
	}
	return false
}
