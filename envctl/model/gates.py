"""Gates: what a check's numbers have to be, as comparisons that can do nothing else.

``accuracy >= 0.92``, ``p95_ms <= baseline * 1.10``, ``loss < control.loss``. The words are Python's
own, read by its parser and never run: each node of what it read is one that is listed here.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

#: Characters of one gate: nobody understands a longer one, and no parser gets lost in it.
LONGEST = 200
BASELINE = "baseline"

_SYMBOLS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_COMBINE: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: Mapping[str, Callable[..., float]] = {"abs": abs, "min": min, "max": max}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}

Numbers = Mapping[str, float]


class NoGate(ValueError):
    """A text that is no gate, in words that end a sentence about it."""


class _Missing(Exception):
    """A number that the gate names and nobody measured."""

    def __init__(self, why: str, *, baseline: bool) -> None:
        super().__init__(why)
        self.why = why
        self.baseline = baseline


@dataclass(frozen=True, slots=True)
class Number:
    """A number that a gate names: of the check itself (``check`` empty), of another, or before."""

    metric: str
    check: str = ""

    def __str__(self) -> str:
        return f"{self.check}.{self.metric}" if self.check else self.metric


@dataclass(frozen=True, slots=True)
class Gate:
    """One comparison. ``metric`` is the first of the check's own that it names."""

    text: str
    metric: str
    numbers: tuple[Number, ...]
    left: ast.expr = field(compare=False)
    symbol: str = field(compare=False)
    right: ast.expr = field(compare=False)

    @property
    def checks(self) -> frozenset[str]:
        """The other checks whose numbers it needs."""
        return frozenset(n.check for n in self.numbers if n.check not in ("", BASELINE))

    @property
    def compares(self) -> bool:
        """Whether it needs the target branch's last good run."""
        return any(number.check == BASELINE for number in self.numbers)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a gate: ``result`` is ``passed``, ``failed`` or ``unknown``.

    It is unknown where there is no baseline yet to compare with, which ``why`` says. ``limit`` is
    what the metric was compared with; None where it could not be told, as ``value`` is.
    """

    gate: str
    metric: str
    result: str
    why: str
    value: float | None = None
    limit: float | None = None
    baseline: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The public JSON of a gate (docs/json.md)."""
        return asdict(self)


def parse(text: str) -> Gate:
    """Read a gate; raises NoGate, which says what is wrong with it."""
    shown = text.strip()
    if not 0 < len(shown) <= LONGEST:
        raise NoGate(f"has {len(shown)} characters; 1 to {LONGEST} are possible")
    try:
        tree = ast.parse(shown, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = getattr(error, "msg", "") or "it cannot be read"
        raise NoGate(f"is no comparison of numbers: {said}") from error
    if not isinstance(tree, ast.Compare) or len(tree.ops) != 1:
        raise NoGate("is not one comparison, such as `accuracy >= 0.92`")
    left, symbol, right = tree.left, _SYMBOLS.get(type(tree.ops[0])), tree.comparators[0]
    if symbol is None:
        raise NoGate(f"compares by something else than {', '.join(_COMPARE)}")
    found = [*_numbers(left), *_numbers(right)]
    metric = next((n.metric for n in found if not n.check), "")
    if not metric:
        raise NoGate("names no metric of its check")
    numbers = tuple(Number(n.metric or metric, n.check) for n in found)
    return Gate(shown, metric, numbers, left, symbol, right)


def judge(
    gate: Gate, here: Numbers, baseline: Numbers | None, others: Mapping[str, Numbers]
) -> Verdict:
    """Whether the numbers pass; ``baseline`` is None where the target branch has none yet."""

    def look(number: Number) -> float:
        metric = number.metric or gate.metric  # a bare `baseline`
        return _look(Number(metric, number.check), here, baseline or {}, others)

    def verdict(result: str, why: str, limit: float | None = None) -> Verdict:
        known = (baseline or {}).get(gate.metric)
        return Verdict(gate.text, gate.metric, result, why, here.get(gate.metric), limit, known)

    try:
        left, right = _value(gate.left, look), _value(gate.right, look)
    except _Missing as missing:
        return verdict("unknown" if missing.baseline else "failed", missing.why)
    except (ZeroDivisionError, OverflowError):
        return verdict("failed", "it divides by zero, or comes to more than a number can hold")
    if not (math.isfinite(left) and math.isfinite(right)):
        return verdict("failed", "it comes to no number")
    passed = _COMPARE[gate.symbol](left, right)
    value, symbol, limit, about = left, gate.symbol, right, gate.left
    if not any(not number.check for number in _numbers(gate.left)):  # 0.9 <= accuracy
        value, symbol, limit, about = right, _FLIPPED[symbol], left, gate.right
    name = gate.metric if _named(about) else "what it compares"
    must = "is" if passed else "must be"
    why = f"{name} is {shown(value)}, and {must} {symbol} {shown(limit)}"
    return verdict("passed" if passed else "failed", why, limit)


def holds(gate: Gate, numbers: Mapping[Number, float]) -> bool:
    """Whether the comparison holds for these numbers, of which none is missing."""

    def look(number: Number) -> float:
        return numbers[Number(number.metric or gate.metric, number.check)]

    try:
        left, right = _value(gate.left, look), _value(gate.right, look)
    except (ZeroDivisionError, OverflowError):
        return False
    return math.isfinite(left) and math.isfinite(right) and _COMPARE[gate.symbol](left, right)


def shown(value: float) -> str:
    """A number in as many digits as tell two results apart."""
    return f"{value:.6g}"


def _look(number: Number, here: Numbers, baseline: Numbers, others: Mapping[str, Numbers]) -> float:
    if number.check == BASELINE:
        if number.metric not in baseline:
            raise _Missing(f"there is no baseline of {number.metric} yet", baseline=True)
        return baseline[number.metric]
    numbers = others.get(number.check, {}) if number.check else here
    if number.metric not in numbers:
        who = f"the check {number.check}" if number.check else "the check"
        instead = f"; it measured {', '.join(sorted(numbers)[:10])}" if numbers else ""
        raise _Missing(f"{who} measured no {number.metric}{instead}", baseline=False)
    return numbers[number.metric]


def _numbers(node: ast.expr) -> list[Number]:
    """The numbers that a part names, in its order; raises NoGate for what is no arithmetic."""
    named = _named(node)
    if named is not None:
        return [named]
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        if not _is_finite(node.value):
            raise NoGate("has a number in it that is too large")
        return []
    return [number for part in _parts(node) for number in _numbers(part)]


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _parts(node: ast.expr) -> Sequence[ast.expr]:
    match node:
        case ast.BinOp(left, op, right) if type(op) in _COMBINE:
            return [left, right]
        case ast.UnaryOp(ast.USub() | ast.UAdd(), operand):
            return [operand]
        case ast.Call(ast.Name(name), args, []) if name in _FUNCTIONS and args:
            if (len(args) == 1) is not (name == "abs"):
                raise NoGate(f"gives {name} {len(args)} numbers")
            return args
    raise NoGate(
        f"has {ast.unparse(node)[:40]!r} in it; possible are numbers, metrics, + - * / ( ), "
        f"abs, min, max, {BASELINE}, {BASELINE}.METRIC and CHECK.METRIC"
    )


def _named(node: ast.expr) -> Number | None:
    match node:
        case ast.Name(name):
            return Number("", BASELINE) if name == BASELINE else Number(name)
        case ast.Attribute(ast.Name(check), metric):
            return Number(metric, check)
        case ast.Call(ast.Name("metric"), [ast.Constant(str() as metric)], []):
            return Number(metric)
        case ast.Call(
            ast.Name("metric"), [ast.Constant(str() as check), ast.Constant(str() as metric)], []
        ):
            return Number(metric, check)
    return None


def _value(node: ast.expr, look: Callable[[Number], float]) -> float:
    """What a part comes to; only for what ``parse`` has let pass."""
    named = _named(node)
    if named is not None:
        return look(named)
    match node:
        case ast.Constant(value):
            return float(value)  # type: ignore[arg-type]
        case ast.BinOp(left, op, right):
            return _COMBINE[type(op)](_value(left, look), _value(right, look))
        case ast.UnaryOp(ast.USub(), operand):
            return -_value(operand, look)
        case ast.UnaryOp(_, operand):
            return _value(operand, look)
        case ast.Call(ast.Name(name), args, _):
            return _FUNCTIONS[name](*(_value(part, look) for part in args))
    raise AssertionError(ast.dump(node))
