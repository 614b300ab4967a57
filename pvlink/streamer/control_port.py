"""The streamer's end of the wire to the kernel: requests in order, answers in order, end of file is the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from pvlink.protocol import Dice128, Dice256, Role
from pvlink.streamer.pins import AUTO, Pins
from pvlink.streamer.pvserver.wish import descriptors

_LENGTHS = struct.Struct("<II")
# The kernel sends no blobs, and its JSON is short; answers may carry a PNG.
MAX_REQUEST = 1 << 20
# A kernel that asks more at once is not read until some are answered.
MAX_PENDING = 64
log = logging.getLogger(__name__)


class RequestError(Exception):
    """What the kernel asked cannot be done; the sentence goes back to it."""


class Request(Struct):
    """One question of the kernel; which fields count depends on `op`."""

    id: int
    op: str
    pid: int = 0
    view: str = ""
    timeout: float = 10.0
    # Of "snapshot".
    since: float = 0.0
    message: str = ""
    # Of "share", and of "direct" where it listens.
    role: Role = "view"
    expires: float = 3600.0
    password: str = ""
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    certificate: str = ""
    key: str = ""
    # Of "revoke".
    share: str = ""
    # Of "ticket": what a browser has thrown, and whether it may come directly.
    ticket: Dice128 | None = None
    ticket_key: Dice256 | None = None
    direct: bool = False
    # Of "pin".
    pins: Pins = AUTO
    # Of "server-open": see pvserver/wish.py.
    server: dict[str, object] | None = None
    # Of "insitu-order" and "insitu-state": what the simulation is to do; which events and points are known.
    order: dict[str, object] | None = None
    event: int = 0
    point: int = 0
    # What is not as it should be, of a request that makes no sense.
    wrong: str = ""


# The answer's fields and its blob.
Answer = tuple[dict[str, object], bytes]
# Called at once for each request (an "engine-ended" must not wait behind a slow snapshot), with the descriptors that
# came along; what it returns is awaited in the order of the requests.
Handler = Callable[[Request, list[int]], Awaitable[Answer]]


async def serve(sock: socket.socket, handle: Handler) -> None:
    """Answers until the kernel has gone."""
    sock.setblocking(False)
    pending: asyncio.Queue[tuple[int, asyncio.Task[Answer]]] = asyncio.Queue(MAX_PENDING)
    answering = asyncio.create_task(_answer(sock, pending))
    tasks: set[asyncio.Task[Answer]] = set()
    try:
        async for request, fds in _requests(sock):
            task = asyncio.create_task(_handled(handle, request, fds))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            await pending.put((request.id, task))
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        log.error("the kernel's control socket failed: %s", error)
    finally:
        answering.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(answering, *tasks, return_exceptions=True)


async def _handled(handle: Handler, request: Request, fds: list[int]) -> Answer:
    return await handle(request, fds)


async def _answer(sock: socket.socket, pending: asyncio.Queue[tuple[int, asyncio.Task[Answer]]]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        number, task = await pending.get()
        blob = b""
        try:
            fields, blob = await task
            answer: dict[str, object] = {"id": number, "ok": True, **fields}
        except RequestError as error:
            answer = {"id": number, "ok": False, "error": str(error)}
        except Exception:
            log.exception("request %d of the kernel failed", number)
            answer = {"id": number, "ok": False, "error": "The streamer failed; its log has the details."}
        text = msgspec.json.encode(answer)
        # The kernel may be gone: the reader sees it.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            await loop.sock_sendall(sock, _LENGTHS.pack(len(text), len(blob)) + text + blob)


class _Requests:
    """Bytes and descriptors as they come, requests as they end."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._fds: deque[int] = deque()

    def feed(self, data: bytes, fds: list[int]) -> None:
        self._buffer += data
        self._fds.extend(fds)

    def next(self) -> tuple[Request, list[int]] | None:
        if len(self._buffer) < _LENGTHS.size:
            return None
        length, blob = _LENGTHS.unpack_from(self._buffer)
        if length + blob > MAX_REQUEST:
            message = f"a request of {length + blob} bytes is too long"
            raise ValueError(message)
        end = _LENGTHS.size + length + blob
        if len(self._buffer) < end:
            return None
        request = _parsed(bytes(self._buffer[_LENGTHS.size : _LENGTHS.size + length]))
        del self._buffer[:end]
        brings = min(_descriptors(request), len(self._fds))
        return request, [self._fds.popleft() for _ in range(brings)]

    def close(self) -> None:
        for fd in self._fds:
            os.close(fd)


def _descriptors(request: Request) -> int:
    """How many descriptors come with it."""
    if request.op == "server-open":
        return descriptors(request.server)
    return int(request.op in ("engine", "server-watch", "visitor"))


def _parsed(text: bytes) -> Request:
    """A request that makes no sense is answered with what is wrong with it, not with the end of the session."""
    try:
        return msgspec.convert(msgspec.json.decode(text, type=dict[str, object]), Request)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Request(_number(text), "invalid", wrong=str(error))


def _number(text: bytes) -> int:
    """Of a request that makes no sense, as Python reads it, whose JSON has NaN as well: its asker waits for that."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return -1
    number = fields.get("id") if isinstance(fields, dict) else None
    return number if isinstance(number, int) else -1


async def _requests(sock: socket.socket) -> AsyncIterator[tuple[Request, list[int]]]:
    requests = _Requests()
    try:
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(sock, 1 << 16, 4)
            except BlockingIOError:
                await _readable(sock)
                continue
            if not data:
                return
            requests.feed(data, fds)
            while request := requests.next():
                yield request
    finally:
        requests.close()


async def _readable(sock: socket.socket) -> None:
    """asyncio offers this only together with its own recv, which loses descriptors."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    loop.add_reader(sock, event.set)
    try:
        await event.wait()
    finally:
        loop.remove_reader(sock)
