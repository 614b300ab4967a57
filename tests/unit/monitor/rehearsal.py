"""A streamer, a simulation and an engine in one object, nastier than the real ones. A look is a moment of its time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from pvlink.errors import StreamerLost
from pvlink.insitu.helm import Event, Helm, Nonsense
from pvlink.insitu.parameters import Parameters, Refused, Value, declared
from pvlink.monitor.panel import Panel
from pvlink.streamer import control_port

Made = Callable[[], Panel]
PLACE = "127.0.0.1:22222"
PARAMETERS: dict[str, object] = {
    "F": {"range": (0.0, 0.1), "start": 0.04, "unit": "1/s", "doc": "feed rate"},
    "n": (1, 64, 8),
}


class NoSimulation(RuntimeError):
    """As ParaView's process says it."""


def until(so: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


class Rehearsal:
    """What a session is to `Simulation`."""

    def __init__(self) -> None:
        self.desk: Any = Desk(self)
        self.role = "control"
        self.helm = Helm()
        # What was asked, in order; and what was printed nowhere.
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.lost = ""
        # So many questions until it is.
        self.lost_in = -1
        self.place = PLACE
        self.there = False
        self.hello: dict[str, Any] | None = None
        self.extra: dict[str, Any] = {}
        self.step, self.time = -1, 0.0
        # It ends a step with each look, if nothing holds it.
        self.runs = True
        # An order takes so many looks; or it is never followed.
        self.late = 0
        self.deaf = False
        # How it is is told so many looks late.
        self.stale = 0
        # So many looks until it is gone, and how it ends then.
        self.gone_in = -1
        self.ends = ""
        self._declared = declared({})
        self.values: dict[str, Value] = {}
        self.events: list[tuple[int, dict[str, Any]]] = []
        self.points: list[tuple[int, Any]] = []
        self.strangers = ""
        self._numbers = 0
        self._ordered = 0
        self._looks = 0
        self._due: list[tuple[int, Callable[[], None]]] = []
        self._later: list[tuple[int, int, dict[str, Value], str]] = []
        self._who: dict[int, str] = {}
        self._told: list[dict[str, Any]] = [{}]
        self._lock = threading.RLock()

    # -- what a test does --------------------------------------------------------------------------

    def comes(self, parameters: dict[str, object] | None = None, **more: Any) -> None:
        """Another simulation, or the same one again."""
        with self._lock:
            self._declared = declared(PARAMETERS if parameters is None else parameters)
            self.values = {name: one.start for name, one in self._declared.items()}
            hello: dict[str, Any] = {
                "name": "gray-scott", "host": "node17", "pid": 4711, "began": 1.5, "paraview": "5.13.3", "ranks": 4,
                "parameters": self._declared.facts(), **more,
            }  # fmt: skip
            if self.hello is not None and self.hello["pid"] != hello["pid"]:
                self.events, self.points, self.step, self._told = [], [], -1, [{}]
                self.helm = Helm()
            self.hello, self.there, self.ends = hello, True, ""
            self.note({"kind": "came", "again": False})

    def leaves(self, ended: str = "") -> None:
        with self._lock:
            self.there, self.ends = False, ended

    def note(self, event: dict[str, Any]) -> None:
        with self._lock:
            self._numbers += 1
            self.events.append((self._numbers, event))

    def measure(self, step: int, time: float, values: dict[str, float]) -> None:
        with self._lock:
            self._numbers += 1
            self.points.append((self._numbers, [step, time, values]))

    def steps(self, count: int = 1) -> None:
        """These are ended now."""
        with self._lock:
            for _ in range(count):
                self._step()

    def stands(self) -> bool:
        return self.helm.paused

    def orders(self, *what: str) -> list[dict[str, Any]]:
        """Those that were sent, without their numbers."""
        sent = [facts["order"] for op, facts in self.asked if op == "insitu-order"]
        return [
            {name: value for name, value in one.items() if name != "number"}
            for one in sent
            if not what or one["do"] in what
        ]

    # -- what a session does -----------------------------------------------------------------------

    def ask(self, op: str, **facts: Any) -> dict[str, Any]:
        with self._lock:
            if self.lost_in == 0:
                self.lost = "The process that sends the pictures has ended."
            self.lost_in -= 1
            if self.lost:
                raise StreamerLost(self.lost)
            # As the streamer reads it, whose JSON is stricter than Python's.
            if wrong := control_port._parsed(json.dumps({"id": 1, "op": op, **facts}).encode()).wrong:
                raise ValueError(f"The streamer cannot do 'invalid'. {wrong}")
            facts = json.loads(json.dumps(facts))
            self.asked.append((op, facts))
            answer = self._answered(op, facts)
            return dict(json.loads(msgspec.json.encode(answer)))

    def _answered(self, op: str, facts: dict[str, Any]) -> dict[str, Any]:
        match op:
            case "insitu-state":
                self._moment()
                return {"insitu": self._state(facts["event"], facts["point"])}
            case "insitu-order":
                if not self.there:
                    raise ValueError(f"No simulation is there. One that says Bridge(live={self.place!r}) comes.")
                self.soon(lambda: self._follow(facts["order"]))
                return {}
            case "insitu-open":
                self.place = f"{facts['host']}:{facts['port']}"
                return {"place": self.place}
            case "insitu-close":
                self.there, self.hello, self.place = False, None, ""
                return {}
        raise AssertionError(f"the streamer knows no {op!r}")

    def _state(self, event: int, point: int) -> dict[str, Any]:
        status = self._told[max(0, len(self._told) - 1 - self.stale)]
        return {
            "place": self.place, "there": self.there, "simulation": self.hello, "status": {**status, **self.extra},
            "standing": "", "ended": self.ends, "link": "open", "strangers": self.strangers, "silent": 0.0,
            "events": [one for one in self.events if one[0] > event],
            "points": [one for one in self.points if one[0] > point],
            "what a newer one says": True,
        }  # fmt: skip

    def soon(self, act: Callable[[], None]) -> None:
        if not self.deaf:
            self._due.append((self._looks + 1 + self.late, act))

    def _moment(self) -> None:
        if self.gone_in == 0:
            self.there = False
        self.gone_in -= 1
        if not self.there:
            return
        self._looks += 1
        if self.helm.paused:
            self._heed()
        elif self.runs:
            self._step()
        self._told.append(self.status())

    def _heed(self) -> None:
        """Orders are followed at the end of a step, or while it stands."""
        due = [act for when, act in self._due if when <= self._looks]
        self._due = [one for one in self._due if one[0] > self._looks]
        for act in due:
            act()

    def status(self) -> dict[str, Any]:
        if self.step < 0:
            return {}
        return {
            "step": self.step, "time": self.time, "rate": 12.5, "share": 0.0123, "ordered": self._ordered,
            "paused": self.helm.paused, "why": self.helm.why, "values": dict(self.values), "delivered": 3, "skipped": 4,
        }  # fmt: skip

    def _step(self) -> None:
        self.step += 1
        self.time = 0.5 * self.step
        self._heed()
        for number, _, values, who in [one for one in self._later if one[1] <= self.step]:
            self._later = [one for one in self._later if one[0] != number]
            self._apply(number, values, who)
        measured = {str(one): float(self.step) for one in self.helm.needs}
        for event in self.helm.end_of_step(self.step, self.time, {**self.values, **measured}):
            self._tell(event)
        if measured:
            self.measure(self.step, self.time, measured)

    def _tell(self, event: Event) -> None:
        self.note({"kind": event.kind, "step": self.step, "time": self.time, **event.facts})

    def _follow(self, order: dict[str, Any]) -> None:
        number = order["number"]
        if order["do"] == "who":
            self._who[number] = order["who"]
            return
        self._ordered = max(self._ordered, number)
        try:
            self.helm.order(order)
        except Nonsense as error:
            self.note({"kind": "refused", "number": number, "why": str(error)})
        else:
            self.note({"kind": "done", "number": number, "step": self.step, "paused": self.helm.paused})

    def steered(self, number: int, at: int, values: dict[str, Value]) -> None:
        self._ordered = max(self._ordered, number)
        try:
            good = self._declared.checked(values)
        except Refused as error:
            self.note({"kind": "refused", "number": number, "why": str(error)})
            return
        who = self._who.pop(number, "")
        if at > self.step:
            self._later.append((number, at, good, who))
            self.note({"kind": "waits", "number": number, "at": at})
        elif 0 <= at < self.step:
            self.note({"kind": "refused", "number": number, "why": f"Step {at} is over."})
        else:
            self._apply(number, good, who)

    def _apply(self, number: int, values: dict[str, Value], who: str) -> None:
        changes = [
            {"step": self.step, "time": self.time, "name": name, "old": self.values[name], "new": value, "who": who}
            for name, value in values.items()
            if value != self.values[name]
        ]
        self.values.update(values)
        self.note({"kind": "changed", "number": number, "step": self.step, "changes": changes})

    @property
    def declared(self) -> Parameters:
        return self._declared


class Desk:
    """ParaView's process, as far as it knows of simulations."""

    def __init__(self, host: Rehearsal) -> None:
        self._host = host
        self.connected = True
        self.wrong = ""
        self.updates = 0
        # No step comes.
        self.frozen = False
        # So many times it is asked before it is connected.
        self.connects_in = 0
        self.done: list[tuple[Any, ...]] = []
        self.sources: dict[str, Any] = {"input": {"kind": "TrivialProducer", "arrays": {"POINTS": ["V"], "CELLS": []}}}

    def insitu_facts(self) -> dict[str, Any]:
        self.connects_in -= 1
        connected = self.connected and self.connects_in < 0
        if connected and not self.frozen:
            self.updates += 1
        return {
            "connected": connected, "updates": self.updates, "wrong": self.wrong,
            "sources": self.sources if connected else {},
        }  # fmt: skip

    def insitu_extract(self, name: str) -> Source:
        self._need(name)
        self.done.append(("extract", name))
        return Source(self)

    def insitu_view(self, name: str) -> str:
        self.done.append(("view", name))
        return f"view of {name}"

    def insitu_make(self, kind: str, name: str, of: str, properties: dict[str, Any]) -> None:
        self._need(of)
        self.done.append(("make", kind, name, of, properties))

    def insitu_change(self, name: str, properties: dict[str, Any]) -> None:
        self._need(name)
        self.done.append(("change", name, properties))

    def insitu_steer(self, order: int, at: int, values: dict[str, Value]) -> None:
        self._need("input")
        self.done.append(("steer", at, values))
        self._host.soon(lambda: self._host.steered(order, at, values))

    def _need(self, name: str) -> None:
        if not self.connected:
            raise NoSimulation("No simulation is connected to ParaView.")
        if name not in self.sources:
            raise NoSimulation(f"The simulation offers no {name!r}; it offers {', '.join(self.sources)}.")


class Source:
    """An extract."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def UpdatePipeline(self) -> None:
        self._desk.done.append(("update",))

    def GetDataInformation(self) -> Source:
        return self

    def GetNumberOfPoints(self) -> int:
        return 8


def shown(widget: Any) -> Iterator[str]:
    """All that a widget and those in it hold."""
    yield repr(widget.get_state())
    for child in getattr(widget, "children", ()):
        yield from shown(child)


def page(panel: Panel) -> str:
    """All that a page gets of it."""
    return "\n".join(shown(panel._widget))


def ended(name: str) -> None:
    """Wait until no thread of that name is there any more."""
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(10.0)
            assert not thread.is_alive()
