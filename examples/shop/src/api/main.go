// Command api keeps the shop's books: it writes orders into the database and their numbers
// into the queue, and reads both tables back for the page.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"shop/parts"
)

const columns = "id, sku, state, web, api, worker, placed_at, packed_at"

type shop struct {
	database *pgxpool.Pool
	queue    *redis.Client
}

func main() {
	ctx, stop := parts.UntilTold()
	defer stop()
	database, err := parts.Database(ctx)
	parts.Must(err)
	s := shop{database, parts.Queue()}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /api/shop", s.show)
	routes.HandleFunc("POST /api/orders", s.place)
	routes.HandleFunc("GET /api/orders/{id}", s.one)
	routes.Handle("GET /readyz", parts.Probe(func(ctx context.Context) error {
		return parts.Ready(ctx, s.database, s.queue)
	}))
	parts.Must(parts.Serve(ctx, routes))
}

// show gives the page all it needs in one answer.
func (s shop) show(w http.ResponseWriter, r *http.Request) {
	rows, _ := s.database.Query(r.Context(), "SELECT sku, name, cents, stock FROM products ORDER BY sku")
	products, err := pgx.CollectRows(rows, pgx.RowToStructByPos[parts.Product])
	if err != nil {
		fail(w, err)
		return
	}
	rows, _ = s.database.Query(r.Context(), "SELECT "+columns+" FROM orders ORDER BY id DESC LIMIT 8")
	orders, err := pgx.CollectRows(rows, pgx.RowToStructByPos[parts.Order])
	if err != nil {
		fail(w, err)
		return
	}
	var server string
	if err := s.database.QueryRow(r.Context(), "SHOW server_version").Scan(&server); err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"products": products, "orders": orders, "database": server})
}

// place writes the order first and queues its number second: should the queue be away, the
// worker still finds the order in the table.
func (s shop) place(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		SKU string `json:"sku"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&asked); err != nil {
		http.Error(w, `expected {"sku": "..."}`, http.StatusBadRequest)
		return
	}
	rows, _ := s.database.Query(r.Context(),
		"INSERT INTO orders (sku, web, api) SELECT sku, $2, $3 FROM products WHERE sku = $1 RETURNING "+columns,
		asked.SKU, r.Header.Get("X-Shop-Web"), parts.PodName())
	order, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[parts.Order])
	if err != nil {
		fail(w, err)
		return
	}
	if err := s.queue.RPush(r.Context(), parts.Waiting, order.ID).Err(); err != nil {
		slog.Warn("order not queued, the worker will look for it", "order", order.ID, "why", err)
	}
	slog.Info("placed", "order", order.ID, "sku", order.SKU)
	answer(w, http.StatusCreated, order)
}

func (s shop) one(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		http.Error(w, "an order's number is a number", http.StatusBadRequest)
		return
	}
	rows, _ := s.database.Query(r.Context(), "SELECT "+columns+" FROM orders WHERE id = $1", id)
	order, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[parts.Order])
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, order)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		slog.Warn("answer not sent", "why", err)
	}
}

// fail says no more to the caller than that the shop is at fault; the reason is in the log.
func fail(w http.ResponseWriter, err error) {
	if errors.Is(err, pgx.ErrNoRows) {
		http.Error(w, "there is no such thing", http.StatusNotFound)
		return
	}
	slog.Error("request failed", "why", err)
	http.Error(w, "the database did not answer", http.StatusInternalServerError)
}
