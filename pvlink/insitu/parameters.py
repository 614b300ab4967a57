"""What may be changed in a running simulation: declared once, checked in the notebook and again before it counts.

Pure: numbers in, numbers or a sentence out. The definition of the ParaView proxy that carries the values is made of the
declaration on both sides, so that nobody writes XML.
"""

from __future__ import annotations

import hashlib
import math
import numbers
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Union

Value = Union[int, float]
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# Of a unit or a sentence about it; more is no declaration.
MAX_TEXT = 300
MAX_PARAMETERS = 100
# Beyond these a double cannot tell one whole number from the next.
EXACT = 1 << 53
# What the proxy carries besides the values, under names that no parameter may have.
ORDER, AT = "pvlink_order", "pvlink_at"
_RESERVED = frozenset({ORDER, AT, "step", "time", "PartitionType", "FieldAssociation"})


class Refused(ValueError):
    """A value, or a declaration, that does not reach the simulation; the sentence says why."""


@dataclass(frozen=True)
class Parameter:
    """One of them."""

    name: str
    low: Value
    high: Value
    start: Value
    unit: str = ""
    doc: str = ""
    whole: bool = False

    def checked(self, value: object) -> Value:
        """The value, as the simulation gets it. Raises Refused."""
        number = _finite(value)
        if number is None:
            raise Refused(f"{self.name} is a number{self._range()}, not {_shown(value)}.")
        # Of whole numbers the value itself: a double may be that of the bound.
        if not self.low <= (int(value) if isinstance(value, numbers.Integral) else number) <= self.high:
            raise Refused(f"{self.name} = {number:g} is out of its range{self._range()}.")
        if self.whole:
            if number != int(number):
                raise Refused(f"{self.name} is a whole number{self._range()}, not {number:g}.")
            return int(number)
        return number

    def _range(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f" from {self.low:g} to {self.high:g}{unit}"

    def facts(self) -> dict[str, Any]:
        """For the wire."""
        return {
            "name": self.name, "low": self.low, "high": self.high, "start": self.start,
            "unit": self.unit, "doc": self.doc, "whole": self.whole,
        }  # fmt: skip


class Parameters(Mapping[str, Parameter]):
    """All of a simulation's, by name."""

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        if len(parameters) > MAX_PARAMETERS:
            raise Refused(f"A simulation has at most {MAX_PARAMETERS} parameters; these are {len(parameters)}.")
        self._by_name = dict(parameters)

    def __getitem__(self, name: str) -> Parameter:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def checked(self, values: Mapping[str, object]) -> dict[str, Value]:
        """All of them, or none. Raises Refused with what is wrong with each."""
        wrong = []
        good = {}
        for name, value in values.items():
            try:
                good[name] = self.known(name).checked(value)
            except Refused as error:
                wrong.append(str(error))
        if wrong:
            raise Refused(" ".join(wrong))
        return good

    def known(self, name: str) -> Parameter:
        """Raises Refused, with the names that there are."""
        if name not in self._by_name:
            there = f"It has {', '.join(self._by_name)}." if self._by_name else "It has none."
            raise Refused(f"The simulation has no parameter {_shown(name)}. {there}")
        return self._by_name[name]

    def facts(self) -> list[dict[str, Any]]:
        return [parameter.facts() for parameter in self._by_name.values()]

    @property
    def proxy_name(self) -> str:
        """Of the steerable proxy: another declaration is another proxy."""
        return f"PvlinkParameters{hashlib.sha256(self._properties().encode()).hexdigest()[:12]}"

    @property
    def definition(self) -> str:
        """The steerable proxy, as ParaView has it defined."""
        hidden = 'number_of_elements="1" panel_visibility="never"'
        return (
            '<ServerManagerConfiguration><ProxyGroup name="sources">'
            f'<SourceProxy class="vtkSteeringDataGenerator" name="{self.proxy_name}" label="Parameters">'
            f'<IntVectorProperty name="PartitionType" command="SetPartitionType" default_values="0" {hidden}/>'
            f'<IntVectorProperty name="FieldAssociation" command="SetFieldAssociation" default_values="3" {hidden}/>'
            f"{self._properties()}</SourceProxy></ProxyGroup></ServerManagerConfiguration>"
        )

    def _properties(self) -> str:
        starts = {name: parameter.start for name, parameter in self._by_name.items()} | {ORDER: 0, AT: -1}
        return "".join(
            f'<DoubleVectorProperty name="{name}" command="SetTuple1Double" use_index="1" clean_command="Clear" '
            f'initial_string="{name}" number_of_elements="1" number_of_elements_per_command="1" repeat_command="1" '
            f'default_values="{float(start)!r}"/>'
            for name, start in starts.items()
        )


def declared(wanted: Mapping[str, object] | None) -> Parameters:
    """As a user writes them: `{"F": (0.0, 0.1)}`, `(0.0, 0.1, 0.04)`, or `{"range": ..., "start": ..., "unit", "doc"}`.

    Both bounds whole numbers of Python's: whole numbers only. Without a start it begins in the middle. Raises Refused.
    """
    return Parameters({name: _one(name, given) for name, given in (wanted or {}).items()})


def received(facts: object) -> Parameters:
    """From the wire. Raises Refused."""
    if not isinstance(facts, list) or not all(isinstance(one, dict) for one in facts):
        raise Refused("The simulation's parameters make no sense.")
    return Parameters({str(one.get("name")): _parameter(**{str(k): v for k, v in one.items()}) for one in facts})


def _one(name: object, given: object) -> Parameter:
    if isinstance(given, Mapping):
        known = {"range", "start", "unit", "doc"}
        if extra := set(given) - known:
            raise Refused(f"{name}: there is no {', '.join(map(str, sorted(extra, key=str)))}; there is range, "
                          "start, unit, doc.")  # fmt: skip
        bounds, more = given.get("range"), {key: given[key] for key in ("start", "unit", "doc") if key in given}
    else:
        bounds, more = given, {}
    if not isinstance(bounds, (tuple, list)) or not (len(bounds) == 2 or (len(bounds) == 3 and "start" not in more)):
        raise Refused(
            f"{name}: a parameter is declared by its range, ({name!r}: (lowest, highest)), not {_shown(given)}."
        )
    whole = all(isinstance(bound, numbers.Integral) for bound in bounds[:2])
    if len(bounds) == 3:
        more["start"] = bounds[2]
    return _parameter(name=name, low=bounds[0], high=bounds[1], whole=whole, **more)


def _parameter(
    name: object = "",
    low: object = None,
    high: object = None,
    start: object = None,
    unit: object = "",
    doc: object = "",
    whole: object = False,
    **_: object,
) -> Parameter:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in _RESERVED:
        raise Refused(f"{_shown(name)} is no name for a parameter: letters, digits and _ make one.")
    lowest, highest = _finite(low), _finite(high)
    if lowest is None or highest is None:
        raise Refused(f"{name}: its range is two numbers, not {_shown(low)} and {_shown(high)}.")
    if lowest > highest:
        raise Refused(f"{name}: its range ends, at {highest:g}, before it begins, at {lowest:g}.")
    if whole and max(abs(lowest), abs(highest)) > EXACT:
        raise Refused(f"{name}: whole numbers go to {EXACT}, and no further.")
    if not isinstance(unit, str) or not isinstance(doc, str) or len(unit) + len(doc) > MAX_TEXT:
        raise Refused(f"{name}: its unit and what is said of it are texts of at most {MAX_TEXT} characters together.")
    # Halved first: two that are nearly as large as numbers can be have no sum.
    middle: Value = int(lowest / 2 + highest / 2) if whole else lowest / 2 + highest / 2
    ends: tuple[Value, Value] = (int(lowest), int(highest)) if whole else (lowest, highest)
    # Half of the smallest numbers is nothing.
    middle = min(max(middle, ends[0]), ends[1])
    made = Parameter(name, ends[0], ends[1], middle, unit, doc, bool(whole))
    return made if start is None else replace(made, start=made.checked(start))


def _finite(value: object) -> float | None:
    """None: it is no number. True is one to Python, and not to a solver; numpy's are to both."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        # Of more digits, or nested deeper, than Python writes.
        text = f"such a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."
