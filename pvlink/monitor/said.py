"""What a simulation says, as the streamer has it: asked for again and again, remembered, and put into words."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pvlink.insitu.parameters import Parameters, received

# The session's way to ask the streamer.
Ask = Callable[..., dict[str, Any]]
MAX_LOG = 2_000
MAX_POINTS = 50_000
# A step, or a stop, of so long (seconds) is worth a word.
SILENT = 3.0


@dataclass
class Said:
    """All that is known."""

    place: str = ""
    there: bool = False
    # Who it is, once one has come.
    simulation: dict[str, Any] | None = None
    status: dict[str, Any] = field(default_factory=dict)
    standing: str = ""
    ended: str = ""
    link: str = "none"
    strangers: str = ""
    silent: float = 0.0

    @property
    def step(self) -> int:
        return int(self.status.get("step", -1))

    @property
    def time(self) -> float:
        """Its own time, at that step."""
        return number(self.status.get("time", 0.0))

    @property
    def declared(self) -> Parameters:
        """What may be changed in it."""
        return received([] if self.simulation is None else self.simulation.get("parameters"))

    @property
    def paused(self) -> bool:
        return self.there and bool(self.status.get("paused"))

    @property
    def words(self) -> str:
        """How it is, in a sentence."""
        if not self.place:
            return "No simulation is waited for any more: session.monitor() waits for one."
        if self.simulation is None:
            turned = f" One was turned away: {self.strangers}." if self.strangers else ""
            return f"No simulation has come to {self.place} yet.{turned}"
        name = self.simulation.get("name", "the simulation")
        at = f"step {self.step}" if self.step >= 0 else "its first step"
        if self.ended == "died":
            return f"{name} has died, at {at}: it was killed, or has crashed. What it printed last says more."
        if self.ended:
            how = {"finished": "has finished", "ended": "has ended"}.get(self.ended, "has failed")
            more = f" {self.ended}" if how == "has failed" else ""
            return f"{name} {how}, at {at}.{more}"
        if not self.there:
            return f"{name} cannot be reached since {at}: it runs on by itself, and comes back when it can."
        if self.standing == "stopped":
            return f"{name} is stopped by the system (SIGSTOP), at {at}."
        if self.paused:
            return f"{name} stands at {at}. {self.status.get('why', '')}".strip()
        if self.silent > SILENT:
            return f"{name} has said nothing for {int(self.silent)} s, after {at}."
        return f"{name} runs, at {at}."


class Follower:
    """Of one session's simulation; any thread may look."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._lock = threading.RLock()
        self.said = Said()
        self._event = self._point = 0
        self._who: tuple[Any, ...] | None = None
        # Nothing is asked any more.
        self.closed = False
        # Newest last.
        self.events: list[dict[str, Any]] = []
        self.points: list[tuple[int, float, dict[str, float]]] = []

    def look(self) -> Said:
        """How it is now. Raises StreamerLost."""
        with self._lock:
            if self.closed:
                return self.said
            state = self._ask("insitu-state", event=self._event, point=self._point)["insitu"]
            self._meet(state["simulation"])
            if state["events"]:
                self._event = state["events"][-1][0]
                self.events = [*self.events, *(one for _, one in state["events"])][-MAX_LOG:]
            if state["points"]:
                self._point = state["points"][-1][0]
                self.points = [*self.points, *map(_point, state["points"])][-MAX_POINTS:]
            known = Said.__dataclass_fields__
            self.said = Said(**{name: value for name, value in state.items() if name in known})
            return self.said

    def begin_anew(self) -> None:
        """Whoever is asked counts from the beginning again."""
        with self._lock:
            self._event = self._point = 0

    def close(self) -> None:
        """Ask nothing any more; what has happened stays known."""
        with self._lock:
            self.closed, self.said = True, Said()

    def _meet(self, simulation: dict[str, Any] | None) -> None:
        """Of another simulation nothing is known that was the former's."""
        if simulation is None:
            return
        who = tuple(simulation.get(name) for name in ("host", "pid", "began"))
        if who != self._who:
            self._who, self.events, self.points = who, [], []

    def answer(self, number: int) -> dict[str, Any] | None:
        """What became of an order, if that is known."""
        return next((one for one in reversed(self.events) if one.get("number") == number), None)


def _point(numbered: list[Any]) -> tuple[int, float, dict[str, float]]:
    step, time, values = numbered[1]
    return int(step), number(time), {name: number(value) for name, value in values.items()}


def number(value: Any) -> float:
    """As the streamer has it, whose JSON has null for what is no number."""
    return math.nan if value is None else float(value)
