// coredns with only the plugins that a cluster's Corefile names. The full
// program carries the SDKs of four clouds, which nothing here can use.
package main

import (
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
)

// The order in which a query passes the plugins, as in CoreDNS' own plugin.cfg but
// for template: it answers what the cluster does not know, so it comes last.
func init() {
	dnsserver.Directives = []string{
		"health", "ready", "prometheus", "errors", "log", "cache",
		"loadbalance", "hosts", "kubernetes", "template",
	}
}

func main() { coremain.Run() }
