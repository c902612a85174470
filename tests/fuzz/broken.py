"""Inputs that once made a target raise something else than an error for people, and what it was."""

from __future__ import annotations

BROKEN: list[tuple[str, bytes]] = [
    # A branch name with bytes that are no UTF-8: no slug could be made of it (UnicodeEncodeError).
    ("names", bytes([3, 1, 0xFF]) + "ﬁx".encode()),
    ("CI variables", bytes.fromhex("27d4d7813a182939288fc95e23eab5ad169cfc55")),
    # The kubelet's own stamp, and a word that only looks like one (ValueError).
    ("log lines", b"\x00\x002024-99-99T1 a"),
    ("log lines", b"\x00\x002024-99-99T09:09:09+25:00 a"),
    # A Service of a repository whose spec is a number (AttributeError).
    (
        "repository",
        bytes.fromhex(
            "8a8b8c8d8e90938f95020024013c3d3e3f4041424344454647481c1c1c1c1c1c1c1c1c1c1c000022"
            "1c1e1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c251c1c0202020202020202022a02020302fb0202"
            "0202b333b4b507000000babbbcbdbe0302fb020202c3c6c7"
        ),
    ),
]
