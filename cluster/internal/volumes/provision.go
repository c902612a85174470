// Package volumes makes a folder for every claim of the default storage class,
// and removes it with its volume.
package volumes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

const (
	provisioner = "envctl.dev/folder"
	// The API's own annotations between the scheduler, the volume controller and a provisioner.
	wanted       = "volume.kubernetes.io/storage-provisioner"
	selectedNode = "volume.kubernetes.io/selected-node"
	provisioned  = "pv.kubernetes.io/provisioned-by"
)

// worker turns claims into volumes. Its queue holds names of claims and volumes.
type worker struct {
	client kubernetes.Interface
	folder string
	queue  workqueue.TypedRateLimitingInterface[key]
	events record.EventRecorder
}

type key struct{ namespace, claim, volume string }

// Provision works until the context ends.
func Provision(ctx context.Context, client kubernetes.Interface, folder string) error {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typed.EventSinkImpl{Interface: client.CoreV1().Events("")})
	w := &worker{
		client: client,
		folder: folder,
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[key](100*time.Millisecond, 30*time.Second)),
		events: broadcaster.NewRecorder(scheme.Scheme, core.EventSource{Component: provisioner}),
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	claims := factory.Core().V1().PersistentVolumeClaims().Informer()
	volumes := factory.Core().V1().PersistentVolumes().Informer()
	_, err1 := claims.AddEventHandler(changes(w.seeClaim))
	_, err2 := volumes.AddEventHandler(changes(w.seeVolume))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	go func() { <-ctx.Done(); w.queue.ShutDown() }()
	for w.next(ctx) {
	}
	return nil
}

func changes(see func(any)) cache.ResourceEventHandlerFuncs {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    see,
		UpdateFunc: func(_, object any) { see(object) },
	}
}

func (w *worker) seeClaim(object any) {
	if claim, ok := object.(*core.PersistentVolumeClaim); ok && needsVolume(claim) {
		w.queue.Add(key{namespace: claim.Namespace, claim: claim.Name})
	}
}

func (w *worker) seeVolume(object any) {
	if volume, ok := object.(*core.PersistentVolume); ok && isLeft(volume) {
		w.queue.Add(key{volume: volume.Name})
	}
}

// needsVolume: ours, unbound, and asked for by now.
func needsVolume(claim *core.PersistentVolumeClaim) bool {
	return claim.Annotations[wanted] == provisioner && claim.Spec.VolumeName == "" &&
		claim.DeletionTimestamp == nil && claim.Status.Phase != core.ClaimBound
}

// isLeft: made here, its claim is gone, and it is to go with it.
func isLeft(volume *core.PersistentVolume) bool {
	return volume.Annotations[provisioned] == provisioner && volume.Status.Phase == core.VolumeReleased &&
		volume.Spec.PersistentVolumeReclaimPolicy == core.PersistentVolumeReclaimDelete &&
		volume.DeletionTimestamp == nil
}

func (w *worker) next(ctx context.Context) bool {
	item, shutdown := w.queue.Get()
	if shutdown {
		return false
	}
	defer w.queue.Done(item)
	work := w.provision
	if item.volume != "" {
		work = w.remove
	}
	if err := work(ctx, item); err != nil {
		fmt.Fprintln(os.Stderr, "volumes:", err)
		w.queue.AddRateLimited(item)
	} else {
		w.queue.Forget(item)
	}
	return true
}

func (w *worker) provision(ctx context.Context, item key) error {
	claim, err := w.client.CoreV1().PersistentVolumeClaims(item.namespace).Get(ctx, item.claim, meta.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && !needsVolume(claim) {
		return nil
	} else if err != nil {
		return err
	}
	class, err := w.client.StorageV1().StorageClasses().Get(ctx, *claim.Spec.StorageClassName, meta.GetOptions{})
	if err != nil {
		return err
	}
	node := claim.Annotations[selectedNode]
	waits := class.VolumeBindingMode != nil && *class.VolumeBindingMode == storage.VolumeBindingWaitForFirstConsumer
	if waits && node == "" {
		return nil // the scheduler has not chosen yet, and will change the claim when it has
	}
	if claim.Spec.VolumeMode != nil && *claim.Spec.VolumeMode == core.PersistentVolumeBlock {
		w.events.Event(claim, core.EventTypeWarning, "ProvisioningFailed", "a folder cannot be a block device: use volumeMode Filesystem")
		return nil
	}
	name := "pvc-" + string(claim.UID)
	path := filepath.Join(w.folder, fmt.Sprintf("%s_%s_%s", claim.Namespace, claim.Name, name))
	if err := makeFolder(path); err != nil {
		w.events.Event(claim, core.EventTypeWarning, "ProvisioningFailed", err.Error())
		return err
	}
	_, err = w.client.CoreV1().PersistentVolumes().Create(ctx, volume(name, path, node, claim, class), meta.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	w.events.Eventf(claim, core.EventTypeNormal, "ProvisioningSucceeded", "made volume %s", name)
	return nil
}

// Any user may write: which one a pod runs as is not known here.
func makeFolder(path string) error {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	return os.Chmod(path, 0o777) // whatever the umask is
}

func (w *worker) remove(ctx context.Context, item key) error {
	volume, err := w.client.CoreV1().PersistentVolumes().Get(ctx, item.volume, meta.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && (!isLeft(volume) || volume.Spec.Local == nil) {
		return nil
	} else if err != nil {
		return err
	}
	path := volume.Spec.Local.Path
	if filepath.Dir(path) != w.folder {
		return fmt.Errorf("volume %s is at %s, which is not in %s: left alone", volume.Name, path, w.folder)
	}
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	err = w.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, meta.DeleteOptions{
		Preconditions: meta.NewUIDPreconditions(string(volume.UID)),
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
