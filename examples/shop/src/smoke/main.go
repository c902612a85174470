// Command smoke is the shop's check: it orders a cup through the front, as a customer would,
// and waits until the worker has packed it. It fails with a sentence that says how far it got.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"shop/parts"
)

func main() {
	ctx, stop := parts.UntilTold()
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 45*time.Second)
	defer cancel()
	parts.Must(buy(ctx, os.Getenv("SHOP_URL")))
}

// A Service takes a moment to reach pods that have only just become ready.
func open(ctx context.Context, shop string) error {
	var answer any
	for {
		err := call(ctx, http.MethodGet, shop+"/api/shop", "", http.StatusOK, &answer)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("the shop does not answer: %w", err)
		}
	}
}

func buy(ctx context.Context, shop string) error {
	if err := open(ctx, shop); err != nil {
		return err
	}
	var order parts.Order
	if err := call(ctx, http.MethodPost, shop+"/api/orders", `{"sku": "cup"}`, http.StatusCreated, &order); err != nil {
		return fmt.Errorf("could not place an order: %w", err)
	}
	slog.Info("order placed", "order", order.ID, "web", order.Web, "api", order.API)
	for order.State == parts.Placed {
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("order %d was placed but never packed: is the worker running?", order.ID)
		}
		if err := call(ctx, http.MethodGet, fmt.Sprintf("%s/api/orders/%d", shop, order.ID), "", http.StatusOK, &order); err != nil {
			return fmt.Errorf("could not read order %d back: %w", order.ID, err)
		}
	}
	if order.State != parts.Packed || order.Worker == nil || order.PackedAt == nil {
		return fmt.Errorf("order %d ended as %q", order.ID, order.State)
	}
	after := order.PackedAt.Sub(order.PlacedAt)
	slog.Info("order packed", "order", order.ID, "worker", *order.Worker, "after", after)
	// What a check measures goes into its termination message, for envctl to show and to compare.
	numbers := fmt.Sprintf("packed_after_seconds=%.3f\n", after.Seconds())
	if err := os.WriteFile("/dev/termination-log", []byte(numbers), 0o600); err != nil {
		return fmt.Errorf("could not leave the numbers behind: %w", err)
	}
	return nil
}

func call(ctx context.Context, method, url, body string, want int, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewBufferString(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != want {
		return fmt.Errorf("%s %s answers %s", method, url, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
