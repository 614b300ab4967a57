"""What is asked of a simulation's arrays, such as `max(V)`, and conditions, such as `max(V) > 0.4 and step > 100`.

Pure. A condition comes from a notebook and is evaluated in the simulation at every step: so it is read as Python is
read, and nothing but numbers, comparisons, arithmetic and these measures gets through.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable, Union

MEASURES = ("min", "max", "mean", "sum", "std")
# Of one condition: as long as somebody would write, and no deeper than Python's own stack takes.
MAX_LENGTH = 500
MAX_DEPTH = 40
Number = Union[int, float]

_COMPARISONS: dict[type[ast.cmpop], Callable[[Number, Number], bool]] = {
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b if b else math.nan,
}
HOW = "A condition is such as 'max(V) > 0.4', 'step >= 100 and mean(T) < 300', 'abs(min(U)) > 1'."


class NoCondition(ValueError):
    """It cannot be read; the sentence says why and what can."""


@dataclass(frozen=True, order=True)
class Quantity:
    """One number of an array: over all ranks, points or cells."""

    measure: str
    array: str

    def __str__(self) -> str:
        # Such as can be read again: an array may be called "velocity magnitude".
        return f"{self.measure}({self.array if self.array.isidentifier() else repr(self.array)})"


def quantity(text: str) -> Quantity:
    """`max(V)`. Raises NoCondition."""
    tree = _parsed(text)
    found = _quantity(tree)
    if found is None:
        raise NoCondition(f"{text!r} is no quantity: one is such as 'max(V)'. There is {', '.join(MEASURES)}.")
    return found


class Condition:
    """Read once, asked at every step."""

    def __init__(self, text: str) -> None:
        """Raises NoCondition."""
        self.text = text
        self._tree = _parsed(text)
        needs: set[Quantity] = set()
        names: set[str] = set()
        if not _is_truth(self._tree, needs, names):
            raise NoCondition(f"{text!r} is neither true nor false. {HOW}")
        self.needs = frozenset(needs)
        # Of parameters, or `step` and `time`.
        self.names = frozenset(names)

    def holds(self, values: Mapping[str, Number]) -> bool:
        """`values`: by `str(quantity)` and by name. One that is not there, or is no number, makes all of it false."""
        wanted = (*map(str, self.needs), *self.names)
        if any(math.isnan(values.get(name, math.nan)) for name in wanted):
            return False
        return bool(_value(self._tree, values))


def _parsed(text: str) -> ast.expr:
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        raise NoCondition(f"That is no condition. {HOW}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NoCondition(f"{text!r} cannot be read. {HOW}") from None
    _look_through(tree, text)
    return tree


def _look_through(tree: ast.expr, text: str) -> None:
    """No deeper than a simulation's own stack has room for, and with numbers that a double has. Raises NoCondition."""
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        for node in level:
            if isinstance(node, ast.Constant) and type(node.value) is int:
                try:
                    node.value = float(node.value) if abs(node.value) > 1 << 53 else node.value
                except OverflowError:
                    raise NoCondition(f"{text!r} has a number that is none. {HOW}") from None
    if level:
        raise NoCondition(f"{text!r} is too deeply nested. {HOW}")


def _quantity(node: ast.expr) -> Quantity | None:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in MEASURES:
        return None
    if len(node.args) != 1 or node.keywords:
        return None
    of = node.args[0]
    if isinstance(of, ast.Name):
        return Quantity(node.func.id, of.id)
    if isinstance(of, ast.Constant) and isinstance(of.value, str):
        # Arrays have names such as "velocity magnitude", too.
        return Quantity(node.func.id, of.value)
    return None


def _is_truth(node: ast.expr, needs: set[Quantity], names: set[str]) -> bool:
    """Whether it is true or false, gathering what it needs. Raises NoCondition for what is not allowed in one."""
    if isinstance(node, ast.BoolOp):
        return all(_truth(value, needs, names) for value in node.values)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _truth(node.operand, needs, names)
    if isinstance(node, ast.Compare):
        for each in (node.left, *node.comparators):
            _number(each, needs, names)
        unknown = [op for op in node.ops if type(op) not in _COMPARISONS]
        if unknown:
            raise NoCondition(f"{type(unknown[0]).__name__} compares no numbers. {HOW}")
        return True
    _number(node, needs, names)
    return False


def _truth(node: ast.expr, needs: set[Quantity], names: set[str]) -> bool:
    if not _is_truth(node, needs, names):
        raise NoCondition(f"{ast.unparse(node)!r} is neither true nor false. {HOW}")
    return True


def _number(node: ast.expr, needs: set[Quantity], names: set[str]) -> None:
    found = _quantity(node)
    if found is not None:
        needs.add(found)
    elif isinstance(node, ast.Name):
        names.add(node.id)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        _number(node.operand, needs, names)
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        _number(node.left, needs, names)
        _number(node.right, needs, names)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "abs" and not node.keywords:
        if len(node.args) != 1:
            raise NoCondition(f"abs() takes one number. {HOW}")
        _number(node.args[0], needs, names)
    elif not (isinstance(node, ast.Constant) and type(node.value) in (int, float)):
        raise NoCondition(f"{ast.unparse(node)!r} has no place in a condition. {HOW}")


def _value(node: ast.expr, values: Mapping[str, Number]) -> Number:
    if isinstance(node, ast.BoolOp):
        answers = (_value(value, values) for value in node.values)
        return all(answers) if isinstance(node.op, ast.And) else any(answers)
    if isinstance(node, ast.Compare):
        numbers = [_value(each, values) for each in (node.left, *node.comparators)]
        pairs = zip(node.ops, numbers, numbers[1:])
        # NaN is different from everything: that must not let `!=` hold where an array is missing.
        return all(not (math.isnan(a) or math.isnan(b)) and _COMPARISONS[type(op)](a, b) for op, a, b in pairs)
    if isinstance(node, ast.UnaryOp):
        number = _value(node.operand, values)
        if isinstance(node.op, ast.Not):
            return not number
        return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.BinOp):
        return _ARITHMETIC[type(node.op)](_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.Constant):
        assert isinstance(node.value, (int, float))
        return node.value
    found = _quantity(node)
    if found is not None:
        return values.get(str(found), math.nan)
    if isinstance(node, ast.Call):
        return abs(_value(node.args[0], values))
    assert isinstance(node, ast.Name)
    return values.get(node.id, math.nan)
