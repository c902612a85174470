// Package parts holds what more than one of the shop's programs needs.
package parts

import "time"

// States of an order. Only the worker moves an order on from Placed.
const (
	Placed  = "placed"
	Packed  = "packed"
	SoldOut = "sold out"
)

// Product is one line of the products table, stock as it is now.
type Product struct {
	SKU   string `json:"sku"`
	Name  string `json:"name"`
	Cents int    `json:"cents"`
	Stock int    `json:"stock"`
}

// Order is one line of the orders table. Web, API and Worker are the names of the pods that
// carried it, so that its way through the parts can be seen; Worker and PackedAt are nil
// until the worker has been at it.
type Order struct {
	ID       int64      `json:"id"`
	SKU      string     `json:"sku"`
	State    string     `json:"state"`
	Web      string     `json:"web"`
	API      string     `json:"api"`
	Worker   *string    `json:"worker"`
	PlacedAt time.Time  `json:"placedAt"`
	PackedAt *time.Time `json:"packedAt"`
}
