"""One session on a node: its engine, its streamer, and what the kernel asks to be done with them."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Callable
from typing import Any

from pvlink import pvpython, rendezvous
from pvlink.control import Control
from pvlink.errors import PvlinkError, StreamerLost
from pvlink.launchers.outpost import words
from pvlink.near import NearEngine, NearStreamer, remove_x_remains
from pvlink.pvpython import Found
from pvlink.saved import Saved

Answer = tuple[dict[str, Any], bytes]
_DONE: Answer = ({}, b"")
# What waits to be read by a kernel that is busy. Beyond it, its streams are read later: they are in memory.
MOST_NEWS = 8 << 20


class Tenant:
    """Lives in an outpost until its kernel leaves."""

    def __init__(self, session: str, program: str) -> None:
        """`program`: ParaView's Python on this node."""
        self.session = session
        self.news: socket.socket | None = None
        self._program = program
        self._saved = Saved()
        self._path = rendezvous.socket_path(session)
        self._engine: NearEngine | None = None
        self._streamer: NearStreamer | None = None
        self._control: Control | None = None
        # Sockets of visitors, until the processes that they are for are started.
        self._wires: dict[str, socket.socket] = {}
        self._memory: dict[int, int] = {}
        # What the kernel was told: how many engines and streamers there were, and of the saved halves which.
        self._engines = self._streamers = 0
        self._told: set[tuple[int, int]] = set()
        self._numbers = [0, 0]
        self._unsent = bytearray()
        self._operations: dict[str, Callable[[dict[str, Any], bytes], Answer]] = {
            "hello": self._hello,
            "engine": self._start_engine,
            "streamer": self._start_streamer,
            "meet": self._meet,
            "abandon": self._abandon,
            "worked": self._worked,
            "memory": self._new_memory,
            "part": self._part,
            "deliver": self._deliver,
            "collect": self._collect,
            "drop": self._drop,
            "terminate": self._terminate,
            "kill": self._kill,
            "end": self._end,
            "sweep": self._sweep,
        }

    def bring(self, what: str, sock: socket.socket) -> None:
        """The far end of a wire, for the next process of that kind."""
        if (former := self._wires.pop(what, None)) is not None:
            former.close()
        self._wires[what] = sock

    def admit(self, viewer: socket.socket) -> bool:
        """Give a viewer's connection to the streamer; whether there is one."""
        with viewer:
            if self._control is None or self._streamer is None or self._streamer.poll() is not None:
                return False
            # Before the streamer can answer it.
            with contextlib.suppress(OSError):
                viewer.send(words.WELCOME)
            with contextlib.suppress(PvlinkError, ValueError):
                self._control.ask("visitor", fd=viewer.fileno())
            return True

    def ask(self, text: bytes, blob: bytes) -> bytes:
        """The answer to a message of the desk's, as it is sent."""
        number = None
        try:
            question = json.loads(text)
            number, op = question.pop("id"), question.pop("op")
            if (operation := self._operations.get(op)) is None:
                raise ValueError(f"An outpost cannot do {op!r}.")
            said, back = operation(question, blob)
            answer: dict[str, Any] = {"id": number, "ok": True, **said}
        except Exception as error:  # noqa: BLE001 - the kernel waits for an answer, whatever has happened
            kind = "" if isinstance(error, (PvlinkError, ValueError)) else f"{type(error).__name__}: "
            answer, back = {"id": number, "ok": False, "error": f"{kind}{error}"}, b""
        said_text = json.dumps(answer).encode()
        return words.HEAD.pack(len(said_text), len(back)) + said_text + back

    def close(self) -> None:
        """Ends both processes; takes some seconds at most."""
        for process in (self._streamer, self._engine):
            if process is not None:
                process.end()
        self._let_streamer_go()
        self._let_engine_go()
        for sock in self._wires.values():
            sock.close()
        for fd in self._memory.values():
            os.close(fd)
        self._saved.close()
        if self.news is not None:
            self.news.close()
        rendezvous.sweep()
        remove_x_remains()

    # -- news --------------------------------------------------------------------------------------

    def tell(self) -> None:
        """Send what is new, as far as the kernel takes it."""
        if self.news is None:
            return
        if len(self._unsent) < MOST_NEWS:
            self._gather()
        with contextlib.suppress(OSError):
            while self._unsent and (sent := self.news.send(memoryview(self._unsent)[: words.PART])):
                del self._unsent[:sent]

    def _gather(self) -> None:
        for which in (0, 1):
            number = self._saved.number(which)
            if number not in (0, self._numbers[which]) and (half := self._saved.half(which)) is not None:
                self._numbers[which] = half[0]
                self._add(words.SAVED_A + which, 0, half[1])
        if self._engine is not None:
            # Before its words are read for the last time.
            code = self._engine.poll()
            self._add_stream(words.STDOUT, self._engines, self._engine.output.stdout.fresh())
            self._add_stream(words.STDERR, self._engines, self._engine.output.stderr.fresh())
            if code is not None:
                self._add_end(words.ENGINE_ENDED, self._engines, code, self._engine.ended())
        if self._streamer is not None:
            code = self._streamer.poll()
            self._add_stream(words.LOG, self._streamers, self._streamer.log.fresh())
            if code is not None:
                self._add_end(words.STREAMER_ENDED, self._streamers, code, self._streamer.ended())

    def _add_stream(self, kind: int, number: int, data: bytes) -> None:
        if data:
            self._add(kind, number, data)

    def _add_end(self, kind: int, number: int, code: int, how: str) -> None:
        if (kind, number) not in self._told:
            self._told.add((kind, number))
            self._add(kind, number, json.dumps({"code": code, "how": how}).encode())

    def _add(self, kind: int, number: int, data: bytes) -> None:
        self._unsent += words.NEWS.pack(kind, number, len(data)) + data

    # -- what is asked for -------------------------------------------------------------------------

    def _hello(self, question: dict[str, Any], _: bytes) -> Answer:
        found = self._found(question.get("pvpython"))
        return {"pvpython": str(found.path), "host": os.uname().nodename}, b""

    def _found(self, wish: str | None) -> Found:
        try:
            return pvpython.find(wish or self._program)
        except PvlinkError:
            raise ValueError(
                f"There is no {wish or self._program} on {os.uname().nodename} after the lines of paraview.setup. "
                "The site names another one by engine.pvpython, or what brings it by paraview.setup."
            ) from None

    def _start_streamer(self, question: dict[str, Any], _: bytes) -> Answer:
        self._let_streamer_go(kill=True)
        wire = self._wires.pop("control")
        self._streamers += 1
        self._streamer = NearStreamer(self.session, question["role"], wire)
        self._control = Control(self._streamer.socket, lambda: StreamerLost("The streamer does not answer."))
        return {"pid": self._streamer.pid, "number": self._streamers}, b""

    def _start_engine(self, question: dict[str, Any], _: bytes) -> Answer:
        self._let_engine_go(kill=True)
        wire = self._wires.pop("engine")
        # It is shared with the steward, which has let it go, and did not wait.
        wire.setblocking(True)
        self._engines += 1
        found, generation = self._found(question["pvpython"]), question["generation"]
        self._engine = NearEngine(found, question["display"], self._saved, generation, self._path, wire)
        return {"pid": self._engine.pid, "number": self._engines}, b""

    def _meet(self, _question: dict[str, Any], _: bytes) -> Answer:
        if self._engine is None or self._control is None:
            raise ValueError("There are no two who could meet.")
        self._engine.meet(self._control)
        return _DONE

    def _abandon(self, question: dict[str, Any], _: bytes) -> Answer:
        if self._engine is not None:
            self._engine.abandon(question["number"])
        return _DONE

    def _worked(self, _question: dict[str, Any], _: bytes) -> Answer:
        return {"seconds": self._engine.worked() if self._engine is not None else 0.0}, b""

    def _new_memory(self, question: dict[str, Any], _: bytes) -> Answer:
        self._drop(question, b"")
        fd = self._memory[question["number"]] = os.memfd_create("pvlink-data")
        os.ftruncate(fd, question["size"])
        return _DONE

    def _part(self, question: dict[str, Any], blob: bytes) -> Answer:
        fd, offset = self._memory[question["number"]], question["offset"]
        while blob:
            written = os.pwrite(fd, blob, offset)
            offset, blob = offset + written, blob[written:]
        return _DONE

    def _deliver(self, question: dict[str, Any], _: bytes) -> Answer:
        if self._engine is not None:
            self._engine.send_memory(self._memory[question["number"]], question["number"])
        return _DONE

    def _collect(self, question: dict[str, Any], _: bytes) -> Answer:
        fd = self._memory[question["number"]]
        return {"size": os.fstat(fd).st_size}, os.pread(fd, words.PART, question["offset"])

    def _drop(self, question: dict[str, Any], _: bytes) -> Answer:
        if (fd := self._memory.pop(question["number"], None)) is not None:
            os.close(fd)
        return _DONE

    def _process(self, question: dict[str, Any]) -> NearEngine | NearStreamer | None:
        return self._engine if question["which"] == "engine" else self._streamer

    def _terminate(self, _question: dict[str, Any], _: bytes) -> Answer:
        if self._streamer is not None:
            self._streamer.terminate()
        return _DONE

    def _kill(self, question: dict[str, Any], _: bytes) -> Answer:
        if (process := self._process(question)) is not None:
            process.kill()
        return _DONE

    def _end(self, question: dict[str, Any], _: bytes) -> Answer:
        if (process := self._process(question)) is not None:
            process.end()
        return _DONE

    def _sweep(self, question: dict[str, Any], _: bytes) -> Answer:
        rendezvous.sweep()
        if question["screen"]:
            remove_x_remains(question["screen"])
        return _DONE

    def _let_engine_go(self, *, kill: bool = False) -> None:
        if self._engine is not None:
            if kill:
                self._engine.kill()
            self._engine.close()
            self._engine = None

    def _let_streamer_go(self, *, kill: bool = False) -> None:
        if self._streamer is not None:
            if kill:
                self._streamer.kill()
                rendezvous.sweep()
            self._streamer.close()
            self._streamer = None
        if self._control is not None:
            self._control.close()
            self._control = None
