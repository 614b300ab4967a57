"""A server in a job, as sessions connect to one: waited for, reached, had again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pvlink.companions import Taker
from pvlink.errors import JobError, ServerError
from pvlink.launchers.cluster import Cluster
from pvlink.launchers.states import State
from pvlink.servers import versions
from pvlink.servers.link import Line, Link, Wish
from pvlink.servers.origins import Engine, Options, Packing
from pvlink.servers.server import Told

if TYPE_CHECKING:
    from pvlink.launchers.job import Job

# A steward greets within milliseconds; a new server needs some seconds on a cold file system.
GREETING_SECONDS = 60.0
TICK = 0.1


class Launched:
    """An origin: `pvlink.servers.origins`."""

    def __init__(self, job: Job, cluster: Cluster, options: Options) -> None:
        self._job = job
        self._cluster = cluster
        self.options = options
        self.packing = Packing(options.compression)
        self._status: dict[str, Any] = {}
        self._how = ""
        self._opened = ""

    @property
    def label(self) -> str:
        """It may be another one by now."""
        return self._job.label

    def open(self, link: Link, engine: Engine, told: Told) -> list[int]:
        self._opened = self._job.key
        self._status = status = self._ready(told)
        if status["version"] != engine.minor:
            said = versions.must_match(status["version"], engine.version, versions.installed())
            raise ServerError(f"{self.label}: {said}", "wrong-version")
        line = self._line_there(engine.at) if engine.at else self._line()
        wish = Wish((line,), engine.minor, self.label, int(status["connect_id"]), GREETING_SECONDS)
        link.begin(wish)
        return link.wait(wish, told)

    def _line(self) -> Line:
        """From here, by whatever way there is."""
        status = self._status
        try:
            way = self._cluster.shell.dial(status["host"], status["door"], status["port"])
        except JobError as error:
            raise ServerError(f"{self.label}: {error}", "unreachable") from None
        self.packing.rtt, self._how = way.rtt, way.how
        return Line("fd", socket=way.socket)

    def _line_there(self, at: str) -> Line:
        """For a ParaView that is in a job itself: in this one, or in another of its cluster."""
        status = self._status
        if at == self.label:
            return Line("path", status["door"])
        if not status["port"]:
            raise ServerError(
                f"{self.label} has no port at which {at} could reach it (paraview.ports in the site's file).",
                "unreachable",
            )
        return Line("connect", status["host"], status["port"])

    def _ready(self, told: Told) -> dict[str, Any]:
        """What it says of itself, once there is a server."""
        began = time.monotonic()
        while True:
            try:
                standing = self._job.standing()
            except JobError as error:
                raise ServerError(f"{self.label}: {error}", "unreachable") from None
            if standing.state in (State.READY, State.USED):
                return standing.status
            waited = time.monotonic() - began
            if standing.is_hopeless:
                raise ServerError(f"{self.label} {self._job.hopeless(standing)}", "ended")
            if waited > self.options.timeout:
                raise ServerError(f"{self.label} is not ready after {waited:.0f} s. {standing.sentence}", "silent")
            told(waited, {"message": f"{self.label}: {standing.sentence}"})
            time.sleep(TICK)

    def taken(self, by: Taker) -> None:
        self._job.taken(by)

    def left(self, by: Taker) -> None:
        self._job.left(by)

    def moved(self) -> bool:
        return self._opened != self._job.key

    def close(self) -> None:
        """The job stays, for as long as it was told to wait."""

    def ended(self) -> str:
        try:
            standing = self._job.standing(now=True)
        except JobError:
            return ""
        # It goes on in a sentence of others.
        return standing.sentence.rstrip(".") if standing.state in (State.ENDED, State.ENDING) else ""

    def hung(self) -> str:
        return ""

    def memory(self) -> list[dict[str, Any]] | None:
        return None

    @property
    def version(self) -> str:
        return str(self._status.get("version", ""))

    @property
    def safety(self) -> str:
        return (
            "The server listens nowhere: it has connected to pvlink's part of the job, which lets in who has the job's "
            "connect-id. That stands in a file that only you can read. "
            + (f"It is reached {self._how}, encrypted up to there. " if self._how else "")
            + "What passes is not encrypted on its way within the cluster."
        )
