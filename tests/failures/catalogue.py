"""All cases: every ``CASES`` of a module in ``tests/failures/cases``."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from tests.failures import cases

if TYPE_CHECKING:
    from tests.failures.case import Case


def catalogue() -> tuple[Case, ...]:
    """Every case, by module and name; raises ValueError where two have one name."""
    modules = [
        importlib.import_module(f"{cases.__name__}.{found.name}")
        for found in pkgutil.iter_modules(cases.__path__)
    ]
    found: tuple[Case, ...] = tuple(case for module in modules for case in module.CASES)
    names = [case.name for case in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"cases of one name: {', '.join(sorted(twice))}")
    return found
