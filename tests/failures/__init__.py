"""Broken environments on the real node, and what the first screen must say about each of them."""
