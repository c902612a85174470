package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Cluster is all that the rules follow from.
type Cluster struct {
	Pods       []*core.Pod
	Namespaces map[string]labels.Set
	Policies   []*networking.NetworkPolicy
}

// direction is what differs between traffic to a pod and from it.
type direction struct {
	kind networking.PolicyType
	peer string // the packet's field that holds the peer's address
}

var (
	ingress = direction{networking.PolicyTypeIngress, "saddr"}
	egress  = direction{networking.PolicyTypeEgress, "daddr"}
)

// rule is one from or to of a policy: the peers and ports it allows.
type rule struct {
	peers []networking.NetworkPolicyPeer
	ports []networking.NetworkPolicyPort
}

// allowed returns what the policies allow a pod in a direction, as nftables
// matches, and whether any policy selects it: if none does, all is allowed.
func (c *Cluster) allowed(pod *core.Pod, way direction) (matches []string, isolated bool) {
	for _, policy := range c.Policies {
		if !selects(policy, pod) || !slices.Contains(policy.Spec.PolicyTypes, way.kind) {
			continue
		}
		isolated = true
		for _, rule := range rulesOf(policy, way) {
			matches = append(matches, c.matches(policy.Namespace, pod, rule, way)...)
		}
	}
	slices.Sort(matches)
	return slices.Compact(matches), isolated
}

func selects(policy *networking.NetworkPolicy, pod *core.Pod) bool {
	return policy.Namespace == pod.Namespace && fits(&policy.Spec.PodSelector, labels.Set(pod.Labels))
}

// fits is false for a selector that cannot be read; the API server admits none.
func fits(selector *meta.LabelSelector, set labels.Set) bool {
	parsed, err := meta.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(set)
}

func rulesOf(policy *networking.NetworkPolicy, way direction) []rule {
	var rules []rule
	if way == ingress {
		for _, from := range policy.Spec.Ingress {
			rules = append(rules, rule{from.From, from.Ports})
		}
		return rules
	}
	for _, to := range policy.Spec.Egress {
		rules = append(rules, rule{to.To, to.Ports})
	}
	return rules
}

// matches are the alternatives of one rule, each a peer match and a port match.
func (c *Cluster) matches(namespace string, pod *core.Pod, rule rule, way direction) []string {
	var found []string
	for _, peers := range c.peers(namespace, rule.peers, way) {
		// A named port is a port of whoever receives: of this pod, or of each peer.
		if way == egress && len(peers.pods) > 0 && named(rule.ports) {
			for _, peer := range peers.pods {
				one := addresses(way, []*core.Pod{peer})
				found = append(found, join(one, ports(rule.ports, peer))...)
			}
			continue
		}
		found = append(found, join(peers.match, ports(rule.ports, pod))...)
	}
	return found
}

type peers struct {
	match string
	pods  []*core.Pod
}

func (c *Cluster) peers(namespace string, wanted []networking.NetworkPolicyPeer, way direction) []peers {
	if len(wanted) == 0 {
		return []peers{{match: ""}} // no peer named: every peer
	}
	var found []peers
	chosen := map[string]*core.Pod{}
	for _, peer := range wanted {
		if peer.IPBlock != nil {
			found = append(found, peers{match: block(way, peer.IPBlock)})
			continue
		}
		for _, pod := range c.Pods {
			if c.isPeer(namespace, &peer, pod) {
				chosen[pod.Status.PodIP] = pod
			}
		}
	}
	if len(chosen) > 0 {
		var pods []*core.Pod
		for _, ip := range slices.Sorted(maps.Keys(chosen)) {
			pods = append(pods, chosen[ip])
		}
		found = append(found, peers{match: addresses(way, pods), pods: pods})
	}
	return found
}

func (c *Cluster) isPeer(namespace string, peer *networking.NetworkPolicyPeer, pod *core.Pod) bool {
	if peer.NamespaceSelector == nil {
		if pod.Namespace != namespace {
			return false
		}
	} else if !fits(peer.NamespaceSelector, c.Namespaces[pod.Namespace]) {
		return false
	}
	return peer.PodSelector == nil || fits(peer.PodSelector, labels.Set(pod.Labels))
}

func addresses(way direction, pods []*core.Pod) string {
	ips := make([]string, len(pods))
	for i, pod := range pods {
		ips[i] = pod.Status.PodIP
	}
	return fmt.Sprintf("ip %s { %s }", way.peer, strings.Join(ips, ", "))
}

func block(way direction, block *networking.IPBlock) string {
	match := fmt.Sprintf("ip %s %s", way.peer, block.CIDR)
	if len(block.Except) > 0 {
		match += fmt.Sprintf(" ip %s != { %s }", way.peer, strings.Join(block.Except, ", "))
	}
	return match
}

// ports are the alternatives of a rule's port list; one empty match means every port.
func ports(wanted []networking.NetworkPolicyPort, receiver *core.Pod) []string {
	if len(wanted) == 0 {
		return []string{""}
	}
	var found []string
	for _, port := range wanted {
		protocol := "tcp"
		if port.Protocol != nil {
			protocol = strings.ToLower(string(*port.Protocol))
		}
		switch {
		case port.Port == nil:
			found = append(found, "meta l4proto "+protocol)
		case port.Port.Type == intstr.String:
			for _, number := range portsNamed(receiver, port.Port.StrVal, protocol) {
				found = append(found, fmt.Sprintf("%s dport %d", protocol, number))
			}
		case port.EndPort != nil && *port.EndPort > port.Port.IntVal:
			found = append(found, fmt.Sprintf("%s dport %d-%d", protocol, port.Port.IntVal, *port.EndPort))
		default:
			found = append(found, fmt.Sprintf("%s dport %d", protocol, port.Port.IntVal))
		}
	}
	return found
}

func named(ports []networking.NetworkPolicyPort) bool {
	return slices.ContainsFunc(ports, func(port networking.NetworkPolicyPort) bool {
		return port.Port != nil && port.Port.Type == intstr.String
	})
}

func portsNamed(pod *core.Pod, name, protocol string) []int32 {
	var found []int32
	for _, container := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		for _, port := range container.Ports {
			if port.Name == name && strings.EqualFold(string(port.Protocol), protocol) {
				found = append(found, port.ContainerPort)
			}
		}
	}
	return found
}

func join(peer string, ports []string) []string {
	var found []string
	for _, port := range ports {
		found = append(found, strings.TrimSpace(peer+" "+port))
	}
	return found
}
