// node-agents does what a cluster's provider does elsewhere: it enforces network
// policies, provisions volumes, and gives Services of type LoadBalancer an address.
// One process for the three, since they share their view of the cluster.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"envctl.dev/cluster/internal/balancer"
	"envctl.dev/cluster/internal/policy"
	"envctl.dev/cluster/internal/volumes"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "node-agents:", err)
		os.Exit(1)
	}
}

func run() error {
	kubeconfig := flag.String("kubeconfig", "", "credentials of the agents")
	node := flag.String("node", "", "name of the node whose pods policies are enforced for")
	folder := flag.String("volumes", "", "folder that volumes are made in")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.QPS, config.Burst = 50, 100
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	agents := []func() error{
		func() error { return policy.Enforce(ctx, client, *node) },
		func() error { return volumes.Provision(ctx, client, *folder) },
		func() error { return balancer.Balance(ctx, client) },
	}
	ended := make(chan error, len(agents))
	for _, agent := range agents {
		go func() { ended <- agent() }()
	}
	// They end together: the supervisor starts all of them again.
	return <-ended
}
