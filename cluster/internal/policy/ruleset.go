package policy

import (
	"fmt"
	"strings"

	core "k8s.io/api/core/v1"
)

const table = "inet envctl"

// Ruleset is the whole table as nft reads it. It is replaced in one transaction:
// no packet ever meets half of it.
func (c *Cluster) Ruleset() string {
	var text strings.Builder
	fmt.Fprintf(&text, "table %s\ndelete table %s\ntable %s {\n", table, table, table)
	jumps := map[direction][]string{}
	for _, pod := range c.Pods {
		for _, way := range []direction{ingress, egress} {
			if matches, isolated := c.allowed(pod, way); isolated {
				name := chainName(pod, way)
				writeChain(&text, name, pod, way, matches)
				jumps[way] = append(jumps[way], fmt.Sprintf("%s : jump %s", pod.Status.PodIP, name))
			}
		}
	}
	writeMap(&text, "to_pod", jumps[ingress])
	writeMap(&text, "from_pod", jumps[egress])
	text.WriteString(hooks)
	text.WriteString("}\n")
	return text.String()
}

// Between pods a packet is forwarded, from a pod to the node it is received. What
// the node itself sends to a pod (probes, the API server's requests) is never filtered.
const hooks = `	chain forward {
		type filter hook forward priority filter; policy accept;
		ct state established,related accept
		ip saddr vmap @from_pod
		ip daddr vmap @to_pod
	}
	chain input {
		type filter hook input priority filter; policy accept;
		ct state established,related accept
		ip saddr vmap @from_pod
	}
`

func chainName(pod *core.Pod, way direction) string {
	return strings.ToLower(string(way.kind)) + "_" + strings.ReplaceAll(pod.Status.PodIP, ".", "_")
}

// A pod's chain returns what is allowed and drops the rest, as most networks do:
// the sender learns it by its own timeout.
func writeChain(text *strings.Builder, name string, pod *core.Pod, way direction, matches []string) {
	fmt.Fprintf(text, "\tchain %s {\n\t\tip %s %s return\n", name, way.peer, pod.Status.PodIP)
	for _, match := range matches {
		fmt.Fprintf(text, "\t\t%s\n", strings.TrimSpace(match+" return"))
	}
	text.WriteString("\t\tdrop\n\t}\n")
}

func writeMap(text *strings.Builder, name string, elements []string) {
	fmt.Fprintf(text, "\tmap %s {\n\t\ttype ipv4_addr : verdict\n", name)
	if len(elements) > 0 {
		fmt.Fprintf(text, "\t\telements = { %s }\n", strings.Join(elements, ", "))
	}
	text.WriteString("\t}\n")
}
