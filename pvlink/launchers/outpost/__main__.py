"""`python -P -m pvlink.launchers.outpost --fd N`: started by a job's annex, ends with it."""

from __future__ import annotations

import argparse
import contextlib
import os
import selectors
import signal
import socket
import sys
import time

import msgspec

from pvlink.errors import PvlinkError
from pvlink.launchers.node.events import heed
from pvlink.launchers.outpost import words
from pvlink.launchers.outpost.tenant import Tenant
from pvlink.rendezvous import SESSION, RendezvousError
from pvlink.version import __version__

# How often it is looked whether there are news for a kernel, in seconds.
TICK = 0.05
# A visitor says at once what he wants.
LINE_SECONDS = 10.0
# A kernel whose machine is gone, without a word: 15 s of silence, then six questions.
KEEPALIVE = ((socket.TCP_KEEPIDLE, 15), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 6))


class Outpost:
    """Until the annex closes its post."""

    def __init__(self, post: socket.socket) -> None:
        self._post = post
        self._watch = selectors.DefaultSelector()
        self._tenants: dict[str, Tenant] = {}
        # Those who have not yet said what they want, and until when they may.
        self._waiting: dict[socket.socket, float] = {}
        self._program = os.environ["PVLINK_OUTPOST"]
        self._over = False

    def serve(self) -> None:
        self._post.setblocking(False)
        self._watch.register(self._post, selectors.EVENT_READ, lambda _: self._take())
        try:
            while not self._over:
                heed(self._watch, TICK if self._tenants else 1.0)
                for tenant in self._tenants.values():
                    tenant.tell()
                for sock in [sock for sock, until in self._waiting.items() if time.monotonic() > until]:
                    self._forget(sock)
        finally:
            for tenant in self._tenants.values():
                tenant.close()

    def _take(self) -> None:
        """A visitor, with what he has said so far."""
        try:
            data, fds, _, _ = socket.recv_fds(self._post, 1 << 16, 1)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        if not fds:
            self._over = True
            return
        sock = socket.socket(fileno=fds[0])
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in KEEPALIVE:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
        parts = words.Parts()
        self._waiting[sock] = time.monotonic() + LINE_SECONDS
        self._watch.register(sock, selectors.EVENT_READ, lambda _: self._hear(sock, parts))
        if data:
            self._said(sock, parts, data)

    def _hear(self, sock: socket.socket, parts: words.Parts) -> None:
        try:
            data = sock.recv(words.MOST_LINE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._said(sock, parts, data)

    def _said(self, sock: socket.socket, parts: words.Parts, data: bytes) -> None:
        parts.feed(data)
        try:
            line = parts.line()
            if line is None:
                if not data:
                    self._forget(sock)
                return
            visit = msgspec.json.decode(line, type=words.Visit)
        except (ValueError, msgspec.MsgspecError):
            self._forget(sock)
            return
        self._waiting.pop(sock)
        self._watch.unregister(sock)
        self._let_in(sock, visit)

    def _let_in(self, sock: socket.socket, visit: words.Visit) -> None:
        why = self._why_not(visit)
        if why:
            _refuse(sock, why)
            return
        tenant = self._tenants.get(visit.session)
        if visit.what == "desk":
            try:
                tenant = self._new(visit.session)
            except (OSError, PvlinkError, RendezvousError) as error:
                _refuse(sock, f"{os.uname().nodename}: {error}")
                return
            parts = words.Parts()
            self._watch.register(sock, selectors.EVENT_READ, lambda _: self._work(sock, parts, tenant))
            self._say("used")
        elif tenant is None:
            _refuse(sock, "This session has no outpost here.")
            return
        elif visit.what == "viewer":
            if not tenant.admit(sock):
                sock.close()
            return
        elif visit.what == "news":
            tenant.news = sock
        else:
            tenant.bring(visit.what, sock)
        with contextlib.suppress(OSError):
            sock.send(words.WELCOME)

    def _why_not(self, visit: words.Visit) -> str:
        if SESSION.fullmatch(visit.session) is None:
            return "This is no session of pvlink's."
        if visit.version != __version__:
            return (
                f"pvlink {__version__} is installed on {os.uname().nodename}, and pvlink {visit.version} asks: both "
                f"must be the same. There: {sys.executable} -m pip install pvlink=={visit.version}"
            )
        return ""

    def _new(self, session: str) -> Tenant:
        """A kernel that comes again has lost its connection: what there is of it is of no use to it."""
        if (former := self._tenants.pop(session, None)) is not None:
            former.close()
        tenant = self._tenants[session] = Tenant(session, self._program)
        return tenant

    def _work(self, desk: socket.socket, parts: words.Parts, tenant: Tenant) -> None:
        try:
            data = desk.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        parts.feed(data)
        try:
            while (message := parts.message()) is not None:
                answer = tenant.ask(*message)
                desk.setblocking(True)
                desk.settimeout(LINE_SECONDS)
                desk.sendall(answer)
                desk.setblocking(False)
        except (OSError, ValueError):
            data = b""
        if not data:
            self._watch.unregister(desk)
            desk.close()
            if self._tenants.get(tenant.session) is tenant:
                del self._tenants[tenant.session]
                tenant.close()
                if not self._tenants:
                    self._say("free")

    def _forget(self, sock: socket.socket) -> None:
        self._waiting.pop(sock, None)
        self._watch.unregister(sock)
        sock.close()

    def _say(self, word: str) -> None:
        """To the annex: whether somebody is here."""
        with contextlib.suppress(OSError):
            self._post.send(word.encode())


def _refuse(sock: socket.socket, why: str) -> None:
    with sock, contextlib.suppress(OSError):
        sock.send(words.REFUSED + why.encode())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # In order: what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with socket.socket(fileno=parser.parse_args().fd) as post:
        Outpost(post).serve()


if __name__ == "__main__":
    main()
