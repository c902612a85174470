// Package balancer gives every Service of type LoadBalancer an address, so that
// what waits for one does not wait for ever. kube-proxy does the rest.
package balancer

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// The addresses are of the node's own network, above the node's: what is inside
// can reach them, and nothing else has them.
const (
	network = "10.240.0."
	first   = 10
	last    = 250
)

// Balance assigns addresses until the context ends.
func Balance(ctx context.Context, client kubernetes.Interface) error {
	changed := make(chan struct{}, 1)
	poke := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	services, err := watch(ctx, client, poke)
	if err != nil {
		return err
	}
	for {
		all, err := services.List(labels.Everything())
		if err != nil {
			return err
		}
		if err := assign(ctx, client, all); err != nil {
			fmt.Fprintln(os.Stderr, "balancer:", err)
			time.AfterFunc(time.Second, poke)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

func watch(ctx context.Context, client kubernetes.Interface, poke func()) (listers.ServiceLister, error) {
	factory := informers.NewSharedInformerFactory(client, 0)
	services := factory.Core().V1().Services()
	_, err := services.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { poke() },
		UpdateFunc: func(any, any) { poke() },
		DeleteFunc: func(any) { poke() },
	})
	if err != nil {
		return nil, err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	return services.Lister(), nil
}

func assign(ctx context.Context, client kubernetes.Interface, services []*core.Service) error {
	taken := map[string]bool{}
	var waiting []*core.Service
	for _, service := range services {
		for _, ingress := range service.Status.LoadBalancer.Ingress {
			taken[ingress.IP] = true
		}
		if service.Spec.Type == core.ServiceTypeLoadBalancer && service.Spec.LoadBalancerClass == nil &&
			service.DeletionTimestamp == nil && len(service.Status.LoadBalancer.Ingress) == 0 {
			waiting = append(waiting, service)
		}
	}
	for _, service := range waiting {
		address := free(taken)
		if address == "" {
			return fmt.Errorf("no address left for %s/%s", service.Namespace, service.Name)
		}
		taken[address] = true
		if err := give(ctx, client, service, address); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

func free(taken map[string]bool) string {
	for i := first; i <= last; i++ {
		if address := fmt.Sprint(network, i); !taken[address] {
			return address
		}
	}
	return ""
}

func give(ctx context.Context, client kubernetes.Interface, service *core.Service, address string) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": service.UID},
		"status":   map[string]any{"loadBalancer": map[string]any{"ingress": []map[string]string{{"ip": address}}}},
	})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Services(service.Namespace).Patch(
		ctx, service.Name, types.MergePatchType, patch, meta.PatchOptions{}, "status")
	return err
}
