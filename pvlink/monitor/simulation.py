"""`session.monitor()`: a running simulation as an object, that shows itself in a cell and takes orders."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
import threading
import time as clock
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pvlink.errors import SimulationError
from pvlink.insitu.conditions import Condition, NoCondition, quantity
from pvlink.insitu.parameters import Parameters, Refused, Value, received
from pvlink.monitor.said import Follower, Said

if TYPE_CHECKING:
    from pvlink.monitor.chart import Chart
    from pvlink.monitor.panel import Panel
    from pvlink.view import View

# An order is followed at the end of a step, which may take long; after so many seconds it is on its way, and said so.
PATIENCE = 10.0
TICK = 0.05
# Until ParaView has the simulation's first step, in seconds.
LINKED = 30.0


class Host(Protocol):
    """The session."""

    desk: Any

    def ask(self, op: str, **facts: Any) -> dict[str, Any]: ...


class Simulation:
    """What `session.monitor()` returns. Leave it as a cell's last expression to see how the simulation is."""

    def __init__(self, host: Host, place: str, show: Callable[..., View]) -> None:
        self._host = host
        self._show = show
        self.place = place
        self._follower = Follower(host.ask)
        self._numbers = int(clock.time() * 1000)
        self._lock = threading.Lock()
        self._conditions = 0
        # A pause outlives whoever asked for it.
        self._stays = False
        self._followed: list[str] = []
        self._panel: Panel | None = None
        self._who = f"{getpass.getuser()}@{socket.gethostname()}"

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
    def time(self) -> float:
        """Its own time, at that step."""
        return float(self.said.status.get("time", 0.0))

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
        who = self.said.simulation
        return received([] if who is None else who.get("parameters"))

    @property
    def events(self) -> list[dict[str, Any]]:
        """What has happened since it has been watched, as it was said."""
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
        self._stays = stays
        self._followed_up(self._order("pause", stays=stays), lambda said: said.paused, PATIENCE)

    def resume(self) -> None:
        """Let it run."""
        self._followed_up(self._order("go"), lambda said: not said.paused, PATIENCE)

    def step(self, steps: int = 1, *, timeout: float | None = 60.0) -> int:
        """Have it compute so many steps and stand; the number of the step it stands at then."""
        if not self.paused:
            self._followed_up(self._order("pause"), lambda said: said.paused, timeout)
        return self._followed_up(self._order("step", steps=steps), lambda said: said.paused, timeout).step

    def run_until(
        self, step: int | None = None, time: float | None = None, *, wait: bool = True, timeout: float | None = None
    ) -> int:
        """Let it run and stand at the end of exactly that step, or of the first one with that time or more."""
        goal = {name: value for name, value in (("step", step), ("time", time)) if value is not None}
        number = self._order("until", **goal)
        return self._followed_up(number, lambda said: said.paused, timeout).step if wait else self.step_number

    def when(self, condition: str, then: str = "pause") -> int:
        """At the end of the step at which that comes to be true: "pause", or "note" it. A number for `forget()`."""
        try:
            wanted = Condition(condition)
        except NoCondition as error:
            raise SimulationError(str(error)) from None
        unknown = wanted.names - {"step", "time"} - set(self.declared)
        if unknown:
            raise SimulationError(f"{', '.join(sorted(unknown))}: no parameter of the simulation's is called so.")
        self._conditions += 1
        self._order("when", id=self._conditions, text=condition, then=then)
        return self._conditions

    def forget(self, condition: int) -> None:
        """Nothing waits for that any more."""
        self._order("unwhen", id=condition)

    def set(self, at: int | None = None, dry: bool = False, /, **values: object) -> dict[str, Value]:
        """Change parameters, at the end of the step it computes; what counts from then on, once that is so.

        `set(1000, F=0.05)`: at the end of step 1000. `dry`: only say what would be sent.
        """
        good = self._checked(values)
        if dry:
            return good
        number = self._number()
        self._tell({"do": "who", "number": number, "who": self._who})
        self._engine(lambda: self._host.desk.insitu_steer(number, -1 if at is None else at, good))
        answer = self._answer(number, "The change is on its way")
        if answer is not None and answer["kind"] == "refused":
            raise SimulationError(answer["why"])
        if answer is not None:
            self._followed_up(number, lambda _: True, PATIENCE)
        return good

    def _checked(self, values: Mapping[str, object]) -> dict[str, Value]:
        try:
            return self.declared.checked(values)
        except Refused as error:
            raise SimulationError(str(error)) from None

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
        source.UpdatePipeline()
        return source

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
        try:
            wanted = [str(quantity(text)) for text in quantities]
        except NoCondition as error:
            raise SimulationError(str(error)) from None
        self._followed = list(dict.fromkeys([*self._followed, *wanted]))
        self._order("follow", quantities=self._followed)

    def history(self, text: str) -> tuple[list[int], list[float], list[float]]:
        """Steps, times and values of a quantity that is followed."""
        self._follower.look()
        name = str(quantity(text))
        points = [(step, time, values[name]) for step, time, values in self._follower.points if name in values]
        return [p[0] for p in points], [p[1] for p in points], [p[2] for p in points]

    def plot(self, *quantities: str) -> Chart:
        """How these change, live, from now on or since they have been followed."""
        from pvlink.monitor.chart import Chart

        self.follow(*quantities)
        return Chart(self, quantities)

    # -- inside ------------------------------------------------------------------------------------

    def close(self) -> None:
        """Watch it no more; it goes on."""
        if self._panel is not None:
            self._panel.close()
        with contextlib.suppress(SimulationError):
            if self.paused and not self._stays:
                self._tell({"do": "go", "number": self._number()})
        self._host.ask("insitu-close")

    def __repr__(self) -> str:
        return f"<pvlink simulation at {self.place}: {self.state}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        from pvlink.monitor.panel import Panel

        if self._panel is None:
            self._panel = Panel(self)
        return self._panel._repr_mimebundle_(**kwargs)

    def _number(self) -> int:
        with self._lock:
            self._numbers += 1
            return self._numbers

    def _tell(self, order: dict[str, Any]) -> None:
        try:
            self._host.ask("insitu-order", order=order)
        except ValueError as error:
            raise SimulationError(str(error)) from None

    def _order(self, what: str, **facts: Any) -> int:
        number = self._number()
        self._tell({"do": what, "number": number, **facts})
        answer = self._answer(number, "It will be followed")
        if answer is not None and answer["kind"] == "refused":
            raise SimulationError(answer["why"])
        return number

    def _answer(self, number: int, meanwhile: str) -> dict[str, Any] | None:
        """None: its step takes long; that is said."""
        deadline = clock.monotonic() + PATIENCE
        while clock.monotonic() < deadline:
            said = self._follower.look()
            if (answer := self._follower.answer(number)) is not None:
                return answer
            if not said.there:
                raise SimulationError(said.words)
            clock.sleep(TICK)
        print(f"pvlink: {meanwhile} at the end of the step that it computes now.")  # noqa: T201 - in the cell
        return None

    def _followed_up(self, number: int, so: Callable[[Said], bool], timeout: float | None) -> Said:
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

    def _linked(self) -> None:
        """Wait until ParaView has the simulation."""
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
        except RuntimeError as error:
            if type(error).__name__ == "NoSimulation":
                raise SimulationError(str(error)) from None
            raise
