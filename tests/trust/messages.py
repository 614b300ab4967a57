"""Messages made from the protocol's own structs: valid ones, nearly valid ones, and what no viewer would send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from pvlink.protocol import METHODS

T = TypeVar("T")
# An input costs a sender as many of its events a second as it holds: few messages hold many.
FEW = 3
# Half of the world's tools would run one of these.
CODE = (
    "__import__('pathlib').Path({canary!r}).touch()",
    "import pathlib\npathlib.Path({canary!r}).touch()",
    "$(touch {canary})",
    "`touch {canary}`; touch {canary}",
    '"; open({canary!r}, "w"); "',
    "{{''.__class__.__mro__}}",
)
# What wslink, ParaViewWeb, trame and rpyc answer to, and what they do not.
METHODS_ELSEWHERE = (
    "application.exit",
    "application.exit.later",
    "wslink.hello",
    "unsubscribe",
    "pv.proxy.manager.create",
    "pv.python.script",
    "viewport.image.render",
    "viewport.mouse.interaction",
    "trame.trigger",
    "trame.state.update",
    "pvlink.",
    "pvlink.share",
    "pvlink.people",
    "pvlink.stop",
    "pvlink.frame",
    "__class__",
    "on_call",
    "",
)
# Neither right nor plainly wrong.
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 8193, 1 << 40, float("nan"), float("inf"), -float("inf"), 1e308),
    *("", "\x00", "\u202e", "\ud7ff", "\U0001f9ff" * 8, "x" * 65, "owner", "1"),
    *([], {}, [[]], [None], {"": None}),
)


@dataclass(frozen=True)
class Message:
    method: str
    arguments: Any
    # The name of the call; wslink's own begin with "system:".
    name: str = "rpc:c0:g"

    @property
    def wire(self) -> dict[str, Any]:
        return {"wslink": "1.0", "id": self.name, "method": self.method, "args": self.arguments, "kwargs": {}}


def generated(strategy: st.SearchStrategy[list[T]], count: int) -> list[T]:
    """So many of what a strategy gives in batches, the same in each run."""
    made: list[T] = []

    @settings(
        max_examples=10 * count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(batch: list[T]) -> None:
        made.extend(batch)
        if len(made) >= count:
            raise Enough

    try:
        collect()
    except Enough:
        return made[:count]
    raise AssertionError(f"only {len(made)} messages could be made")


class Enough(Exception):
    """As many as were asked for."""


# -- what the structs say --------------------------------------------------------------------------


def of_type(kind: inspect.Type, canary: str = "") -> st.SearchStrategy[Any]:
    """Values that are right for a field of this type."""
    match kind:
        case inspect.StructType(fields=fields):
            needed = {field.encode_name: of_type(field.type, canary) for field in fields if field.required}
            others = {field.encode_name: of_type(field.type, canary) for field in fields if not field.required}
            return st.fixed_dictionaries(needed, optional=others)
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.UnionType(types=types):
            return st.one_of(*(of_type(each, canary) for each in types))
        case inspect.IntType(ge=least, le=most):
            # What msgpack can carry.
            return st.integers(-(1 << 63) if least is None else least, (1 << 63) - 1 if most is None else most)
        case inspect.FloatType(ge=least, le=most):
            return st.floats(least, most, allow_nan=False, allow_infinity=False)
        case inspect.StrType(max_length=most):
            texts = [
                "",
                "1",
                "x" * (most or 64),
                "\u00e9\u4e16\U0001f9ff",
                "\x00",
                *(text.format(canary=canary) for text in CODE),
            ]
            return st.sampled_from([text[: most or None] for text in texts])
        case inspect.ListType(item_type=item):
            return st.lists(of_type(item, canary), min_size=1, max_size=FEW)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
    raise TypeError(f"no values for {kind}")


@cache
def anything(canary: str = "") -> st.SearchStrategy[Any]:
    """What msgpack can carry; one of a hundred and more, for making each anew takes hypothesis a minute."""
    plain = st.one_of(st.integers(-(1 << 63), (1 << 64) - 1), st.floats(), st.text(max_size=12), st.binary(max_size=12))
    nested = st.recursive(
        plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner)
    )
    made = generated(nested.map(lambda one: [one]), 100)
    return st.sampled_from([*ODD, *(text.format(canary=canary) for text in CODE), *made])


@st.composite
def _nearly(draw: Callable[..., Any], right: st.SearchStrategy[Any], canary: str) -> Any:
    """A right one with one thing wrong."""
    value = draw(right)
    if not value:
        return draw(anything(canary))
    field = draw(st.sampled_from(sorted(value)))
    match draw(st.sampled_from(["replace", "drop", "add", "list"])):
        case "replace":
            return {**value, field: draw(anything(canary))}
        case "drop":
            return {key: each for key, each in value.items() if key != field}
        case "add":
            return {
                **value,
                draw(st.sampled_from(["__class__", "role", "client", "pvlink", ""])): draw(anything(canary)),
            }
        case _:
            return [value]


def valid(canary: str = "", **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Message]:
    """A message as the protocol has it; `fixed` gives a method's own arguments, by the last part of its name."""
    kinds = []
    for method, (request, _) in METHODS.items():
        argument = fixed.get(method.partition(".")[2], of_type(inspect.type_info(request), canary))
        kinds.append(st.builds(Message, st.just(method), argument.map(lambda one: [one])))
    return st.one_of(*kinds)


def nearly_valid(canary: str = "") -> st.SearchStrategy[Message]:
    kinds = []
    for method, (request, _) in METHODS.items():
        wrong = _nearly(of_type(inspect.type_info(request), canary), canary)
        kinds.append(st.builds(Message, st.just(method), wrong.map(lambda one: [one])))
    return st.one_of(*kinds)


def foreign(canary: str = "") -> st.SearchStrategy[Message]:
    """Methods that are not ours, arguments that are none, names that are wslink's."""
    names = st.sampled_from(["rpc:c0:1", "system:c0:1", "system", "publish:pvlink.word:1", "", ":", "rpc:" + "x" * 240])
    methods = st.sampled_from([*METHODS, *METHODS_ELSEWHERE])
    arguments = st.one_of(st.lists(anything(canary), max_size=2), anything(canary))
    return st.builds(Message, methods, arguments, names)
