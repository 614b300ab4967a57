"""Holds a ParaView server in a job, and its door: `steward.py PLAN.json`.

    pvserver ranks --(loopback)--> steward <--(unix socket, TCP)-- whoever has the connect-id

The server comes to us, by a reverse connection on loopback that only this user's processes may make; it listens
nowhere. To the outside the steward greets as a server that listens would: a client of another version, or without the
connect-id, is turned away here, and the server never hears of it. A server ends with its client, so there is a new one
each time somebody has left, until nobody has come for as long as the job's grace; then the job ends by itself.

Whoever introduces himself as pvlink wants ParaView's own process here, and goes on to the annex.

What is known of the job stands in the file `status` in its folder, which its user reads from anywhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from pvlink.launchers.node.annex import Annex
from pvlink.launchers.node.doors import Doors
from pvlink.launchers.node.events import heed
from pvlink.launchers.node.greetings import Greetings, Visitor
from pvlink.launchers.node.pipe import Pipe
from pvlink.launchers.node.server import Server, last_words
from pvlink.streamer.pvserver.handshake import PVLINK, Answerer, Code, Introduction

# A server that ends so often in a row, before anybody could have used it, will not do better.
MOST_FAILURES = 3
# For the letter that says that it has ended, in seconds: a scheduler that ends a job does not wait much longer.
LAST_LETTER = 2.0
# Ends that were meant.
ORDERLY = ("asked", "grace", "limit")


class Steward:
    """Until the job is to end."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._place = Path(plan["place"])
        self._connect_id = secrets.randbelow(2**31 - 1) + 1
        self._watch = selectors.DefaultSelector()
        self._greetings = Greetings(self._watch, self._welcome)
        self._doors: Doors | None = None
        # Where ParaView's own process is held, for who wants more of a job than its server.
        self._annex = Annex(plan, self._watch)
        # The server: its processes, its connection while it has no client, its version; how many there were.
        self._server: Server | None = None
        self._ready: Visitor | None = None
        self._version = ""
        self._number = self._failures = 0
        # Who waits for it, or has it.
        self._client: Visitor | None = None
        self._pipe: Pipe | None = None
        # What the user was written about.
        self._written: set[str] = set()
        self._began = self._alone_since = time.monotonic()
        self._over = ""

    def hold(self) -> str:
        """Answers why it ended."""
        wake, woken = socket.socketpair()
        for end in (wake, woken):
            end.setblocking(False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._end_for("asked"))
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self._watch.register(woken, selectors.EVENT_READ, lambda _: woken.recv(4096))
        try:
            self._doors = Doors(Path(self._plan["node"]), self._plan["ports"], self._watch, self._knock)
            self._start()
            while not self._over:
                # What greets and what starts has deadlines.
                heed(self._watch, 0.1 if self._greetings or self._pipe is None else 1.0)
                self._look(time.monotonic())
        except Exception as error:  # noqa: BLE001 - the last words of a process: its user reads them, job.log has the rest
            traceback.print_exc()
            self._end_for(f"{type(error).__name__}: {error}")
        finally:
            self._end()
        return self._over

    def _end_for(self, why: str) -> None:
        self._over = self._over or why

    # Who comes.

    def _knock(self, sock: socket.socket) -> None:
        self._greetings.add(sock, Answerer(self._judge), client=True)

    def _judge(self, who: Introduction | None) -> Code:
        if who is not None and who.backend == PVLINK:
            # No ParaView: its version is nobody's.
            return Code.GOOD if who.connect_id == self._connect_id else Code.ID
        return Introduction(self._version, self._connect_id).judged(who)

    def _land(self, sock: socket.socket) -> None:
        self._greetings.add(sock, Answerer(lambda _: Code.GOOD), client=False)

    def _welcome(self, visitor: Visitor) -> None:
        if not visitor.client:
            self._have(visitor)
            return
        assert visitor.answerer.introduction is not None
        if visitor.answerer.introduction.backend == PVLINK:
            self._annex.admit(visitor)
            return
        # The newest client counts: the one before may be a laptop that sleeps.
        if self._client is not None:
            self._client.sock.close()
        self._client = visitor
        if self._pipe is not None:
            self._part()
        self._join()

    def _have(self, visitor: Visitor) -> None:
        """The server is there."""
        assert self._server is not None
        assert visitor.answerer.introduction is not None
        self._server.has_come()
        self._version = visitor.answerer.introduction.version
        self._failures = 0
        self._ready = visitor
        self._watch.register(visitor.sock, selectors.EVENT_READ, lambda _: self._hear())
        self._tell("ready")
        self._join()

    def _hear(self) -> None:
        """A server without a client has little to say; mostly that it ends."""
        assert self._ready is not None
        try:
            data = self._ready.sock.recv(65536)
        except OSError:
            data = b""
        if data:
            self._ready.rest += data
        else:
            self._let_go()

    def _join(self) -> None:
        if self._ready is None or self._client is None:
            return
        server, client = self._ready, self._client
        self._ready = self._client = None
        self._watch.unregister(server.sock)
        self._pipe = Pipe(self._watch, server.sock, client.sock)
        self._pipe.push(server.rest, client.rest)
        self._tell("used")

    # The server, and what time brings.

    def _start(self) -> None:
        self._number += 1
        self._server = Server(self._plan, self._number, self._watch, self._land)
        self._tell("starting")

    def _look(self, now: float) -> None:
        self._greetings.look(now)
        if self._pipe is not None and self._pipe.over:
            self._part()
        if self._pipe is not None or self._annex.used:
            self._alone_since = now
        elif now - self._alone_since > self._plan["grace"]:
            self._end_for("grace")
        if 0 < self._plan["limit"] < now - self._began:
            self._end_for("limit")
        if self._server is not None and (code := self._server.code()) is not None:
            self._died(code)

    def _part(self) -> None:
        """Client and server are done with each other; this server is of no use to another client."""
        self._close_pipe()
        self._failures = 0
        self._stop(gently=True)
        if not self._over:
            self._start()

    def _died(self, code: int) -> None:
        """The server has ended by itself."""
        used = self._pipe is not None
        if self._pipe is not None:
            # Its last words to its client are perhaps still on the way.
            self._pipe.flush()
            self._close_pipe()
        self._stop(gently=False)
        self._failures = 0 if used else self._failures + 1
        if self._failures >= MOST_FAILURES or (self._failures and not self._version):
            self._end_for(f"server:{code}")
        elif not self._over:
            self._start()

    def _stop(self, *, gently: bool) -> None:
        self._greetings.send_away(clients=False)
        self._let_go()
        if self._server is not None:
            self._server.end(gently=gently)
            self._server = None

    def _let_go(self) -> None:
        if self._ready is not None:
            self._watch.unregister(self._ready.sock)
            self._ready.sock.close()
            self._ready = None

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
            self._alone_since = time.monotonic()

    def _end(self) -> None:
        try:
            if self._doors is not None:
                self._doors.close()
            self._greetings.send_away(clients=True)
            used = self._pipe is not None
            self._close_pipe()
            self._stop(gently=used)
            self._annex.end()
            if self._client is not None:
                self._client.sock.close()
        finally:
            # Whatever has happened: its user reads why it ended.
            shutil.rmtree(self._plan["node"], ignore_errors=True)
            said = "" if self._over in ORDERLY else last_words(self._place)
            self._tell("ended", why=self._over, said=said)
            shutil.rmtree(self._place / "lib", ignore_errors=True)

    def _tell(self, state: str, **more: Any) -> None:
        """Write down how it stands; whole, or not at all."""
        facts = {"key": self._plan["key"], "state": state, "at": time.time(), "pid": os.getpid(), **more}
        if state != "ended" and self._doors is not None:
            facts.update(
                host=os.uname().nodename,
                door=str(self._doors.path),
                port=self._doors.port,
                connect_id=self._connect_id,
                version=self._version,
                ranks=self._plan["ranks"],
            )
        draft = self._place / "status.new"
        # A full disk is no reason to end a server that works.
        with contextlib.suppress(OSError):
            draft.touch(0o600)
            draft.write_text(json.dumps(facts))
            draft.rename(self._place / "status")
            if self._plan["mail"] and state in ("ready", "ended") and state not in self._written:
                self._written.add(state)
                self._write()

    def _write(self) -> None:
        """To the user, in a process of its own: a mail server may take its time."""
        command = [sys.executable, "-I", "-S", str(self._place / "lib" / "letters.py")]
        letter = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        if self._over:
            # A batch job's processes end with its script.
            with contextlib.suppress(subprocess.TimeoutExpired):
                letter.wait(LAST_LETTER)


def main(plan: str) -> None:
    os.umask(0o077)
    found = json.loads(Path(plan).read_text())
    # "$TMPDIR", "/scratch/$USER": only a node knows.
    found["node"] = os.path.expandvars(found["node"])
    why = Steward(found).hold()
    sys.exit(0 if why in ORDERLY else 1)


if __name__ == "__main__":
    main(sys.argv[1])
