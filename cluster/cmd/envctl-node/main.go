// envctl-node is the whole node in one binary: Kubernetes, etcd, kubectl and
// the supervisor that runs them. Which of them it is, is its first argument, or
// the name it was started by (a symbolic link named kubectl is kubectl).
//
// One binary instead of ten because they share almost all their code: linked
// apart they would take 900 MB and several times as long to build.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// own holds the sub-commands that this module writes itself.
var own = map[string]func(args []string) int{}

func main() {
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	if !known(name) {
		if len(os.Args) < 2 || !known(os.Args[1]) {
			usage()
			os.Exit(2)
		}
		name = os.Args[1]
		// The components parse os.Args themselves: hand them the shape they know.
		os.Args = append([]string{name}, os.Args[2:]...)
	}
	if run, ok := own[name]; ok {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(components[name]())
}

func known(name string) bool {
	_, isOwn := own[name]
	_, isComponent := components[name]
	return isOwn || isComponent
}

func usage() {
	names := make([]string, 0, len(own)+len(components))
	for name := range own {
		names = append(names, name)
	}
	for name := range components {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintf(os.Stderr, "usage: envctl-node COMMAND [ARGUMENTS]\ncommands: %s\n", strings.Join(names, ", "))
}
