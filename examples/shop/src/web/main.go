// Command web is the shop's front: it serves the page and passes /api/ on to the API.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"

	"shop/parts"
)

//go:embed index.html
var page []byte

func main() {
	ctx, stop := parts.UntilTold()
	defer stop()
	api, err := url.Parse(os.Getenv("API_URL"))
	parts.Must(err)
	routes := http.NewServeMux()
	routes.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'self' 'unsafe-inline'")
		_, _ = w.Write(page) // the browser went away: nobody is left to be told
	})
	routes.Handle("/api/", passOn(api))
	routes.Handle("GET /readyz", parts.Probe(func(ctx context.Context) error { return ask(ctx, api) }))
	parts.Must(parts.Serve(ctx, routes))
}

// passOn gives the API the name of this pod, so that the order's way can be shown.
func passOn(api *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(api)
			r.Out.Header.Set("X-Shop-Web", parts.PodName())
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			slog.Error("api did not answer", "why", err)
			http.Error(w, "the API did not answer", http.StatusBadGateway)
		},
	}
}

func ask(ctx context.Context, api *url.URL) error {
	ctx, stop := context.WithTimeout(ctx, 3*time.Second)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, api.JoinPath("readyz").String(), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the API answers %s", response.Status)
	}
	return nil
}
