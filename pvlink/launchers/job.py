"""A job as a user has it."""

from __future__ import annotations

import datetime
import html
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pvlink.companions import Place, Taker
from pvlink.errors import JobError
from pvlink.launchers import amounts, records
from pvlink.launchers.cluster import Cluster
from pvlink.launchers.far.place import Far
from pvlink.launchers.launched import Launched
from pvlink.launchers.records import Record
from pvlink.launchers.shells import Dialled
from pvlink.launchers.states import Standing, State
from pvlink.launchers.watch import Watch
from pvlink.progress import ProgressBar
from pvlink.servers.origins import Options, Origin

# Between two looks while somebody waits.
TICK = 0.1


class Job:
    """What `pvlink.launch()` gives. `session.connect(job)` waits for it and shows what it holds."""

    def __init__(self, cluster: Cluster, record: Record) -> None:
        self._cluster = cluster
        self._record = record
        # Sessions that have something of it, and how much: its server, its node, or both.
        self._takers: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._watch: Watch | None = None
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
        """ "waiting", "starting", "ready", "used", "ending" or "ended"."""
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
        """Until it is ready; the cell shows why it waits. Raises JobError when it ends before, or takes too long."""
        began, bar = time.monotonic(), ProgressBar()
        try:
            while (standing := self.standing()).state not in (State.READY, State.USED):
                waited = time.monotonic() - began
                if standing.is_hopeless:
                    raise JobError(f"{self._begin} {self.hopeless(standing)}")
                if timeout is not None and waited > timeout:
                    raise JobError(f"{self._begin} is not ready after {timeout:.0f} s. {standing.sentence}")
                # Another thread has no cell that it could say it in.
                if threading.current_thread() is threading.main_thread():
                    bar.report(f"{self.label}: {standing.sentence}", None)
                    bar.on_wait(waited)
                time.sleep(TICK)
        finally:
            bar.done()
        return self

    def cancel(self) -> None:
        """End it, and what runs in it."""
        if self.standing().state is not State.ENDED:
            self._cluster.cancel(self.key)

    @property
    def can_extend(self) -> bool:
        """Whether there is somebody to ask for more time."""
        return self._cluster.site.scheduler == "slurm"

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

    def renew(self, **changes: Any) -> Job:
        """Another job in its place, asked for as this one was but for `changes`: `renew(time="2h")`.

        Waits until that is ready; then connected sessions go over to it, with the same pipeline, cameras and cells, and
        this one ends. Whatever goes wrong before, this one stays.
        """
        former = self._record
        successor = self._cluster.launch(**{**former.options, **changes})
        another = Job(self._cluster, successor)
        print(f"pvlink: {another.label}: {another.words}. {self.label} goes on until it is ready.")  # noqa: T201
        try:
            another.wait()
        except BaseException:
            another.cancel()
            raise
        self._record = successor
        for session in list(self._takers):
            session.follow()
        self._cluster.cancel(former.key)
        return self

    def resize(self, *, nodes: int | None = None, **changes: Any) -> Job:
        """The same on more nodes, or fewer; or with other memory, ranks or GPUs. As `renew`."""
        return self.renew(nodes=nodes, **changes)

    def taken(self, by: Taker) -> None:
        """A session is connected to its server, or has its ParaView on its node."""
        self._takers[by] = self._takers.get(by, 0) + 1
        if self._watch is None or not self._watch.alive:
            self._watch = Watch(self, amounts.duration(self._cluster.site.end.warning))

    def left(self, by: Taker) -> None:
        """That session is elsewhere now, and hears no more of it."""
        more = self._takers.pop(by, 1) - 1
        if more:
            self._takers[by] = more
        else:
            by.notice("")

    def tell(self, message: str) -> None:
        """Say so below the views of all sessions that are connected to it; empty: no more."""
        for session in list(self._takers):
            session.notice(message)

    def keep(self) -> Path | None:
        """Have the pipeline on disk, too: a state file that any ParaView opens."""
        path = records.folder() / f"{self.key}.pvsm"
        # The last one counts; there is one session, as a rule.
        kept = [session.keep(path) for session in list(self._takers)]
        return path if any(kept) else None

    def log(self, lines: int = 40) -> str:
        """The last lines of what it has written."""
        return self._cluster.log(self.key, lines)

    def standing(self, *, now: bool = False) -> Standing:
        """All that is known. `now`: even if it was asked a moment ago."""
        return self._cluster.look(self.key, now=now)

    def dial(self) -> Dialled:
        """A connection to its door, for who has its connect-id. Raises JobError."""
        status = self.wait().standing().status
        return self._cluster.shell.dial(status["host"], status["door"], status["port"])

    @property
    def connect_id(self) -> int:
        """Who has it is let in. Raises JobError."""
        return int(self.wait().standing().status["connect_id"])

    def place(self, program: str | None = None) -> Callable[[str], Place]:
        """For `pvlink.start(on=job)`; `program`: ParaView's Python there, if it is not the site's."""
        return lambda session: Far(session, self, program)

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
