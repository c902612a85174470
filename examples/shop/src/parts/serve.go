package parts

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func init() {
	log.SetFlags(0) // the kubelet notes when a line was written
}

// UntilTold gives a context that ends when the kubelet asks the pod to stop.
func UntilTold() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
}

// PodName is the name of this pod: Kubernetes makes it the host name.
func PodName() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

// Probe answers a readiness probe: 200, or 503 with the reason, which also goes to the log.
func Probe(check func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := check(r.Context()); err != nil {
			slog.Warn("not ready", "why", err)
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}
}

// Serve answers on port 8080 until ctx ends, then lets the requests under way finish.
func Serve(ctx context.Context, handler http.Handler) error {
	server := &http.Server{Addr: ":8080", Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	}()
	slog.Info("listening", "address", server.Addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// Must ends the program with a line in the log when err is not nil.
func Must(err error) {
	if err != nil {
		slog.Error("stopped", "why", err)
		os.Exit(1)
	}
}
