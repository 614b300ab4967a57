"""The way to a server that listens: connect, greet, and find out what is wrong when it fails."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import socket
from dataclasses import dataclass

from pvlink.streamer.pvserver import failure, names, peers
from pvlink.streamer.pvserver.failure import Failure
from pvlink.streamer.pvserver.handshake import (
    DIGEST_5_11,
    DIGESTS,
    Caller,
    Code,
    Introduction,
    NotParaViewError,
    OtherDigestError,
)
from pvlink.streamer.pvserver.talk import ClosedError, talk
from pvlink.streamer.pvserver.wish import LineWish, ServerWish

RETRY_SECONDS = 0.25
# Between two questions for its version; a pvserver needs about 1 ms to be back at its door.
PROBE_SECONDS = 0.02
VERSIONS = (*(f"5.{minor}" for minor in range(6, 14)), "6.0", "6.1", "6.2")
# What is left of the time when a silent server is nudged: at most this much.
NUDGE_SECONDS = 1.0
_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EPERM, errno.ENETDOWN, errno.EADDRNOTAVAIL)
# The digest of each version that was met, for those who come with a socket and cannot come twice.
_digests: dict[str, bytes] = dict(DIGESTS)


@dataclass(frozen=True)
class Reached:
    """A server after its handshake."""

    sock: socket.socket
    # Whether its ids have 64 bits (1 or 0), which the engine must hear as well.
    ids: int
    # What it has said already.
    rest: bytes
    # Of the TCP connection, in milliseconds.
    rtt: float | None
    # "host:port"
    peer: str


def remember(version: str, digest: bytes) -> None:
    """A ParaView of this version has shown its digest."""
    _digests[version] = digest


class Approach:
    """One line's way, within the time that was asked for."""

    def __init__(self, line: LineWish, wish: ServerWish) -> None:
        self._line = line
        self._wish = wish
        self._version = wish.short_version
        self._place = line.place
        self._loop = asyncio.get_running_loop()
        self._begin = self._loop.time()
        self._deadline = self._begin + wish.timeout
        self._nudge = self._deadline - min(NUDGE_SECONDS, 0.2 * wish.timeout)

    async def connect(self) -> Reached:
        """Raises Failure."""
        digest = _digests.get(self._version, DIGEST_5_11)
        while True:
            sock, rtt = await self._connected()
            try:
                return await self._greet(sock, rtt, digest)
            except OtherDigestError as error:
                sock.close()
                if error.digest == digest:
                    raise failure.unknown(self._place, self._version) from None
                digest = error.digest
            except BaseException:
                sock.close()
                raise

    async def call(self) -> Reached:
        """At its unix socket. Raises Failure."""
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        try:
            await self._loop.sock_connect(sock, self._line.host)
        except OSError as error:
            sock.close()
            raise failure.unreachable(self._place, error.strerror or str(error)) from None
        return await self.greet(sock)

    async def greet(self, sock: socket.socket) -> Reached:
        """On a socket that is connected already, and is ours from now on. Raises Failure."""
        try:
            sock.setblocking(False)
            return await self._greet(sock, None, _digests.get(self._version, DIGEST_5_11))
        except OtherDigestError as error:
            sock.close()
            # Whoever comes again with a new socket gets further.
            remember(self._version, error.digest)
            raise failure.unknown(self._place, self._version) from None
        except BaseException:
            sock.close()
            raise

    async def _greet(self, sock: socket.socket, rtt: float | None, digest: bytes) -> Reached:
        caller = Caller(Introduction(self._version, self._wish.connect_id), digest)
        await self._talk(sock, caller)
        if caller.code is not Code.GOOD:
            raise await self._refusal(sock, caller.code, digest)
        if rtt is not None:
            await self._look_at_peer(sock)
        remember(self._version, digest)
        return Reached(sock, caller.ids, caller.rest, rtt, _peer(sock))

    async def _talk(self, sock: socket.socket, caller: Caller) -> None:
        try:
            async with asyncio.timeout_at(self._deadline):
                await talk(sock, caller, nudge=self._nudge)
        except TimeoutError:
            raise failure.mute(self._place, self._loop.time() - self._begin) from None
        except NotParaViewError as error:
            raise failure.not_paraview(self._place, error.said) from None
        except ClosedError as error:
            raise failure.died(self._place, error.why) from None

    async def _refusal(self, sock: socket.socket, code: Code, digest: bytes) -> Failure:
        # Its door is shut for as long as we are in it.
        sock.close()
        match code:
            case Code.VERSION:
                theirs = await self._their_version(digest) if self._line.way == "connect" else ""
                return failure.wrong_version(self._place, theirs, self._version)
            case Code.ID:
                return failure.wrong_id(self._place, self._wish.connect_id)
            case Code.BACKEND:
                return failure.backend(self._place)
        return failure.unknown(self._place, self._version)

    async def _their_version(self, digest: bytes) -> str:
        """Found by asking: a server looks at the version before the id, so with a wrong id it never says yes."""
        number = self._wish.connect_id
        while number in (0, self._wish.connect_id):
            number = secrets.randbelow(1 << 30)
        try:
            for version in nearest(self._version):
                await asyncio.sleep(PROBE_SECONDS)
                sock, _ = await self._connected()
                with sock:
                    caller = Caller(Introduction(version, number), digest)
                    await self._talk(sock, caller)
                if caller.code is not Code.VERSION:
                    return version
        except (Failure, OtherDigestError):
            # It has gone meanwhile, or the time is over. That the versions differ is known all the same.
            return ""
        return ""

    async def _connected(self) -> tuple[socket.socket, float]:
        """A TCP connection. Tries again for as long as nobody is there."""
        problem: Failure | None = None
        while problem is None or self._loop.time() + RETRY_SECONDS < self._deadline:
            if problem is not None:
                await asyncio.sleep(RETRY_SECONDS)
            try:
                found = await self._addresses()
                return await self._try_all(found)
            except socket.gaierror as error:
                problem = failure.name(self._line.host, error.strerror or str(error))
                if error.errno != socket.EAI_AGAIN:
                    break
            except ConnectionRefusedError:
                problem = failure.refused(self._place, self._loop.time() - self._begin)
            except Failure as error:
                # The time was over before the last try had an answer: the one before had.
                raise problem if problem is not None and error.reason == "silent" else error from None
        raise problem

    async def _addresses(self) -> list[names.Found]:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await names.addresses(self._line.host, self._line.port)
        except TimeoutError:
            seconds = self._loop.time() - self._begin
            raise failure.name(self._line.host, f"no answer from the name server within {seconds:.1f} s") from None

    async def _try_all(self, found: list[names.Found]) -> tuple[socket.socket, float]:
        """Raises ConnectionRefusedError when nobody is at any of them, Failure for what is worse."""
        worse: Failure | None = None
        for family, address in found:
            await self._look_at_listener(str(address[0]))
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                return await self._try(sock, address)
            except ConnectionRefusedError:
                sock.close()
            except Failure as error:
                sock.close()
                worse = error
            except BaseException:
                sock.close()
                raise
        raise worse or ConnectionRefusedError

    async def _try(self, sock: socket.socket, address: tuple[object, ...]) -> tuple[socket.socket, float]:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begin = self._loop.time()
        try:
            async with asyncio.timeout_at(self._deadline):
                await self._loop.sock_connect(sock, address)
        except ConnectionRefusedError:
            raise
        except TimeoutError:
            raise failure.dropped(self._place, self._loop.time() - self._begin) from None
        except OSError as error:
            if error.errno == errno.ETIMEDOUT:
                raise failure.dropped(self._place, self._loop.time() - self._begin) from None
            if error.errno in _NO_WAY:
                # asyncio puts words of its own where the system's would be.
                raise failure.unreachable(self._place, os.strerror(error.errno or 0)) from None
            raise ConnectionRefusedError from error
        if sock.getsockname() == sock.getpeername():
            # A port that nobody listens on, and that we were given ourselves: TCP connects us to us.
            raise ConnectionRefusedError
        return sock, (self._loop.time() - begin) * 1000.0

    async def _look_at_listener(self, host: str) -> None:
        """On loopback it must be the user's, before it hears a word from us."""
        if self._wish.trust or not peers.is_loopback(host):
            return
        try:
            table = await asyncio.to_thread(peers.read)
        except OSError as error:
            raise failure.foreign(self._place, f"nobody knows whom ({peers.TABLES[0]}: {error.strerror})") from None
        for row in peers.listeners(table, (host, self._line.port)):
            if row.uid != os.getuid():
                raise failure.foreign(self._place, peers.user(row.uid))

    async def _look_at_peer(self, sock: socket.socket) -> None:
        """Once more, at the one who took the connection: a listener may have changed hands."""
        if self._wish.trust or not peers.is_local(sock):
            return
        uid = await asyncio.to_thread(peers.uid, sock)
        if uid not in (None, os.getuid()):
            raise failure.foreign(self._place, peers.user(uid or 0))


def nearest(version: str) -> list[str]:
    """The other versions, those first that are most likely met."""
    known = sorted({*VERSIONS, version}, key=_numbers)
    at = known.index(version)
    return sorted((one for one in VERSIONS if one != version), key=lambda one: abs(known.index(one) - at))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _peer(sock: socket.socket) -> str:
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return ""
    try:
        host, port = peers.plain(sock.getpeername()[:2])
    except OSError:
        return ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
