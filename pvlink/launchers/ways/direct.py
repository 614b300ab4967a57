"""Nobody runs it: a process of its own, which outlives who has started it and ends by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pvlink.errors import JobError
from pvlink.launchers.order import Order
from pvlink.launchers.shells import Shell
from pvlink.launchers.site import Site
from pvlink.launchers.states import Report

# The words come as arguments: none of them becomes a part of the script.
_START = 'cat >"$1/script" && { setsid nohup bash -l "$1/script" >/dev/null 2>&1 </dev/null & echo $!; }'
_END = 'kill -TERM -- "-$1" 2>/dev/null || kill -TERM "$1" 2>/dev/null || :'
_JOB = re.compile(r"([0-9]{1,9})-([A-Za-z0-9-]+)")


class Direct:
    """On one machine. A job's number is that of its process, with the job's own key: numbers are given out again."""

    def __init__(self, site: Site, shell: Shell) -> None:
        self._site = site
        self._shell = shell

    def submit(self, order: Order, place: str, script: str) -> str:
        done = self._shell.run(["sh", "-c", _START, "sh", place], given=script)
        if done.code != 0 or not done.out.strip().isdigit():
            raise JobError(f"{self._site.name}: the job could not be started: {done.err.strip() or done.out.strip()}")
        return f"{done.out.strip()}-{place.rpartition('/')[2]}"

    def look(self, jobs: Iterable[str]) -> dict[str, Report]:
        wanted = {job: found for job in jobs if (found := _JOB.fullmatch(job))}
        if not wanted:
            return {}
        numbers = ",".join(found[1] for found in wanted.values())
        # All of a line, whatever COLUMNS says. It ends with 1 when one of them is gone.
        done = self._shell.run(["ps", "-ww", "-o", "pid=,args=", "-p", numbers])
        commands = dict(line.split(None, 1) for line in done.out.splitlines() if " " in line.strip())
        return {
            job: Report(job, "RUNNING" if found[2] in commands.get(found[1], "") else "COMPLETED")
            for job, found in wanted.items()
        }

    def cancel(self, job: str) -> None:
        report = self.look([job]).get(job)
        if report is not None and report.runs:
            self._shell.run(["sh", "-c", _END, "sh", job.partition("-")[0]])
