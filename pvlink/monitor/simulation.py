"""`session.monitor()`: a running simulation as an object, that shows itself in a cell and takes orders."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
import time as clock
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pvlink.errors import PvlinkError, SimulationError, StreamerLost
from pvlink.insitu.conditions import Condition, NoCondition, quantity
from pvlink.insitu.parameters import Parameters, Refused, Value
from pvlink.monitor.orders import TICK, Orders, numbered
from pvlink.monitor.said import Follower, Said

if TYPE_CHECKING:
    from pvlink.monitor.chart import Chart
    from pvlink.monitor.panel import Panel
    from pvlink.view import View

# Until ParaView has the simulation's first step, in seconds.
LINKED = 30.0
# Until what is empty is taken for empty, in seconds.
EMPTY = 2.0


class Host(Protocol):
    """The session."""

    desk: Any
    # Of those who look: "view" may change nothing.
    role: str

    def ask(self, op: str, **facts: Any) -> dict[str, Any]: ...


class Simulation:
    """What `session.monitor()` returns. Leave it as a cell's last expression to see how the simulation is."""

    def __init__(self, host: Host, place: str, show: Callable[..., View]) -> None:
        self._host = host
        self._show = show
        self.place = place
        self._follower = Follower(host.ask)
        self._orders = Orders(host.ask, self._follower)
        self._followed: list[str] = []
        self._panel: Panel | None = None
        self._charts: list[Chart] = []
        self._who = f"{_user()}@{socket.gethostname()}"

    # -- how it is ---------------------------------------------------------------------------------

    @property
    def said(self) -> Said:
        """All that is known of it now."""
        return self._follower.look()

    @property
    def state(self) -> str:
        """In a sentence."""
        return self.said.words

    @property
    def step_number(self) -> int:
        """The last step that it has ended; -1 before the first."""
        return self.said.step

    @property
    def steers(self) -> bool:
        """Whether those who look at this notebook may steer it, as `pvlink.start(role=...)` has it."""
        return self._host.role != "view"

    @property
    def time(self) -> float:
        """Its own time, at that step."""
        return self.said.time

    @property
    def paused(self) -> bool:
        return self.said.paused

    @property
    def sources(self) -> dict[str, Any]:
        """What it offers: its data, and what filters in it make, with their arrays."""
        found: dict[str, Any] = self._host.desk.insitu_facts()["sources"]
        return found

    @property
    def parameters(self) -> dict[str, Value]:
        """What may be changed, as it is now."""
        values: dict[str, Value] = self.said.status.get("values", {})
        return dict(values)

    @property
    def declared(self) -> Parameters:
        """The parameters with their ranges, units and what is said of them."""
        return self.said.declared

    @property
    def events(self) -> list[dict[str, Any]]:
        """What has happened since it has been watched, as it was said."""
        self._follower.look()
        return list(self._follower.events)

    @property
    def log(self) -> list[dict[str, Any]]:
        """Every change since it has been watched: step, name, old, new, who."""
        self._follower.look()
        return [one for event in self._follower.events if event.get("kind") == "changed" for one in event["changes"]]

    def save_log(self, path: str | os.PathLike[str]) -> None:
        """Write these down; `Bridge(replay=path)` makes the same changes at the same steps of another run."""
        Path(path).write_text("".join(json.dumps(one) + "\n" for one in self.log), encoding="utf-8")

    # -- control -----------------------------------------------------------------------------------

    def pause(self, *, stays: bool = False) -> None:
        """Have it stand at the end of the step that it computes. `stays`: also when this notebook has gone."""
        self._orders.soon(self._orders.give("pause", stays=stays), lambda said: said.paused)

    def resume(self) -> None:
        """Let it run."""
        self._orders.soon(self._orders.give("go"), lambda said: not said.paused)

    def step(self, steps: int = 1, *, timeout: float | None = 60.0) -> int:
        """Have it compute so many steps and stand; the number of the step it stands at then."""
        if not self.paused:
            self._orders.until(self._orders.give("pause"), lambda said: said.paused, timeout)
        return self._orders.until(self._orders.give("step", steps=steps), lambda said: said.paused, timeout).step

    def run_until(
        self, step: int | None = None, time: float | None = None, *, wait: bool = True, timeout: float | None = None
    ) -> int:
        """Let it run and stand at the end of exactly that step, or of the first one with that time or more."""
        goal = {name: value for name, value in (("step", step), ("time", time)) if value is not None}
        number = self._orders.give("until", **goal)
        return self._orders.until(number, lambda said: said.paused, timeout).step if wait else self.step_number

    def when(self, condition: str, then: str = "pause") -> int:
        """At the end of the step at which that comes to be true: "pause", or "note" it. A number for `forget()`."""
        try:
            wanted = Condition(condition)
        except NoCondition as error:
            raise SimulationError(str(error)) from None
        unknown = wanted.names - {"step", "time"} - set(self.declared)
        if unknown:
            raise SimulationError(f"{', '.join(sorted(unknown))}: no parameter of the simulation's is called so.")
        # A number that no other notebook's condition has: that one may still be waited for.
        number = self._orders.number()
        self._orders.give("when", id=number, text=condition, then=then)
        return number

    def forget(self, condition: int) -> None:
        """Nothing waits for that any more."""
        self._orders.give("unwhen", id=condition)

    def set(self, at: int | None = None, dry: bool = False, /, **values: object) -> dict[str, Value]:
        """Change parameters, at the end of the step it computes; what counts from then on, once that is so.

        `set(1000, F=0.05)`: at the end of step 1000. `dry`: only say what would be sent.
        """
        step = numbered(at)
        try:
            good = self.declared.checked(values)
        except Refused as error:
            raise SimulationError(str(error)) from None
        if dry:
            return good
        self._linked()
        number = self._orders.number()
        self._orders.tell({"do": "who", "number": number, "who": self._who})
        self._engine(lambda: self._host.desk.insitu_steer(number, step, good))
        if self._orders.answer(number, "The change is on its way") is not None:
            self._orders.soon(number, lambda _: True)
        return good

    # -- seeing ------------------------------------------------------------------------------------

    def extract(self, name: str) -> Any:
        """One of its sources as a source of ParaView's here, with the newest step: filters can be built on it."""
        self._linked()
        source = self._engine(lambda: self._host.desk.insitu_extract(name))
        before = self._host.desk.insitu_facts()["updates"]
        deadline = clock.monotonic() + LINKED
        # A step without it, that is under way, counts for nothing.
        while self._host.desk.insitu_facts()["updates"] <= before:
            said = self.said
            if not said.there or clock.monotonic() > deadline:
                raise SimulationError(f"Nothing of {name!r} has come yet. {said.words}")
            clock.sleep(TICK)
        deadline = clock.monotonic() + EMPTY
        while True:
            source.UpdatePipeline()
            # One without it may have been under way on a server, and empty; or there is nothing of it at this step.
            if source.GetDataInformation().GetNumberOfPoints() or clock.monotonic() > deadline:
                return source
            clock.sleep(TICK)

    def view(self, name: str, **options: Any) -> View:
        """The same in a view of its own, that shows each step as it comes."""
        self.extract(name)
        return self._show(self._engine(lambda: self._host.desk.insitu_view(name)), **options)

    def add(self, kind: str, name: str, of: str, **properties: Any) -> None:
        """A filter in the simulation itself, such as `add("Contour", "skin", of="input", Isosurfaces=[0.1])`."""
        self._linked()
        self._engine(lambda: self._host.desk.insitu_make(kind, name, of, properties))

    def change(self, name: str, **properties: Any) -> None:
        """Properties of one of its sources, such as `change("skin", Isosurfaces=[0.3])`."""
        self._linked()
        self._engine(lambda: self._host.desk.insitu_change(name, properties))

    def follow(self, *quantities: str) -> None:
        """Have these measured at every step from now on, such as "max(V)"."""
        followed = list(dict.fromkeys([*self._followed, *map(_quantity, quantities)]))
        self._orders.give("follow", quantities=followed)
        # What was refused is not asked for again with the next one.
        self._followed = followed

    def history(self, text: str) -> tuple[list[int], list[float], list[float]]:
        """Steps, times and values of a quantity that is followed."""
        name = _quantity(text)
        self._follower.look()
        points = [(step, time, values[name]) for step, time, values in self._follower.points if name in values]
        return [p[0] for p in points], [p[1] for p in points], [p[2] for p in points]

    def plot(self, *quantities: str) -> Chart:
        """How these change, live, from now on or since they have been followed."""
        from pvlink.monitor.chart import Chart

        self.follow(*quantities)
        self._charts.append(Chart(self, quantities))
        return self._charts[-1]

    def script(self, path: str | os.PathLike[str] | None = None, *, extracts: str = "extracts") -> str:
        """A Catalyst script (version 2) from the pipeline as it stands here: what runs with it has all of that in it.

        For codes that have ParaView's Catalyst in them, whatever their language. What extractors write goes into the
        folder `extracts`. It is checked, written into `path` if there is one, and returned.
        """
        parameters = {
            name: {"range": (one.low, one.high), "start": one.start, "unit": one.unit, "doc": one.doc}
            for name, one in self.declared.items()
        }
        text: str = self._host.desk.insitu_script(self.place, extracts, parameters)
        # Before it costs a job.
        compile(text, str(path or "script"), "exec")
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @property
    def closed(self) -> bool:
        """It is watched no more."""
        return self._follower.closed

    def begin_anew(self) -> None:
        """For its session, after a restart."""
        self._follower.begin_anew()

    # -- inside ------------------------------------------------------------------------------------

    def close(self) -> None:
        """Watch it no more; it goes on. May be called twice."""
        if self._follower.closed:
            # Who is waited for at that place by now is another one's.
            return
        for shown in (self._panel, *self._charts):
            if shown is not None:
                shown.close()
        self._panel, self._charts = None, []
        # Where the session has ended there is nobody to be told.
        with contextlib.suppress(StreamerLost):
            with contextlib.suppress(SimulationError):
                if self.paused and not self._orders.stays:
                    self._orders.tell({"do": "go", "number": self._orders.number()})
            self._host.ask("insitu-close")
        self._follower.close()

    def __repr__(self) -> str:
        try:
            state = self.state
        except PvlinkError as error:
            state = str(error)
        return f"<pvlink simulation at {self.place}: {state}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        from pvlink.monitor.panel import Panel

        if self._follower.closed:
            return {"text/plain": repr(self)}
        if self._panel is None:
            self._panel = Panel(self)
        return self._panel._repr_mimebundle_(**kwargs)

    def _linked(self) -> None:
        """Wait until ParaView has the simulation."""
        self._orders.need()
        deadline = clock.monotonic() + LINKED
        while True:
            facts = self._host.desk.insitu_facts()
            if facts["connected"]:
                return
            said = self._follower.look()
            if facts["wrong"]:
                raise SimulationError(facts["wrong"])
            if said.ended or clock.monotonic() > deadline:
                raise SimulationError(f"ParaView has no link to it ({said.link}). {said.words}")
            clock.sleep(TICK)

    def _engine(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except Exception as error:
            # Over the wire it comes as a class of that name only.
            if type(error).__name__.rpartition(".")[2] != "NoSimulation":
                raise
            raise SimulationError(str(error)) from None


def _quantity(text: str) -> str:
    """As the simulation names it. Raises SimulationError."""
    try:
        return str(quantity(text))
    except NoCondition as error:
        raise SimulationError(str(error)) from None


def _user() -> str:
    """In a container nobody may have a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
