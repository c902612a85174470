CREATE TABLE orders (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku       text NOT NULL REFERENCES products,
    state     text NOT NULL DEFAULT 'placed' CHECK (state IN ('placed', 'packed', 'sold out')),
    web       text NOT NULL,
    api       text NOT NULL,
    worker    text,
    placed_at timestamptz NOT NULL DEFAULT now(),
    packed_at timestamptz
);
CREATE INDEX orders_waiting ON orders (id) WHERE state = 'placed';
