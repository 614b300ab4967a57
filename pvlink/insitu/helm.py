"""Where a simulation stops, and when it goes on: decided at the end of each step, on one rank, for all of them.

Pure: no clock, no socket, no MPI; time is a number passed in. A pause holds only while whoever asked for it is there:
a notebook that dies, or a network that is cut, must not cost a night on a cluster. That is decided in here, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pvlink.insitu.conditions import Condition, NoCondition, Quantity, quantity

# A link that was cut may come back: so long (seconds) a pause outlives the one who asked for it.
GRACE = 5.0
MAX_CONDITIONS = 50
MAX_QUANTITIES = 50
ACTIONS = ("pause", "note")


class Nonsense(ValueError):
    """An order that cannot be followed; the sentence goes back to whoever gave it."""


@dataclass(frozen=True)
class Event:
    """What there is to tell, once."""

    kind: str
    facts: dict[str, Any] = field(default_factory=dict)


class Helm:
    """Of one simulation."""

    def __init__(self) -> None:
        self.paused = False
        # Why it stands, in words.
        self.why = ""
        # It stops at the end of the first step that has this number, or this time, or more.
        self.until_step: float | None = None
        self.until_time: float | None = None
        # By the number that the notebook gave: what it waits for, and what happens then.
        self._conditions: dict[int, tuple[Condition, str]] = {}
        # Those that held at the last step: each is told of once, when it comes to hold.
        self._held: set[int] = set()
        self._quantities: dict[str, Quantity] = {}
        # A pause outlives its owner: so the owner has said.
        self._stays = False
        self._left_at: float | None = None
        self._step = -1.0

    @property
    def needs(self) -> set[Quantity]:
        """What has to be measured at every step."""
        wanted = set(self._quantities.values())
        for condition, _ in self._conditions.values():
            wanted |= condition.needs
        return wanted

    @property
    def conditions(self) -> list[dict[str, Any]]:
        return [{"id": n, "text": c.text, "do": do} for n, (c, do) in sorted(self._conditions.items())]

    # -- orders ------------------------------------------------------------------------------------

    def order(self, order: Mapping[str, Any]) -> None:
        """From the notebook. Raises Nonsense."""
        what = order.get("do")
        if what == "pause":
            self._stays = order.get("stays") is True
            if not self.paused:
                self._stop("You have paused it.")
        elif what == "go":
            self._go()
        elif what == "step":
            steps = _whole(order.get("steps", 1), "step() goes a number of steps from 1 on", 1)
            self._go()
            self.until_step = self._step + steps
        elif what == "until":
            self._until(order.get("step"), order.get("time"))
        elif what == "when":
            self._when(order)
        elif what == "unwhen":
            self._conditions.pop(_whole(order.get("id"), "a condition has a number"), None)
        elif what == "follow":
            self._follow(order.get("quantities"))
        else:
            raise Nonsense(f"The simulation cannot do {what!r}; it has another version of pvlink.")

    def _until(self, step: object, time: object) -> None:
        if (step is None) == (time is None):
            raise Nonsense("run_until() has either a step or a time.")
        if step is not None:
            goal = float(_whole(step, "run_until(step=...) is a whole number"))
            if goal <= self._step:
                raise Nonsense(f"Step {int(goal)} is over: it is at step {int(self._step)}.")
            self._go()
            self.until_step = goal
        else:
            moment = _number(time, "run_until(time=...) is a number")
            self._go()
            self.until_time = moment

    def _when(self, order: Mapping[str, Any]) -> None:
        number = _whole(order.get("id"), "a condition has a number")
        if order.get("then") not in ACTIONS:
            raise Nonsense(f"What happens then is one of {', '.join(map(repr, ACTIONS))}, not {order.get('then')!r}.")
        if len(self._conditions) >= MAX_CONDITIONS:
            raise Nonsense(f"There are {MAX_CONDITIONS} conditions already; sim.forget(number) takes one away.")
        try:
            condition = Condition(str(order.get("text")))
        except NoCondition as error:
            raise Nonsense(str(error)) from None
        self._conditions[number] = (condition, str(order["then"]))
        self._held.discard(number)

    def _follow(self, wanted: object) -> None:
        if not isinstance(wanted, list) or len(wanted) > MAX_QUANTITIES:
            raise Nonsense(f"At most {MAX_QUANTITIES} quantities are followed.")
        try:
            found = {str(quantity(str(text))): quantity(str(text)) for text in wanted}
        except NoCondition as error:
            raise Nonsense(str(error)) from None
        self._quantities = found

    # -- steps -------------------------------------------------------------------------------------

    def end_of_step(self, step: int, time: float, values: Mapping[str, float]) -> list[Event]:
        """What a step brought; `paused` says whether there is another one. `values`: quantities and parameters."""
        self._step = float(step)
        events = []
        known = {**values, "step": step, "time": time}
        for number, (condition, then) in sorted(self._conditions.items()):
            held = condition.holds(known)
            if held and number not in self._held:
                events.append(Event("met", {"id": number, "text": condition.text, "then": then}))
                if then == "pause":
                    self._stop(f"{condition.text} is true.")
            (self._held.add if held else self._held.discard)(number)
        if self.until_step is not None and step >= self.until_step:
            self._stop(f"It was to run until step {int(self.until_step)}.")
        if self.until_time is not None and time >= self.until_time:
            self._stop(f"It was to run until time {self.until_time:g}.")
        return events

    # -- who asked for it --------------------------------------------------------------------------

    def owner_came(self) -> None:
        self._left_at = None

    def owner_left(self, now: float) -> None:
        """Nobody is there, or can be reached. What was asked for is forgotten after a while, the pause first."""
        if self._left_at is None:
            self._left_at = now

    @property
    def left(self) -> bool:
        """Nobody is there, and something was asked for that is not forgotten yet."""
        return self._left_at is not None and not math.isinf(self._left_at)

    def look(self, now: float) -> list[Event]:
        """Now and then, while nobody is there."""
        if not self.left or now - (self._left_at or 0.0) < GRACE:
            return []
        stood = self.paused
        # A goal, too: who would let it go on from there?
        if not self._stays:
            self._go()
            self._conditions = {n: (c, do) for n, (c, do) in self._conditions.items() if do != "pause"}
        self._quantities = {}
        self._left_at = math.inf
        return [Event("released")] if stood and not self.paused else []

    def _stop(self, why: str) -> None:
        self.paused, self.why = True, why
        self.until_step = self.until_time = None

    def _go(self) -> None:
        self.paused, self.why, self._stays = False, "", False
        self.until_step = self.until_time = None


def _whole(value: object, what: str, lowest: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value < 1 << 53:
        raise Nonsense(f"{what}, not {value!r}.")
    return value


def _number(value: object, what: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, (int, float)) else float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Nonsense(f"{what}, not {value!r}.")
    return number
