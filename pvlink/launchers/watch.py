"""Tells a user in time that a job's time is nearly over: in the cell that runs or ran last, and below its views."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING

from pvlink.errors import JobError
from pvlink.launchers import amounts
from pvlink.launchers.states import State

if TYPE_CHECKING:
    from pvlink.launchers.job import Job

# A scheduler may change a limit at any time; between two looks, in seconds.
LOOK = 20.0
# What is left is said anew each time this has passed.
TICK = 10.0


def sentence(label: str, left: float, can_extend: bool) -> str:
    extend = 'job.extend("30:00") asks for more; ' if can_extend else ""
    said = f"{label} ends in {amounts.duration_words(left)}. {extend}job.renew() moves to a new job."
    return said[:1].upper() + said[1:]


class Watch:
    """One thread for one job, as long as it runs."""

    def __init__(self, job: Job, warning: float) -> None:
        self._job = job
        self._warning = warning
        self._warned = False
        self._thread = threading.Thread(target=self._follow, daemon=True, name="pvlink job")
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _follow(self) -> None:
        while True:
            try:
                standing, remaining = self._job.standing(), self._job.remaining
            except JobError:
                # The link is cut; it may come back.
                time.sleep(LOOK)
                continue
            if standing.state is State.ENDED:
                self._job.tell("")
                return
            if remaining is None:
                time.sleep(LOOK)
                continue
            left = remaining.total_seconds()
            self._say(left)
            time.sleep(TICK if left <= self._warning else min(LOOK, left - self._warning + 1.0))

    def _say(self, left: float) -> None:
        if left > self._warning:
            if self._warned:
                # It was extended.
                self._job.tell("")
                self._warned = False
            return
        said = sentence(self._job.label, left, self._job.can_extend)
        self._job.tell(said)
        # Each time: what is done in the last minutes counts, too.
        kept = None
        with contextlib.suppress(OSError):
            kept = self._job.keep()
        if not self._warned:
            self._warned = True
            where = f" The pipeline is saved in {kept}." if kept else ""
            print(f"pvlink: {said}{where}", file=sys.stderr)  # noqa: T201
