"""Verbs whose options are read without pydantic, which takes longer to import than most verbs do.

typer gives the value of each option, said or not, to an adapter of pydantic's that it builds for
it. Of the options here most are not said, and most that are said are texts or paths, which are what
they are. All others, and all that is wrong, are typer's.
"""

from __future__ import annotations

from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Callable

_NO = object()


class Verb(TyperCommand):
    """A command that asks typer only for what needs converting."""

    def get_params(self, ctx: Any) -> list[Any]:
        """typer's, with a ``process_value`` of ours in front of its own."""
        return _lightened(super().get_params(ctx))


class Verbs(TyperGroup):
    """The same for a group of them, whose own options are there for each."""

    def get_params(self, ctx: Any) -> list[Any]:
        """As ``Verb`` does."""
        return _lightened(super().get_params(ctx))


def _lightened(params: list[Any]) -> list[Any]:
    for param in params:
        if not param.required and not isinstance(param.process_value, partial):
            param.process_value = partial(_process, param, param.process_value)
    return params


def _process(param: Any, typers: Callable[[Any, Any], Any], ctx: Any, value: Any) -> Any:
    annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
    found = plain(annotation, value, many=param.multiple or param.nargs == -1)
    if found is _NO:
        return typers(ctx, value)
    return param.callback(ctx, param, found) if param.callback else found


def plain(annotation: Any, value: Any, *, many: bool = False) -> Any:
    """The value as typer would give it, where that is plain to see; else a mark that it is not."""
    if value is None:
        return () if many else None
    if annotation is str or annotation is bool:
        return value if type(value) is annotation else _NO
    if annotation is Path:
        return Path(value) if isinstance(value, str | Path) else _NO
    if annotation == list[str]:
        return list(value) if all(type(one) is str for one in value) else _NO
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next((one for one in annotation if value in (one, one.value)), _NO)
    return _NO
