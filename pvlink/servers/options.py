"""What a server configuration asks of its user: options, each of a kind, and what follows from their values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from pvlink.errors import OptionError

Value = str | int | float | bool
# A number from 0 to below its argument; `secrets.randbelow` but in tests.
Draw = Callable[[int], int]
# ParaView keeps whole numbers, the connect-id among them, in 32 bits.
HIGHEST_WHOLE = 2**31 - 1
# ParaView's, where a file says nothing.
HIGHEST = 99999999999
CONNECT_ID = "PV_CONNECT_ID"
# Of a random number that is none, how fine.
_GRAIN = 1 << 53


@dataclass(frozen=True)
class Range:
    """A number within bounds."""

    lowest: float = 0
    highest: float = HIGHEST_WHOLE
    # How far one click goes; values between are right, too.
    step: float = 1
    # None: the lowest.
    default: float | None = None
    whole: bool = True
    # Another one each time.
    random: bool = False

    def first(self, draw: Draw) -> str:
        if not self.random:
            return number(self.lowest if self.default is None else self.default)
        if self.whole:
            return number(int(self.lowest) + draw(int(self.highest) - int(self.lowest) + 1))
        return number(self.lowest + (self.highest - self.lowest) * draw(_GRAIN) / _GRAIN)

    def check(self, value: Value, what: str) -> str:
        kind = "a whole number" if self.whole else "a number"
        wrong = OptionError(
            f"{what}: {value!r} is not {kind} from {number(self.lowest)} to {number(self.highest)}, which it must be."
        )
        if isinstance(value, bool):
            raise wrong
        try:
            # Not by way of a float, which has no room for the last digits of a large whole number.
            given: float = int(value) if self.whole and not isinstance(value, float) else float(value)
        except ValueError:
            raise wrong from None
        if not math.isfinite(given) or not self.lowest <= given <= self.highest or (self.whole and given != int(given)):
            raise wrong
        return number(int(given) if self.whole else given)


@dataclass(frozen=True)
class String:
    """Any text on one line."""

    default: str = ""

    def first(self, _draw: Draw) -> str:
        return self.default

    def check(self, value: Value, what: str) -> str:
        return _line(value, what)


@dataclass(frozen=True)
class File:
    """The path of a file on this machine."""

    default: str = ""

    def first(self, _draw: Draw) -> str:
        return self.default

    def check(self, value: Value, what: str) -> str:
        return _line(value, what)


@dataclass(frozen=True)
class Password:
    """Read and written, and never taken: ParaView puts it where everyone on the machine can read it."""

    default: str = ""

    def first(self, _draw: Draw) -> str:
        return ""

    def check(self, _value: Value, what: str) -> str:
        raise OptionError(
            f"{what} is a password, which would stand in the list of processes for everyone on this machine to read. "
            "pvlink takes none: let the command use an ssh key or ssh-agent, and remove the option from the file."
        )


@dataclass(frozen=True)
class Boolean:
    """Yes or no, and the text that each becomes."""

    default: str | None = None
    true: str = "1"
    false: str = "0"

    @property
    def checked(self) -> bool:
        # As ParaView has it: default="true" is a no where true is "1".
        return self.default == self.true

    def first(self, _draw: Draw) -> str:
        return self.true if self.checked else self.false

    def check(self, value: Value, what: str) -> str:
        if isinstance(value, bool):
            return self.true if value else self.false
        if str(value) in (self.true, self.false):
            return str(value)
        raise OptionError(f"{what}: {value!r} is neither True nor False (in the file: {self.true!r}, {self.false!r}).")


@dataclass(frozen=True)
class Entry:
    """One choice."""

    value: str
    label: str


@dataclass(frozen=True)
class Enumeration:
    """One of several."""

    entries: tuple[Entry, ...]
    default: str | None = None

    def first(self, _draw: Draw) -> str:
        # Sites name the label as often as the value, and at times what is not there.
        found = self._found(self.default)
        return self.entries[0].value if found is None else found

    def check(self, value: Value, what: str) -> str:
        found = None if isinstance(value, bool) else self._found(str(value))
        if found is None:
            choices = ", ".join(repr(entry.value) for entry in self.entries)
            raise OptionError(f"{what}: {value!r} is no choice. Choose one of {choices}.")
        return found

    def _found(self, said: str | None) -> str | None:
        by_value = next((entry.value for entry in self.entries if entry.value == said), None)
        return by_value if by_value is not None else next((e.value for e in self.entries if e.label == said), None)


Kind = Range | String | File | Password | Boolean | Enumeration


@dataclass(frozen=True)
class Option:
    """One thing to ask; its name is the variable that gets the answer."""

    name: str
    kind: Kind
    label: str = ""
    readonly: bool = False
    # Whether the next one asked finds the last answer.
    save: bool = True

    @property
    def title(self) -> str:
        return self.label or self.name

    @property
    def remembered(self) -> bool:
        """Whether its value may be kept in a file: asked for, and no secret."""
        return self.save and not (self.random or self.readonly or self.secret)

    @property
    def random(self) -> bool:
        return isinstance(self.kind, Range) and self.kind.random

    @property
    def secret(self) -> bool:
        return self.name == CONNECT_ID or isinstance(self.kind, Password)


@dataclass(frozen=True)
class Set:
    """A variable that nobody is asked for."""

    name: str
    value: str


@dataclass(frozen=True)
class Case:
    """What is set when a variable has this value."""

    value: str
    sets: tuple[Set, ...] = ()


@dataclass(frozen=True)
class Switch:
    """What is set, by the value of a variable; nothing where no case is its."""

    name: str
    cases: tuple[Case, ...] = ()

    def sets(self, value: str | None) -> tuple[Set, ...]:
        return next((case.sets for case in self.cases if case.value == value), ())


Ask = Option | Set | Switch


def number(value: float) -> str:
    """As ParaView prints it: 2, not 2.0."""
    return str(int(value)) if value == int(value) and abs(value) < _GRAIN else repr(float(value))


_LINE = re.compile(r"[^\x00-\x1f\x7f\x85\u2028\u2029]*")


def _line(value: Value, what: str) -> str:
    if not isinstance(value, str):
        if isinstance(value, bool):
            raise OptionError(f"{what}: {value!r} is no text.")
        return number(value)
    if not _LINE.fullmatch(value):
        raise OptionError(f"{what}: {value!r} has a line break or control character, which no command line takes.")
    return value
