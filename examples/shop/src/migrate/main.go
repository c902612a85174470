// Command migrate brings the database's tables up to date: each file of steps/ once, in the
// order of their names, each in a transaction with the note that it was done. Run again, it
// does nothing; run twice at once, one waits for the other.
package main

import (
	"context"
	"embed"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"shop/parts"
)

//go:embed steps/*.sql
var files embed.FS

// lock is any number that nothing else in this database locks.
const lock = 7_466_001

func main() {
	ctx, stop := parts.UntilTold()
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	connection, err := connect(ctx)
	parts.Must(err)
	defer connection.Close(context.Background())
	parts.Must(migrate(ctx, connection))
}

// connect tries until ctx ends: a database that is ready may still be new to cluster DNS.
func connect(ctx context.Context) (*pgx.Conn, error) {
	for {
		connection, err := pgx.Connect(ctx, "connect_timeout=3")
		if err == nil {
			return connection, nil
		}
		slog.Info("waiting for the database", "why", err)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, fmt.Errorf("no database: %w", err)
		}
	}
}

func migrate(ctx context.Context, connection *pgx.Conn) error {
	if _, err := connection.Exec(ctx, "SELECT pg_advisory_lock($1)", lock); err != nil {
		return err
	}
	if _, err := connection.Exec(ctx, "CREATE TABLE IF NOT EXISTS migrations (step text PRIMARY KEY, done timestamptz NOT NULL DEFAULT now())"); err != nil {
		return err
	}
	steps, err := files.ReadDir("steps")
	if err != nil {
		return err
	}
	for _, step := range steps {
		if err := apply(ctx, connection, step.Name()); err != nil {
			return fmt.Errorf("%s: %w", step.Name(), err)
		}
	}
	return nil
}

func apply(ctx context.Context, connection *pgx.Conn, name string) error {
	sql, err := files.ReadFile("steps/" + name)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, connection, func(tx pgx.Tx) error {
		noted, err := tx.Exec(ctx, "INSERT INTO migrations (step) VALUES ($1) ON CONFLICT DO NOTHING", name)
		if err != nil {
			return err
		}
		if noted.RowsAffected() == 0 {
			slog.Info("was done before", "step", name)
			return nil
		}
		slog.Info("done", "step", name)
		_, err = tx.Exec(ctx, string(sql))
		return err
	})
}
