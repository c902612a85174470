// Command worker packs orders: it takes their numbers from the queue, takes the goods off the
// stock and marks the order, all in one transaction. The table is what counts, the queue only
// says where to look: a number that got lost (the queue restarted, a worker was killed) is
// found again in the table.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"shop/parts"
)

// idle is how long the queue may be empty before the worker looks into the table instead. It is
// also how long the worker may take to notice that it is to stop.
const idle = 2 * time.Second

type worker struct {
	database *pgxpool.Pool
	queue    *redis.Client
	packing  time.Duration
}

func main() {
	ctx, stop := parts.UntilTold()
	defer stop()
	packing, err := time.ParseDuration(os.Getenv("PACKING_TIME"))
	parts.Must(err)
	database, err := parts.Database(ctx)
	parts.Must(err)
	w := worker{database, parts.Queue(), packing}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.run(ctx)
	}()
	probe := parts.Probe(func(ctx context.Context) error { return parts.Ready(ctx, w.database, w.queue) })
	routes := http.NewServeMux()
	routes.Handle("GET /readyz", probe)
	parts.Must(parts.Serve(ctx, routes))
	<-done
}

func (w worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		id, err := w.next(ctx)
		if err == nil && id > 0 {
			err = w.pack(context.WithoutCancel(ctx), id) // an order begun is finished
		}
		if err != nil && ctx.Err() == nil {
			slog.Error("not packed", "order", id, "why", err)
			select { // the database or the queue is away: do not ask in a tight loop
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
	}
}

// next gives the number of an order to pack, or 0 if there is none.
func (w worker) next(ctx context.Context) (int64, error) {
	taken, err := w.queue.BLPop(ctx, idle, parts.Waiting).Result()
	if errors.Is(err, redis.Nil) {
		return 0, w.queueAgain(ctx)
	}
	if err != nil {
		return 0, fmt.Errorf("queue: %w", err)
	}
	return strconv.ParseInt(taken[1], 10, 64) // [0] is the list's name
}

// queueAgain puts the numbers of all orders that wait in the table back into the queue.
func (w worker) queueAgain(ctx context.Context) error {
	rows, _ := w.database.Query(ctx, "SELECT id FROM orders WHERE state = $1 ORDER BY id", parts.Placed)
	waiting, err := pgx.CollectRows(rows, pgx.RowTo[any])
	if err != nil || len(waiting) == 0 {
		return err
	}
	slog.Info("queued again", "orders", waiting)
	return w.queue.RPush(ctx, parts.Waiting, waiting...).Err()
}

// pack does nothing if the order is packed already or another worker is at it, so that a
// number that comes twice does no harm.
func (w worker) pack(ctx context.Context, id int64) error {
	return pgx.BeginFunc(ctx, w.database, func(tx pgx.Tx) error {
		var sku string
		err := tx.QueryRow(ctx, "SELECT sku FROM orders WHERE id = $1 AND state = $2 FOR UPDATE SKIP LOCKED",
			id, parts.Placed).Scan(&sku)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		time.Sleep(w.packing) // wrapping paper takes its time
		sold, err := tx.Exec(ctx, "UPDATE products SET stock = stock - 1 WHERE sku = $1 AND stock > 0", sku)
		if err != nil {
			return err
		}
		state := parts.Packed
		if sold.RowsAffected() == 0 {
			state = parts.SoldOut
		}
		_, err = tx.Exec(ctx, "UPDATE orders SET state = $2, worker = $3, packed_at = clock_timestamp() WHERE id = $1",
			id, state, parts.PodName())
		slog.Info(state, "order", id, "sku", sku)
		return err
	})
}
