// Package policy enforces NetworkPolicy objects with nftables. The rules are a
// pure function of the cluster's pods, namespaces and policies; whenever one of
// these changes, the table is computed anew and replaced as a whole.
package policy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	options "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// Changes come in bursts, a deployment's pods together: wait this long for more.
const settle = 50 * time.Millisecond

// Enforce keeps the table right for the pods of a node until the context ends.
func Enforce(ctx context.Context, client kubernetes.Interface, node string) error {
	changed := make(chan struct{}, 1)
	look, err := watch(ctx, client, node, changed)
	if err != nil {
		return err
	}
	current := ""
	for {
		cluster, err := look()
		if err != nil {
			return err
		}
		if wanted := cluster.Ruleset(); wanted != current {
			if err := install(ctx, wanted); err != nil {
				return err
			}
			current = wanted
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			time.Sleep(settle)
		}
	}
}

// watch returns a function that says how the cluster is, from memory, and pokes
// the channel whenever that has changed.
func watch(ctx context.Context, client kubernetes.Interface, node string, changed chan<- struct{}) (func() (*Cluster, error), error) {
	everything := informers.NewSharedInformerFactory(client, 0)
	here := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithTweakListOptions(func(list *options.ListOptions) {
			list.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", node).String()
		}))
	pods := here.Core().V1().Pods()
	namespaces := everything.Core().V1().Namespaces()
	policies := everything.Networking().V1().NetworkPolicies()
	for _, informer := range []cache.SharedIndexInformer{pods.Informer(), namespaces.Informer(), policies.Informer()} {
		if err := notify(informer, changed); err != nil {
			return nil, err
		}
	}
	for _, factory := range []informers.SharedInformerFactory{everything, here} {
		factory.Start(ctx.Done())
		factory.WaitForCacheSync(ctx.Done())
	}
	return func() (*Cluster, error) {
		return look(pods.Lister().List, policies.Lister().List, namespaces.Lister().List)
	}, nil
}

func notify(informer cache.SharedIndexInformer, changed chan<- struct{}) error {
	poke := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	// The largest part of most objects, and nothing here reads it.
	slim := func(object any) (any, error) {
		if accessor, err := meta.Accessor(object); err == nil {
			accessor.SetManagedFields(nil)
		}
		return object, nil
	}
	if err := informer.SetTransform(slim); err != nil {
		return err
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { poke() },
		UpdateFunc: func(any, any) { poke() },
		DeleteFunc: func(any) { poke() },
	})
	return err
}

// lister is a lister's List.
type lister[T any] func(labels.Selector) ([]*T, error)

func look(pods lister[core.Pod], policies lister[networking.NetworkPolicy], namespaces lister[core.Namespace]) (*Cluster, error) {
	allPods, err1 := pods(labels.Everything())
	allPolicies, err2 := policies(labels.Everything())
	allNamespaces, err3 := namespaces(labels.Everything())
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	cluster := &Cluster{Namespaces: map[string]labels.Set{}, Policies: allPolicies}
	for _, pod := range allPods {
		if subject(pod) {
			cluster.Pods = append(cluster.Pods, pod)
		}
	}
	slices.SortFunc(cluster.Pods, func(a, b *core.Pod) int { return strings.Compare(a.Status.PodIP, b.Status.PodIP) })
	for _, namespace := range allNamespaces {
		cluster.Namespaces[namespace.Name] = labels.Set(namespace.Labels)
	}
	return cluster, nil
}

// subject says whether policies apply to a pod: it has an address of its own, and uses it.
func subject(pod *core.Pod) bool {
	ended := pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed
	return !ended && !pod.Spec.HostNetwork && pod.Status.PodIP != ""
}

func install(ctx context.Context, ruleset string) error {
	command := exec.CommandContext(ctx, "nft", "-f", "-")
	command.Stdin = strings.NewReader(ruleset)
	command.Env = os.Environ()
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return nil
}
