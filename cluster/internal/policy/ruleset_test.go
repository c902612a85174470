package policy

import (
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func pod(namespace, name, ip string) *core.Pod {
	return &core.Pod{
		ObjectMeta: meta.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": name}},
		Spec: core.PodSpec{Containers: []core.Container{{
			Ports: []core.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: core.ProtocolTCP}},
		}}},
		Status: core.PodStatus{PodIP: ip},
	}
}

func selector(app string) *meta.LabelSelector {
	return &meta.LabelSelector{MatchLabels: map[string]string{"app": app}}
}

func toPort(port intstr.IntOrString, end int32) []networking.NetworkPolicyPort {
	wanted := networking.NetworkPolicyPort{Port: &port}
	if end > 0 {
		wanted.EndPort = &end
	}
	return []networking.NetworkPolicyPort{wanted}
}

var (
	web    = pod("shop", "web", "10.244.0.2")
	db     = pod("shop", "db", "10.244.0.3")
	other  = pod("other", "web", "10.244.0.4")
	system = pod("kube-system", "traefik", "10.244.0.5")
)

func cluster(specs ...networking.NetworkPolicySpec) *Cluster {
	c := &Cluster{
		Pods: []*core.Pod{web, db, other, system},
		Namespaces: map[string]labels.Set{
			"shop": {"team": "a"}, "other": {"team": "b"}, "kube-system": {"kubernetes.io/metadata.name": "kube-system"},
		},
	}
	for _, spec := range specs {
		c.Policies = append(c.Policies, &networking.NetworkPolicy{ObjectMeta: meta.ObjectMeta{Namespace: "shop"}, Spec: spec})
	}
	return c
}

func from(app string, rules ...networking.NetworkPolicyIngressRule) networking.NetworkPolicySpec {
	return networking.NetworkPolicySpec{
		PodSelector: *selector(app), Ingress: rules, PolicyTypes: []networking.PolicyType{networking.PolicyTypeIngress},
	}
}

func to(app string, rules ...networking.NetworkPolicyEgressRule) networking.NetworkPolicySpec {
	return networking.NetworkPolicySpec{
		PodSelector: *selector(app), Egress: rules, PolicyTypes: []networking.PolicyType{networking.PolicyTypeEgress},
	}
}

func TestAllowed(t *testing.T) {
	peer := func(peers ...networking.NetworkPolicyPeer) networking.NetworkPolicyIngressRule {
		return networking.NetworkPolicyIngressRule{From: peers}
	}
	cases := map[string]struct {
		way  direction
		spec networking.NetworkPolicySpec
		want string
	}{
		"nothing":             {ingress, from("web"), ""},
		"everybody":           {ingress, from("web", networking.NetworkPolicyIngressRule{}), ""},
		"pods of the same":    {ingress, from("web", peer(networking.NetworkPolicyPeer{PodSelector: selector("db")})), "ip saddr { 10.244.0.3 }"},
		"namespaces":          {ingress, from("web", peer(networking.NetworkPolicyPeer{NamespaceSelector: &meta.LabelSelector{MatchLabels: map[string]string{"team": "b"}}})), "ip saddr { 10.244.0.4 }"},
		"every namespace":     {ingress, from("web", peer(networking.NetworkPolicyPeer{NamespaceSelector: &meta.LabelSelector{}, PodSelector: selector("web")})), "ip saddr { 10.244.0.2, 10.244.0.4 }"},
		"no pod fits":         {ingress, from("web", peer(networking.NetworkPolicyPeer{PodSelector: selector("nobody")})), "isolated"},
		"addresses":           {ingress, from("web", peer(networking.NetworkPolicyPeer{IPBlock: &networking.IPBlock{CIDR: "10.0.0.0/8", Except: []string{"10.1.0.0/16"}}})), "ip saddr 10.0.0.0/8 ip saddr != { 10.1.0.0/16 }"},
		"a number":            {ingress, from("web", networking.NetworkPolicyIngressRule{Ports: toPort(intstr.FromInt32(80), 0)}), "tcp dport 80"},
		"a range":             {ingress, from("web", networking.NetworkPolicyIngressRule{Ports: toPort(intstr.FromInt32(80), 90)}), "tcp dport 80-90"},
		"a name of this pod":  {ingress, from("web", networking.NetworkPolicyIngressRule{Ports: toPort(intstr.FromString("http"), 0)}), "tcp dport 8080"},
		"a name of the other": {egress, to("web", networking.NetworkPolicyEgressRule{To: []networking.NetworkPolicyPeer{{PodSelector: selector("db")}}, Ports: toPort(intstr.FromString("http"), 0)}), "ip daddr { 10.244.0.3 } tcp dport 8080"},
	}
	for name, each := range cases {
		t.Run(name, func(t *testing.T) {
			matches, isolated := cluster(each.spec).allowed(web, each.way)
			if !isolated {
				t.Fatal("the policy selects the pod, so it is isolated")
			}
			got := strings.Join(matches, " | ")
			if each.want == "isolated" {
				if len(matches) != 0 {
					t.Fatalf("a rule without a peer allows nobody, not %q", got)
				}
			} else if got != each.want {
				t.Errorf("got %q, want %q", got, each.want)
			}
		})
	}
}

func TestOnlySelectedPodsAreIsolated(t *testing.T) {
	for _, each := range []*core.Pod{db, other, system} {
		if _, isolated := cluster(from("web")).allowed(each, ingress); isolated {
			t.Errorf("%s/%s is not selected", each.Namespace, each.Name)
		}
	}
	if _, isolated := cluster(from("web")).allowed(web, egress); isolated {
		t.Error("a policy for ingress says nothing of egress")
	}
}

func TestPoliciesAddUp(t *testing.T) {
	matches, _ := cluster(
		from("web", networking.NetworkPolicyIngressRule{Ports: toPort(intstr.FromInt32(80), 0)}),
		from("web", networking.NetworkPolicyIngressRule{Ports: toPort(intstr.FromInt32(81), 0)}),
	).allowed(web, ingress)
	if got := strings.Join(matches, " | "); got != "tcp dport 80 | tcp dport 81" {
		t.Errorf("got %q", got)
	}
}

func TestRulesetDropsWhatIsNotAllowed(t *testing.T) {
	text := cluster(from("web"), to("db")).Ruleset()
	for _, want := range []string{
		"table inet envctl\ndelete table inet envctl\n",
		"chain ingress_10_244_0_2 {\n\t\tip saddr 10.244.0.2 return\n\t\tdrop\n",
		"elements = { 10.244.0.2 : jump ingress_10_244_0_2 }",
		"elements = { 10.244.0.3 : jump egress_10_244_0_3 }",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	everybody := cluster(from("web", networking.NetworkPolicyIngressRule{})).Ruleset()
	if !strings.Contains(everybody, "\t\treturn\n\t\tdrop\n") {
		t.Errorf("an empty rule allows everybody, which is not in\n%s", everybody)
	}
	if strings.Contains(cluster().Ruleset(), "jump") {
		t.Error("without a policy nobody is isolated")
	}
}

func TestWhoIsSubject(t *testing.T) {
	ended, host, young := *web, *web, *web
	ended.Status.Phase = core.PodSucceeded
	host.Spec.HostNetwork = true
	young.Status.PodIP = ""
	for name, each := range map[string]*core.Pod{"ended": &ended, "host network": &host, "no address": &young} {
		if subject(each) {
			t.Errorf("%s: policies do not apply", name)
		}
	}
	if !subject(web) {
		t.Error("a running pod is subject to policies")
	}
}
