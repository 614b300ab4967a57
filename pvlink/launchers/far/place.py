"""A job's node, as the place of a session."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pvlink import rendezvous
from pvlink.companions import Taker
from pvlink.control import Control
from pvlink.errors import EngineStartError, JobError, PvlinkError, StreamerLost
from pvlink.launchers.far.entry import Entry
from pvlink.launchers.far.kept import FarSaved
from pvlink.launchers.far.processes import FarEngine, FarStreamer
from pvlink.launchers.node import entrance
from pvlink.launchers.outpost import words
from pvlink.launchers.states import State
from pvlink.processes import START_PATIENCE
from pvlink.pvpython import Found
from pvlink.version import __version__

if TYPE_CHECKING:
    from pvlink.launchers.job import Job

# The end of something there takes two seconds at most; a link takes its time.
PATIENCE = 30.0


class Far:
    """Whatever ends there is had again: in the same job, or in the one that has taken its place."""

    # What lies where is another machine's.
    shares_files = False

    def __init__(self, session: str, job: Job, program: str | None = None) -> None:
        """`program`: ParaView's Python on that node, if it is not the site's. Raises JobError."""
        self._session = session
        self._job = job
        self._program = program
        # Which job it was when its outpost was entered.
        self._opened = ""
        self._desk: Control | None = None
        self._news: socket.socket | None = None
        self._parts = words.Parts()
        # The processes of the moment, for what is told of them.
        self._engine: FarEngine | None = None
        self._streamer: FarStreamer | None = None
        self._entry: Entry | None = None
        self._lock = threading.RLock()
        self.saved = FarSaved(self.drain)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    @property
    def label(self) -> str:
        return self._job.label

    @property
    def found(self) -> Found:
        """ParaView's Python there."""
        return self._found

    # -- the place of a session --------------------------------------------------------------------

    def engine(self, found: Found, display: str, generation: int) -> FarEngine:
        self._open()
        wire = self.enter("engine")
        try:
            facts: dict[str, Any] = {"pvpython": str(found.path), "display": display, "generation": generation}
            number = self.ask("engine", patience=START_PATIENCE, **facts)["number"]
        except PvlinkError as error:
            wire.close()
            raise EngineStartError(f"{self.label}: {error}") from None
        self._engine = FarEngine(self, found, wire, number)
        return self._engine

    def streamer(self, role: str) -> FarStreamer:
        self._open()
        wire = self.enter("control")
        try:
            number = self.ask("streamer", role=role, patience=START_PATIENCE)["number"]
        except PvlinkError as error:
            wire.close()
            raise StreamerLost(f"{self.label}: {error}") from None
        if self._entry is None or not self._entry.alive:
            self._entry = Entry(self._session, lambda: self.enter("viewer"))
        self._streamer = FarStreamer(self, wire, number, self._entry)
        return self._streamer

    def joined(self, by: Taker) -> None:
        self._job.taken(by)

    def left(self, by: Taker) -> None:
        self._job.left(by)

    def moved(self) -> bool:
        return self._opened != self._job.key

    def sweep(self, screen: str = "") -> None:
        """What dead processes have left there; here there is the gate's socket only."""
        with contextlib.suppress(PvlinkError):
            self.ask("sweep", screen=screen)
        rendezvous.sweep()

    def close(self) -> None:
        if self._entry is not None:
            self._entry.end()
        self._leave()
        self.saved.close()
        rendezvous.sweep()

    # -- the outpost -------------------------------------------------------------------------------

    def ask(self, op: str, *, patience: float = PATIENCE, blob: bytes = b"", **facts: Any) -> dict[str, Any]:
        """Raises JobError."""
        return self.ask_for_bytes(op, patience=patience, blob=blob, **facts)[0]

    def ask_for_bytes(
        self, op: str, *, patience: float = PATIENCE, blob: bytes = b"", **facts: Any
    ) -> tuple[dict[str, Any], bytes]:
        if self._desk is None:
            raise self._lost()
        try:
            return self._desk.ask(op, patience=patience, blob=blob, **facts)
        except ValueError as error:
            raise JobError(str(error)) from None

    def enter(self, what: words.What) -> socket.socket:
        """A connection to what is there of this session. Raises JobError."""
        try:
            door = self._job.dial().socket
        except JobError as error:
            raise self._why_not(str(error)) from None
        try:
            if door.family != socket.AF_UNIX:
                door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            entrance.introduce(door, self._job.connect_id)
            # It has to find a Python with pvlink, the first time.
            door.settimeout(PATIENCE)
            # Who lets nobody in has perhaps gone already, and has said why.
            with contextlib.suppress(ConnectionError):
                door.sendall(words.Visit(self._session, what, __version__).line())
            said = door.recv(1)
            if said != words.WELCOME:
                raise ConnectionError(_said(door) if said else "it was closed")
            door.settimeout(None)
        except OSError as error:
            door.close()
            raise self._why_not(f"it does not let us in: {error}. job.log() may say more.") from None
        except BaseException:
            door.close()
            raise
        return door

    def _why_not(self, why: str) -> JobError:
        """There is no way in: the job's own end says more."""
        with contextlib.suppress(JobError):
            standing = self._job.standing(now=True)
            if standing.state in (State.ENDED, State.ENDING):
                why = standing.sentence
        return JobError(f"{self.label}: {why}")

    def drain(self) -> None:
        """Take what the outpost has told; does not wait."""
        with self._lock:
            while self._news is not None:
                try:
                    data = self._news.recv(1 << 20, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    return
                except OSError:
                    data = b""
                if not data:
                    self._news.close()
                    self._news = None
                    return
                self._parts.feed(data)
                while (news := self._parts.news()) is not None:
                    self._hear(*news)

    @property
    def reached(self) -> bool:
        """Whether the outpost is there."""
        return self._news is not None

    def _hear(self, kind: int, number: int, data: bytes) -> None:
        if kind in (words.SAVED_A, words.SAVED_B):
            self.saved.take(kind - words.SAVED_A, data)
        elif self._streamer is not None and self._streamer.number == number and kind == words.LOG:
            os.write(self._streamer.log.fd, data)
        elif self._streamer is not None and self._streamer.number == number and kind == words.STREAMER_ENDED:
            self._streamer.told(json.loads(data))
        elif self._engine is None or self._engine.number != number:
            # Of one before.
            return
        elif kind == words.ENGINE_ENDED:
            self._engine.told(json.loads(data))
        elif kind in (words.STDOUT, words.STDERR):
            self._engine.output.take(kind == words.STDERR, data)

    def _open(self) -> None:
        """Have an outpost, if there is none: the first time, and when the connection was lost."""
        self.drain()
        if self._desk is not None and self.reached and not self.moved():
            return
        self._leave()
        self.saved.keep()
        self._desk = Control(self.enter("desk"), self._lost)
        self._parts = words.Parts()
        self._news = self.enter("news")
        self._opened = self._job.key
        hello = self.ask("hello", pvpython=self._program)
        self._found = Found(Path(hello["pvpython"]), f"on {hello['host']}")

    def _leave(self) -> None:
        # The outpost ends what there is of this session when its desk is closed.
        if self._desk is not None:
            self._desk.close()
            self._desk = None
        if self._news is not None:
            self._news.close()
            self._news = None

    def _lost(self) -> JobError:
        try:
            how = self._job.sentence
        except JobError as error:
            how = str(error)
        return JobError(f"The connection to {self.label} is lost. {how}")


def _said(door: socket.socket) -> str:
    """Why one is not let in."""
    why = bytearray()
    with contextlib.suppress(OSError):
        while part := door.recv(4096):
            why += part
    return why.decode(errors="replace") or "no reason was given"
