// kubernetes is every component of a node in one program: Kubernetes', etcd,
// metrics-server, and kubectl and kustomize for the user. Which of them it is, is
// its first argument, or the name it was started by (a link named kubectl).
//
// One program instead of ten because they share almost all their code: linked
// apart they would take 900 MB and several times as long to build.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	name := filepath.Base(os.Args[0])
	if _, known := components[name]; !known {
		if len(os.Args) < 2 || components[os.Args[1]] == nil {
			usage()
			os.Exit(2)
		}
		name = os.Args[1]
		// The components parse os.Args themselves: hand them the shape they know.
		os.Args = append([]string{name}, os.Args[2:]...)
	}
	os.Exit(components[name]())
}

func usage() {
	var names []string
	for name := range components {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintf(os.Stderr, "usage: kubernetes COMPONENT [FLAGS]\ncomponents: %s\n", strings.Join(names, ", "))
}
