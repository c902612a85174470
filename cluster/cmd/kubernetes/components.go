package main

import (
	"context"
	"os"
	_ "time/tzdata" // CronJobs name time zones, and a bare machine may have none installed.

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth"           // kubectl: every way a kubeconfig may log in.
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // metrics about each component's own client.
	_ "k8s.io/component-base/metrics/prometheus/version"

	apiserverlib "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
	kustomize "sigs.k8s.io/kustomize/kustomize/v5/commands"
	metrics "sigs.k8s.io/metrics-server/cmd/metrics-server/app"
)

// components are the programs of others that are linked in, by the name they are known by.
var components = map[string]func() int{
	"etcd":                    etcd,
	"kube-apiserver":          func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() int { return cli.Run(controllers.NewControllerManagerCommand()) },
	"kube-scheduler":          func() int { return cli.Run(scheduler.NewSchedulerCommand()) },
	"kube-proxy":              func() int { return cli.Run(proxy.NewProxyCommand()) },
	"kubelet":                 func() int { return cli.Run(kubeletCommand()) },
	"kubectl":                 runKubectl,
	"kustomize":               func() int { return cli.Run(kustomize.NewDefaultCommand()) },
	"metrics-server":          func() int { return cli.Run(metrics.NewMetricsServerCommand(apiserverlib.SetupSignalHandler())) },
}

func kubeletCommand() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }

func etcd() int {
	etcdmain.Main(os.Args)
	return 0
}

func runKubectl() int {
	// kubectl reads its verbosity before its flags: plugins and .kuberc come first.
	_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err) // prints it and exits
	}
	return 0
}
