"""Engine and streamer there, as the kernel holds them."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Sequence
from typing import Any, Protocol

from pvlink.control import Control
from pvlink.errors import JobError, PvlinkError, StreamerLost
from pvlink.launchers.far.entry import Entry
from pvlink.launchers.far.kept import FarOutput
from pvlink.launchers.outpost import words
from pvlink.output import MemoryFile
from pvlink.processes import GRACE, START_PATIENCE
from pvlink.pvpython import Found

TICK = 0.02


class Outpost(Protocol):
    """Who holds them, as it is asked."""

    @property
    def label(self) -> str: ...

    @property
    def reached(self) -> bool: ...

    def drain(self) -> None: ...

    def ask(self, op: str, *, patience: float = ..., blob: bytes = ..., **facts: Any) -> dict[str, Any]: ...

    def ask_for_bytes(
        self, op: str, *, patience: float = ..., blob: bytes = ..., **facts: Any
    ) -> tuple[dict[str, Any], bytes]: ...


class _FarProcess:
    """One of the two."""

    which = ""

    def __init__(self, place: Outpost, wire: socket.socket, number: int) -> None:
        self.socket = wire
        self.number = number
        self._place = place
        self._code: int | None = None
        self._how = ""

    @property
    def pid(self) -> int:
        """On this machine it has none."""
        return 0

    def told(self, end: dict[str, Any]) -> None:
        """It has ended."""
        self._code, self._how = end["code"], end["how"]

    def poll(self) -> int | None:
        self._place.drain()
        if self._code is None and not self._place.reached:
            return -1
        return self._code

    def ended(self) -> str:
        deadline = time.monotonic() + GRACE
        while self.poll() is None and time.monotonic() < deadline:
            time.sleep(TICK)
        if self._code is not None:
            return self._how
        return "no exit code yet" if self._place.reached else f"the connection to {self._place.label}"

    def kill(self) -> None:
        self._have("kill")

    def end(self) -> None:
        self._have("end")

    def close(self) -> None:
        """What was held for it is the outpost's."""

    def _have(self, op: str) -> None:
        # Who is not there any more has ended.
        with contextlib.suppress(PvlinkError):
            self._place.ask(op, which=self.which)


class FarEngine(_FarProcess):
    """ParaView's process there."""

    which = "engine"

    def __init__(self, place: Outpost, found: Found, wire: socket.socket, number: int) -> None:
        super().__init__(place, wire, number)
        self.found = found
        self.output = FarOutput(place.drain)

    @property
    def descriptors(self) -> Sequence[int]:
        return []

    def worked(self) -> float:
        return float(self._place.ask("worked")["seconds"])

    def abandon(self, number: int) -> None:
        with contextlib.suppress(PvlinkError):
            self._place.ask("abandon", number=number)

    def meet(self, control: Control) -> None:
        try:
            self._place.ask("meet", patience=START_PATIENCE)
        except JobError as error:
            raise StreamerLost(str(error)) from None

    def send_memory(self, fd: int, number: int) -> None:
        size = os.fstat(fd).st_size
        try:
            self._place.ask("memory", number=number, size=size)
            for offset in range(0, size, words.PART):
                self._place.ask("part", number=number, offset=offset, blob=os.pread(fd, words.PART, offset))
            self._place.ask("deliver", number=number)
        except JobError:
            # A node without memory. An engine that is not reached any more says so when it is asked.
            if self._place.reached:
                raise
        finally:
            # Also where the user has had enough of it. An empty one is to be filled there.
            if size:
                with contextlib.suppress(JobError):
                    self._place.ask("drop", number=number)

    def collect(self, fd: int, number: int) -> None:
        offset, size = 0, 1
        while offset < size:
            said, data = self._place.ask_for_bytes("collect", number=number, offset=offset)
            size = said["size"]
            if not data:
                break
            offset += os.pwrite(fd, data, offset)
        self._place.ask("drop", number=number)

    def close(self) -> None:
        self.output.close()


class FarStreamer(_FarProcess):
    """The streamer there."""

    which = "streamer"

    def __init__(self, place: Outpost, wire: socket.socket, number: int, entry: Entry) -> None:
        """`entry`: by which viewers get there."""
        super().__init__(place, wire, number)
        self.log = MemoryFile("pvlink-streamer")
        self._entry = entry

    def poll(self) -> int | None:
        # Nobody sees one that nobody gets to.
        return super().poll() if self._entry.alive else -1

    def terminate(self) -> None:
        with contextlib.suppress(PvlinkError):
            self._place.ask("terminate")

    def close(self) -> None:
        self.log.close()
