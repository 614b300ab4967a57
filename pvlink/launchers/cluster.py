"""One site as it is reached from here, and all jobs of it that this kernel knows: launched, looked at, ended."""

from __future__ import annotations

import contextlib
import datetime
import fnmatch
import json
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from pvlink.errors import JobError
from pvlink.launchers import amounts, batch, records, slurm, states
from pvlink.launchers.order import settle
from pvlink.launchers.pace import Pace
from pvlink.launchers.records import Record
from pvlink.launchers.shells import Shell
from pvlink.launchers.shells.here import Here
from pvlink.launchers.shells.ssh import Ssh
from pvlink.launchers.site import Site
from pvlink.launchers.states import Report, Standing, State
from pvlink.launchers.ways import way

_PARTS = Path(__file__).resolve().parent.parent
# Seconds between two questions, at first and at most: for a scheduler of thousands, and for a small file.
QUEUE, STATUS = (0.5, 20.0), (0.2, 2.0)
# How long after its end a job's last word may take to be seen, in seconds: over a network's file system.
SETTLE = 5.0


class Cluster:
    """Its answers are kept for a moment: who asks for each of ten jobs asks the scheduler once."""

    def __init__(self, site: Site, where: str, shell: Shell | None = None, *, inside: str = "") -> None:
        """`where`: by what the site is found again, a name or a file; `inside`: the job of Slurm's that it is in."""
        self.site = site
        self._where = where
        self._inside = inside
        self.shell = shell or _shell(site)
        self._way = way(site, self.shell)
        self._lock = threading.RLock()
        self._records: dict[str, Record] = {}
        self._reports: dict[str, Report | None] = {}
        self._statuses: dict[str, dict[str, Any]] = {}
        self._standings: dict[str, Standing] = {}
        # Since when a scheduler says that it has ended, and the job itself does not.
        self._over_since: dict[str, float] = {}
        self._queue_pace, self._status_pace = Pace(*QUEUE), Pace(*STATUS)

    @property
    def is_here(self) -> bool:
        """Whether this machine is one of its own."""
        return isinstance(self.shell, Here)

    def launch(self, **options: Any) -> Record:
        """Hand it in. Raises OptionError, JobError."""
        order = settle(self.site, **options)
        now = time.time()
        plan = batch.plan(order, records.new_key(now), self.home())
        script = batch.script(order, plan, {part: (_PARTS / part).read_text() for part in batch.PARTS})
        self._run(["mkdir", "-p", plan.place], "the job's folder could not be made")
        self._run(["chmod", "700", plan.place], "the job's folder could not be closed to others")
        job = self._way.submit(order, plan.place, script)
        record = Record(
            plan.key, self.site.name, self._where, job, plan.place, order.words, now, order.seconds, _plain(options)
        )
        record = replace(record, inside=self._inside)
        self.know(record)
        records.write(record)
        return record

    def know(self, record: Record) -> None:
        with self._lock:
            self._records[record.key] = record
            self._queue_pace.hurry()
            self._status_pace.hurry()

    def look(self, key: str, *, now: bool = False) -> Standing:
        """How a job stands. `now`: also where it was asked a moment ago. Raises JobError."""
        with self._lock:
            known = self._standings.get(key)
            if known is None or known.state is not State.ENDED:
                if now or known is None:
                    self._queue_pace.hurry()
                    self._status_pace.hurry()
                self._refresh()
            return self._standings[key]

    def cancel(self, key: str) -> None:
        """Raises JobError."""
        self._way.cancel(self._records[key].job)
        with self._lock:
            self._queue_pace.hurry()

    def extend(self, key: str, seconds: int) -> None:
        """A new limit, counted from its start. Raises JobError."""
        if self.site.scheduler != "slurm":
            raise JobError(f"{self.site.name} has no scheduler: a job's time there is what it was launched with.")
        done = self.shell.run(slurm.extend(self.site, self._records[key].job, seconds))
        if done.code != 0:
            raise slurm.refused("scontrol", done.err or done.out)
        with self._lock:
            self._queue_pace.hurry()

    def log(self, key: str, lines: int) -> str:
        """The end of what the job, its server and Slurm have written."""
        place = self._records[key].place
        names = [f"{place}/{name}" for name in ("slurm.log", "job.log", "server.log", "outpost.log")]
        return states.without_colours(self.shell.run(["tail", "-q", "-n", str(lines), *names]).out)

    # How they stand.

    def _refresh(self) -> None:
        now = time.monotonic()
        open_jobs = [one for key, one in self._records.items() if not self._has_ended(key)]
        if open_jobs and self._queue_pace.due(now):
            before = dict(self._reports)
            found = self._way.look(one.job for one in open_jobs)
            self._reports |= {one.key: found.get(one.job) for one in open_jobs}
            self._queue_pace.asked(now, changed=self._reports != before)
        # A scheduler may know of an end before the job's own last word is seen.
        silent = [one for one in open_jobs if self._is_over(one.key) and not self._has_said_why(one.key)]
        if open_jobs and (silent or self._status_pace.due(now)):
            said = self._said(open_jobs)
            self._status_pace.asked(now, changed=any(self._statuses.get(key) != one for key, one in said.items()))
            self._statuses |= said
        for one in open_jobs:
            found_now = states.standing(self._reports.get(one.key), self._statuses.get(one.key), time.time())
            if found_now.why in states.UNSURE and self._settles(one.key, now):
                found_now = Standing(State.ENDING, "It is being ended.", None, found_now.report, found_now.status)
            self._standings[one.key] = found_now
            if found_now.state is State.ENDED:
                self._end(one, found_now)

    def _is_over(self, key: str) -> bool:
        """As the scheduler has it."""
        report = self._reports.get(key)
        return key in self._reports and (report is None or report.why_ended is not None)

    def _settles(self, key: str, now: float) -> bool:
        """Whether its own last word may still come."""
        return not self._has_said_why(key) and now - self._over_since.setdefault(key, now) < SETTLE

    def _has_said_why(self, key: str) -> bool:
        return self._statuses.get(key, {}).get("state") == "ended"

    def _has_ended(self, key: str) -> bool:
        known = self._standings.get(key)
        return known is not None and known.state is State.ENDED

    def _end(self, record: Record, standing: Standing) -> None:
        # Where the home is full the record stays as it was, and is looked up again another day.
        with contextlib.suppress(OSError):
            records.write(Record(**{**_facts(record), "ended": standing.sentence}))

    def _said(self, jobs: Iterable[Record]) -> dict[str, dict[str, Any]]:
        """What they say of themselves; nothing of those that have not said anything yet."""
        text = self.shell.run(["cat", *(f"{one.place}/status" for one in jobs)]).out
        found: dict[str, dict[str, Any]] = {}
        decoder = json.JSONDecoder()
        while text := text.lstrip():
            try:
                status, end = decoder.raw_decode(text)
                found[str(status["key"])] = status
            except (ValueError, TypeError, KeyError, RecursionError):
                break
            text = text[end:]
        return found

    def home(self) -> str:
        """Of the user, there. Raises JobError."""
        home = self._run(["printenv", "HOME"], "there is no home").strip()
        if not home.startswith("/"):
            raise JobError(f"{self.site.name}: the home is {home!r}, which is no folder.")
        return home.rstrip("/")

    def _run(self, command: list[str], wrong: str) -> str:
        done = self.shell.run(command)
        if done.code != 0:
            raise JobError(
                f"{self.site.name}: {wrong}: {done.err.strip() or done.out.strip() or 'no reason was given'}"
            )
        return done.out


def _shell(site: Site) -> Shell:
    """From inside the cluster there is no need for ssh."""
    if site.ssh is None or any(fnmatch.fnmatch(os.uname().nodename, pattern) for pattern in site.ssh.inside):
        return Here()
    return Ssh(site.ssh)


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    """As JSON has them: a time may have come as Python's."""
    given = {name: value for name, value in options.items() if value is not None}
    times = {name: value for name, value in given.items() if isinstance(value, datetime.timedelta)}
    return {**given, **{name: amounts.clock(value.total_seconds()) for name, value in times.items()}}


def _facts(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}
