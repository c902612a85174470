package supervisor

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"envctl.dev/cluster/internal/node"
)

// Inside is process 1 of a node. When it returns, the kernel ends what is left.
func Inside(configFile string) int {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "envctl-node: inside is started by run, in namespaces of its own")
		return 2
	}
	config, err := node.ReadConfig(configFile)
	if err != nil {
		return complain(err)
	}
	for fd := reportFD; fd < firstListenerFD+4; fd++ {
		syscall.CloseOnExec(fd) // the lock must not outlive us in a child
	}
	node.ForwardAll(firstListenerFD)
	report := node.NewReport(os.NewFile(reportFD, "report"))
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	running, err := node.Start(ctx, config, report)
	defer running.Stop()
	if err != nil && ctx.Err() == nil {
		report.Failed(err)
		return complain(err)
	}
	if err == nil {
		report.Ready()
		<-ctx.Done()
	}
	return 0
}
