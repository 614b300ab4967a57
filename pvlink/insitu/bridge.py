"""Shows a running simulation to a notebook, and lets the notebook steer it, within what its author has declared.

    bridge = Bridge(parameters={"F": (0.0, 0.1)})
    for step in range(steps):
        ...
        bridge.update(step, time, {"input": grid})
        F = bridge["F"]
    bridge.close()

With MPI every rank makes one and calls `update` at every step. Whether somebody watches or not, whatever becomes of who
watches: the simulation computes the same, and stands still only where it was told to.
"""

from __future__ import annotations

import atexit
import socket
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from pvlink.insitu.about import introduction
from pvlink.insitu.helm import Event, Helm, Nonsense
from pvlink.insitu.live import Live
from pvlink.insitu.mailbox import Mailbox
from pvlink.insitu.measures import measured
from pvlink.insitu.moment import Grids, Moment
from pvlink.insitu.parameters import Refused, Value, declared
from pvlink.insitu.provenance import Provenance
from pvlink.insitu.ranks import Ranks

PLACE = "localhost:22222"
# Between two looks while it stands, in seconds.
LOOK = 0.02
# How things stand is said so often, in seconds.
STATUS = 0.1
# Steps whose quantities wait to be told, while nobody takes them: all of them are one line.
MAX_POINTS = 500


class Bridge:
    """A simulation's, one a process."""

    def __init__(
        self,
        live: str = PLACE,
        *,
        parameters: Mapping[str, object] | None = None,
        name: str = "",
        log: str | None = None,
        replay: str | None = None,
    ) -> None:
        """`live`: where a notebook may listen (`session.monitor("host:port")`); nobody has to.

        `parameters`: {"F": (lowest, highest)}, (lowest, highest, start), or {"range": (0.0, 0.1), "start": 0.04,
        "unit": "1/s", "doc": "feed rate"}. `log`: the file that every change is written into, made at the first one.
        `replay`: such a file of another run, whose changes are made at the same steps.
        """
        if not live.rpartition(":")[2].isdecimal():
            raise ValueError(f"live={live!r} is no place: where a notebook may listen is such as {PLACE!r}.")
        self._parameters = declared(parameters)
        self._values: dict[str, Value] = {name: one.start for name, one in self._parameters.items()}
        self._ranks = Ranks()
        self._live = Live(self._parameters)
        self._helm = Helm()
        self._provenance = Provenance(log, replay, self._parameters)
        hosts = self._ranks.everybody(socket.gethostname())
        self._mailbox: Mailbox | None = None
        if self._ranks.first:
            self._mailbox = Mailbox(introduction(live, name, self._live.version, hosts, self._parameters))
        self._closed = False
        # What the notebook wants to see, whether it takes a step now, and whether it has changed something.
        self._wanted: list[str] = []
        self._invited = self._asked = False
        # This step was delivered.
        self._shown = False
        # Where ParaView can be linked to.
        self._port: int | None = None
        # Orders for the parameters that are to count from a later step on: number, step, values, who.
        self._later: list[tuple[int, int, dict[str, Value], str]] = []
        self._who: dict[int, str] = {}
        self._delivered = self._skipped = 0
        self._points: list[list[Any]] = []
        self._began = self._status_at = time.monotonic()
        # Seconds: in here, of that for what is seen itself, and standing.
        self._spent = self._own = self._stood = 0.0
        self._step, self._time = -1, 0.0
        self._steps: list[tuple[float, int]] = []
        # The last order that was followed, or refused.
        self._ordered = 0
        atexit.register(self.close, "ended")

    def __getitem__(self, name: str) -> Value:
        """What a parameter is now."""
        self._parameters.known(name)
        return self._values[name]

    def __setitem__(self, name: str, value: object) -> None:
        """What the simulation itself has set: the notebook shows it. Raises Refused, a ValueError."""
        self._values[name] = self._parameters.known(name).checked(value)
        self._live.keep({name: self._values[name]})

    def update(self, step: int, time: float, grids: Grids, *, extents: Mapping[str, Any] | None = None) -> None:
        """The end of a step: here it may be seen, paused, and changed.

        `grids`: data sets by name, each this rank's part, or functions that make them when somebody looks.
        `extents`: of the whole, by name, where parts are images, rectilinear or structured.
        """
        began = _now()
        stood = self._stood
        self._step, self._time = int(step), float(time)
        view = Moment(grids, extents or {}, self._live.show, self._live.there)
        self._shown = False
        self._obey(self._hear())
        values = measured(self._helm.needs, view.grids, self._ranks) if self._helm.needs else {}
        self._settle_later()
        events = self._helm.end_of_step(self._step, self._time, {**self._values, **values})
        self._tell(events)
        self._note(values)
        if not self._seen(view) and self._wanted:
            self._skipped += 1
        while self._helm.paused:
            self._stand(view)
        self._spent += _now() - began - (self._stood - stood)
        self._report()

    def close(self, how: str = "finished") -> None:
        """The simulation is over. May be called twice."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        self._live.connect(None)
        if self._mailbox is not None:
            self._mailbox.say(status=self._status())
            self._mailbox.close(how)

    def __enter__(self) -> Bridge:  # noqa: PYI034 - Python 3.9 has no Self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close("finished" if kind is None else f"{kind.__name__}: {error}"[:500])

    # -- one rank hears, all do --------------------------------------------------------------------

    def _hear(self) -> list[dict[str, Any]]:
        said = (self._mailbox.heard() or None) if self._mailbox is not None else None
        for facts in said or []:
            if "complains" in facts:
                print(f"pvlink: {facts['complains']}", file=sys.stderr, flush=True)
            if "next" in facts and not self._live.heard(int(facts["next"].get("ready", 0))):
                # Its ferry died in between, or there is another link since.
                del facts["next"]
        return self._ranks.share(said) or []

    def _obey(self, said: list[dict[str, Any]]) -> None:
        for facts in said:
            if "order" in facts:
                self._order(facts["order"])
            if "live" in facts:
                self._invited = False
                self._live.connect(None)
                self._port = facts["live"]
            if "next" in facts:
                wish = facts["next"]
                self._invited = True
                self._asked = self._asked or wish.get("ask") is True
                self._wanted = [str(name) for name in wish.get("wanted", [])]
            if "owner" in facts:
                if facts["owner"]:
                    self._helm.owner_came()
                else:
                    self._invited, self._wanted = False, []
                    self._helm.owner_left(self._ranks.share(_now()))
        # Each rank has a clock of its own: the first one's counts.
        if self._helm.left:
            self._tell(self._helm.look(self._ranks.share(_now())))

    def _order(self, order: Any) -> None:
        number = order.get("number")
        if order.get("do") == "who":
            # The values come with ParaView's proxies; this is who sends them.
            self._who[int(number)] = str(order.get("who", ""))[:200]
            return
        # Whoever gave it waits to see what came of it.
        self._ordered, self._status_at = max(self._ordered, int(number)), 0.0
        try:
            self._helm.order(order)
        except Nonsense as error:
            self._say(event={"kind": "refused", "number": number, "why": str(error)})
        else:
            self._say(event={"kind": "done", "number": number, "step": self._step, "paused": self._helm.paused})

    # -- seeing ------------------------------------------------------------------------------------

    def _seen(self, view: Moment) -> bool:
        """Whether this step was delivered: it was if one was asked for."""
        if self._port is not None:
            # What there is to see is told when a link is made, and not again.
            view.show()
            self._live.connect(self._port)
            self._port = None
        # Of one that stands all that may be new is what was asked for since.
        if not (self._invited and self._live.linked) or (self._shown and not self._asked):
            return False
        self._invited = self._asked = False
        self._shown = True
        began = _now()
        view.show()
        self._own += _now() - began
        order = self._live.ask(self._step, self._time)
        if order is not None:
            self._change(*order)
        began = _now()
        self._live.make(self._time, self._wanted)
        self._own += _now() - began
        self._live.deliver(self._step, self._time)
        self._delivered += 1
        return True

    def _stand(self, view: Moment) -> None:
        """Paused: what is asked for is done all the same."""
        began = _now()
        time.sleep(LOOK)
        self._obey(self._hear())
        self._seen(view)
        self._stood += _now() - began
        self._report()

    # -- changing ----------------------------------------------------------------------------------

    def _change(self, number: int, at: int, values: dict[str, Value]) -> None:
        """An order for the parameters has come, on all ranks at once."""
        who = self._who.pop(number, "")
        self._ordered, self._status_at = max(self._ordered, number), 0.0
        try:
            changed = {
                name: value for name, value in self._parameters.checked(values).items() if value != self._values[name]
            }
        except Refused as error:
            self._refuse(number, str(error))
            return
        if at < -1:
            self._refuse(number, "From which step on it is to count is no number of a step.")
        elif at > self._step:
            self._later.append((number, at, changed, who))
            self._say(event={"kind": "waits", "number": number, "at": at})
        elif 0 <= at < self._step:
            self._refuse(number, f"Step {at} is over: the simulation is at step {self._step}.")
        else:
            self._apply(number, changed, who)

    def _refuse(self, number: int, why: str) -> None:
        self._live.keep(self._values)
        self._say(event={"kind": "refused", "number": number, "why": why})

    def _settle_later(self) -> None:
        for number, _at, changed, who in [one for one in self._later if one[1] <= self._step]:
            self._later = [one for one in self._later if one[0] != number]
            self._apply(number, changed, who)
        for changed, who in self._provenance.due(self._step):
            self._apply(None, changed, who)

    def _apply(self, number: int | None, changed: Mapping[str, Value], who: str) -> None:
        """From the computation of the next step on."""
        changes = [
            {"step": self._step, "time": self._time, "name": name, "old": self._values[name], "new": value, "who": who}
            for name, value in changed.items()
        ]
        self._values.update(changed)
        self._live.keep(self._values)
        if self._ranks.first:
            self._provenance.write(changes)
        self._say(event={"kind": "changed", "number": number, "step": self._step, "changes": changes})

    # -- telling -----------------------------------------------------------------------------------

    def _say(self, **facts: Any) -> None:
        if self._mailbox is not None:
            self._mailbox.say(**facts)

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            facts = {"kind": event.kind, "step": self._step, "time": self._time, **event.facts}
            self._say(event=facts)

    def _note(self, values: Mapping[str, float]) -> None:
        if values and self._mailbox is not None:
            self._points.append([self._step, self._time, values])
            del self._points[:-MAX_POINTS]

    def _report(self) -> None:
        if self._mailbox is None or (now := _now()) - self._status_at < STATUS:
            return
        self._status_at = now
        if self._mailbox.show(self._status()):
            self._points = []

    def _status(self) -> dict[str, Any]:
        now = _now()
        self._steps = [*self._steps[-20:], (now, self._step)]
        (since, first), (until, last) = self._steps[0], self._steps[-1]
        return {
            "step": self._step,
            "time": self._time,
            "rate": (last - first) / (until - since) if until > since else 0.0,
            "share": self._spent / max(now - self._began - self._stood, 1e-9),
            "own": self._own,
            "ordered": self._ordered,
            "paused": self._helm.paused,
            "why": self._helm.why,
            "values": self._values,
            "delivered": self._delivered,
            "skipped": self._skipped,
            "sources": self._live.sources,
            "conditions": self._helm.conditions,
            "points": self._points,
            "log": str(self._provenance.path or ""),
        }


def _now() -> float:
    return time.monotonic()
