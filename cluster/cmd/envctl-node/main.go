// envctl-node runs a Kubernetes node within walls of its own.
//
//	envctl-node run --config FILE     until it gets SIGTERM
//	envctl-node clean --config FILE   what a killed one may have left
//
// It is a program apart from the components, since two of its processes stay in
// memory for as long as the node runs: this one takes 10 MB, that one 40.
package main

import (
	"flag"
	"fmt"
	"os"

	"envctl.dev/cluster/internal/supervisor"
)

var commands = map[string]func(configFile string) int{
	"run":    supervisor.Run,
	"inside": supervisor.Inside, // started by run
	"clean":  supervisor.CleanUp,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: envctl-node run|clean --config FILE")
		os.Exit(2)
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	config := flags.String("config", "", "the cluster's config.json")
	_ = flags.Parse(os.Args[2:]) // exits on an error
	os.Exit(commands[os.Args[1]](*config))
}
