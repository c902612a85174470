CREATE TABLE products (
    sku   text PRIMARY KEY,
    name  text NOT NULL,
    cents integer NOT NULL CHECK (cents > 0),
    stock integer NOT NULL CHECK (stock >= 0)
);
INSERT INTO products (sku, name, cents, stock) VALUES
    ('cup',    'Cup',    900,  240),
    ('kettle', 'Kettle', 6400, 60),
    ('teapot', 'Teapot', 3800, 120);
