package parts

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

// Waiting is the name of the queue's list of order numbers.
const Waiting = "orders"

// Database opens a pool on the database that PGHOST, PGUSER, PGPASSWORD and PGDATABASE name.
// Nothing is connected yet: an absent database shows in the first query, or in readiness.
func Database(ctx context.Context) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig("connect_timeout=3 pool_max_conns=4")
	if err != nil {
		return nil, fmt.Errorf("the PG... variables do not name a database: %w", err)
	}
	return pgxpool.NewWithConfig(ctx, config)
}

// Queue gives a client of the Redis server at QUEUE_ADDRESS.
func Queue() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: os.Getenv("QUEUE_ADDRESS"), DialTimeout: 3 * time.Second})
}

// Ready reports whether both the database and the queue answer.
func Ready(ctx context.Context, database *pgxpool.Pool, queue *redis.Client) error {
	ctx, stop := context.WithTimeout(ctx, 2*time.Second)
	defer stop()
	if err := database.Ping(ctx); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if err := queue.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	return nil
}
