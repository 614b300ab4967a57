"""A job as a user has it."""

from __future__ import annotations

import datetime
import html
import time
from typing import Any

from pvlink.errors import JobError
from pvlink.launchers import amounts
from pvlink.launchers.cluster import Cluster
from pvlink.launchers.launched import Launched
from pvlink.launchers.records import Record
from pvlink.launchers.states import Standing, State
from pvlink.servers.origins import Options, Origin

# Between two looks while somebody waits.
TICK = 0.1


class Job:
    """What `pvlink.launch()` gives. `session.connect(job)` waits for it and shows what it holds."""

    def __init__(self, cluster: Cluster, record: Record) -> None:
        self._cluster = cluster
        self._record = record
        cluster.know(record)

    @property
    def key(self) -> str:
        """By which `pvlink.attach()` finds it again."""
        return self._record.key

    @property
    def number(self) -> str:
        """At Slurm's."""
        return self._record.job

    @property
    def site(self) -> str:
        return self._record.site

    @property
    def words(self) -> str:
        """What it has, for people."""
        return self._record.words

    @property
    def label(self) -> str:
        """For sentences."""
        return f"job {self.number} at {self.site}"

    @property
    def state(self) -> str:
        """ "waiting", "starting", "ready", "used" or "ended"."""
        return self.standing().state.value

    @property
    def sentence(self) -> str:
        """How it stands, and why."""
        return self.standing().sentence

    @property
    def nodes(self) -> str:
        """Where it runs, as Slurm writes them; empty while it waits."""
        return self.standing().nodes

    @property
    def remaining(self) -> datetime.timedelta | None:
        """Until its limit; none while it waits, and where nobody knows."""
        standing = self.standing()
        if standing.state in (State.WAITING, State.ENDED):
            return None
        end = standing.report.end if standing.report else None
        if end is None:
            end = self._record.launched + self._record.seconds
        return datetime.timedelta(seconds=max(0, round(end - time.time())))

    def wait(self, timeout: float | None = None) -> Job:
        """Until it is ready. Raises JobError when it ends before, or is not ready in time."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (standing := self.standing()).state not in (State.READY, State.USED):
            if standing.is_hopeless:
                raise JobError(f"{self._begin} {self.hopeless(standing)}")
            if deadline is not None and time.monotonic() > deadline:
                raise JobError(f"{self._begin} is not ready after {timeout:.0f} s. {standing.sentence}")
            time.sleep(TICK)
        return self

    def cancel(self) -> None:
        """End it, and what runs in it."""
        if self.standing().state is not State.ENDED:
            self._cluster.cancel(self.key)

    def extend(self, time: str | datetime.timedelta) -> datetime.timedelta | None:
        """So much longer, where the cluster allows it; what remains then."""
        more, standing = amounts.duration(time), self.standing()
        if standing.state is State.ENDED:
            raise JobError(f"{self._begin} has ended. {standing.sentence}")
        seconds = self._record.seconds
        if standing.report is not None and None not in (standing.report.end, standing.report.start):
            seconds = round((standing.report.end or 0) - (standing.report.start or 0))
        self._cluster.extend(self.key, seconds + more)
        self.standing(now=True)
        return self.remaining

    def log(self, lines: int = 40) -> str:
        """The last lines of what it has written."""
        return self._cluster.log(self.key, lines)

    def standing(self, *, now: bool = False) -> Standing:
        """All that is known. `now`: even if it was asked a moment ago."""
        return self._cluster.look(self.key, now=now)

    def origin(self, options: dict[str, Any]) -> Origin:
        """For `session.connect(job)`."""
        return Launched(self, self._cluster, Options(**{"timeout": 86400.0, **options}))

    def hopeless(self, standing: Standing) -> str:
        """Why there is nothing to wait for, and what to do: the rest of a sentence, and more."""
        if standing.state is State.ENDED:
            return f"has ended. {standing.sentence}"
        return f"will not start. {standing.sentence} pvlink cancel {self.number} takes it out of the queue."

    @property
    def _begin(self) -> str:
        return f"{self.label[:1].upper()}{self.label[1:]}"

    def __repr__(self) -> str:
        return f"<{self.label}: {self._record.words}. {self._told()}>"

    def _told(self) -> str:
        try:
            return self.sentence
        except JobError as error:
            return str(error)

    def _repr_html_(self) -> str:
        standing, remaining = self._told(), self.remaining
        rows = [
            ("Job", f"{self.number} at {self.site}"),
            ("Has", self._record.words),
            ("State", standing),
            *([("Nodes", self.nodes)] if self.nodes else []),
            *([("Time left", amounts.duration_words(remaining.total_seconds()))] if remaining is not None else []),
        ]
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for name, text in rows
        )
        return f"<table>{cells}</table>"
