"""Kubernetes quantities (``250m``, ``8Gi``) as numbers, to compare what is used with what may be.

The format is k8s.io/apimachinery's resource.Quantity.
"""

from __future__ import annotations

import re
from decimal import Decimal

_FORM = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkMGTPE]|[KMGTPE]i)?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def parse(text: str) -> Decimal | None:
    """The number, or None for what is no quantity."""
    match = _FORM.fullmatch(text.strip())
    if not match:
        return None
    try:
        number = Decimal(match[1])
    except ArithmeticError:
        return None
    suffix = match[2] or ""
    if suffix in _BINARY:
        return number * Decimal(1024) ** _BINARY[suffix]
    return number.scaleb(_DECIMAL[suffix])


def share(used: str, hard: str) -> float | None:
    """Which part of ``hard`` is used: 0.0 to 1.0 and above, None where it cannot be said."""
    part, whole = parse(used), parse(hard)
    if part is None or whole is None:
        return None
    if not whole:
        return 1.0
    return float(part / whole)
