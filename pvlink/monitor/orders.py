"""Orders for a simulation: each has a number, is sent, and is waited for until it counts or is refused."""

from __future__ import annotations

import contextlib
import math
import operator
import threading
import time as clock
from collections.abc import Callable
from typing import Any

from pvlink.errors import SimulationError
from pvlink.monitor.said import Ask, Follower, Said

# An order is followed at the end of a step, which may take long; after so many seconds it is on its way, and said so.
PATIENCE = 10.0
TICK = 0.05
# What decides whether it stands, and for how long.
MOVES = ("pause", "go", "step", "until")
# Beyond these the simulation cannot tell one step from the next.
EXACT = 1 << 53


class Orders:
    """Of one notebook, to whatever simulation is there."""

    def __init__(self, ask: Ask, follower: Follower) -> None:
        self._ask = ask
        self._follower = follower
        # Higher than those of a notebook before this one.
        self._numbers = int(clock.time() * 1000)
        self._lock = threading.Lock()
        # The pause that it was last told of outlives whoever asked for it.
        self.stays = False

    def number(self) -> int:
        """Another one each time."""
        with self._lock:
            self._numbers += 1
            return self._numbers

    def tell(self, order: dict[str, Any]) -> None:
        """Without waiting for what comes of it."""
        self.need()
        try:
            self._ask("insitu-order", order=order)
        except ValueError as error:
            raise SimulationError(str(error)) from None

    def need(self) -> None:
        """Raises SimulationError where nobody watches any more: who is there now is another one's."""
        if self._follower.closed:
            raise SimulationError(self._follower.said.words)

    def give(self, what: str, **facts: Any) -> int:
        """Its number, once it is followed or on its way. Raises SimulationError if it is refused."""
        good = {name: _plain(name, value) for name, value in facts.items()}
        number = self.number()
        self.tell({"do": what, "number": number, **good})
        self.answer(number, "It will be followed")
        if what in MOVES:
            # As the simulation itself has it: whatever moves it ends a pause that was to stay.
            self.stays = good.get("stays") is True
        return number

    def answer(self, number: int, meanwhile: str) -> dict[str, Any] | None:
        """What came of it. None: its step takes long; that is said. Raises SimulationError if it was refused."""
        deadline = clock.monotonic() + PATIENCE
        while clock.monotonic() < deadline:
            said = self._follower.look()
            if (answer := self._follower.answer(number)) is not None:
                if answer["kind"] == "refused":
                    raise SimulationError(answer["why"])
                return answer
            if not said.there:
                raise SimulationError(said.words)
            clock.sleep(TICK)
        print(f"pvlink: {meanwhile} at the end of the step that it computes now.")  # noqa: T201 - in the cell
        return None

    def soon(self, number: int, so: Callable[[Said], bool]) -> Said:
        """`until`, with as much patience as an order is worth."""
        return self.until(number, so, PATIENCE)

    def until(self, number: int, so: Callable[[Said], bool], timeout: float | None) -> Said:
        """Wait until it is so, by what was said after that order."""
        deadline = None if timeout is None else clock.monotonic() + timeout
        while True:
            said = self._follower.look()
            if said.status.get("ordered", 0) >= number and so(said):
                return said
            if not said.there:
                raise SimulationError(said.words)
            if deadline is not None and clock.monotonic() > deadline:
                raise SimulationError(f"It has not come there within {timeout:g} s, and goes on. {said.words}")
            clock.sleep(TICK)


def numbered(at: object) -> int:
    """A step to change something at, as the simulation has it: -1 is the one it computes. Raises SimulationError."""
    if at is None:
        return -1
    step = -1
    if not isinstance(at, bool):
        with contextlib.suppress(TypeError):
            step = operator.index(at)  # type: ignore[arg-type]  # that is the question
    if not 0 <= step < EXACT:
        raise SimulationError(f"What is to be set at a step needs its number, from 0 on, not {at!r}.")
    return step


def _plain(name: str, value: object) -> object:
    """As JSON has it, which knows neither numpy's numbers nor what is infinite. Raises SimulationError."""
    if value is None or isinstance(value, (bool, str, list)):
        return value
    try:
        return operator.index(value)  # type: ignore[arg-type]  # that is the question
    except TypeError:
        pass
    try:
        number = float(value)  # type: ignore[arg-type]  # and that
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise SimulationError(f"{name} is a number, not {value!r}.")
    return number
