"""A real streamer process with a kernel's and viewers' ends of its wires in the test's hands."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import msgspec
from msgspec import Struct
from wslink.chunking import UnChunker, generate_chunks

from pvlink.protocol import (
    METHODS,
    PROTOCOL_VERSION,
    Frame,
    Grant,
    Greet,
    Greeted,
    Join,
    Joined,
    People,
    ViewState,
)
from tests.unit.streamer.fake_engine import FakeEngine

ROOT = Path(__file__).parents[3]
METHOD_OF = {request: method for method, (request, _) in METHODS.items()}


def proof(side: str, grant: Grant, viewer_nonce: str, streamer_nonce: str) -> str:
    """As docs/wire.md says; written here a second time on purpose."""
    said = f"pvlink {side}\n{grant.ticket}\n{viewer_nonce}\n{streamer_nonce}"
    return hmac.new(grant.key.encode(), said.encode(), hashlib.sha256).hexdigest()


async def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Waits for what another process does. How soon is no matter here: where it is, say so by `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)


class Kernel:
    """Starts the streamer, as a kernel does."""

    def __init__(self, directory: Path) -> None:
        self.session = secrets.token_hex(16)
        self.path = directory / f"{self.session}.sock"
        self.socket, theirs = socket.socketpair()
        environment = os.environ | {"PVLINK_RUNTIME_DIR": str(directory), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-P", "-m", "pvlink.streamer", "--session", self.session, "--log-level", "INFO"]
        # A file: a pipe that nobody reads fills up, and then the streamer stands still.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self.process = subprocess.Popen(
            [*command, "--control-fd", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=environment,
            stderr=self._said,
        )
        theirs.close()
        self.socket.settimeout(10)
        self._number = 0
        self._log: str | None = None

    def send(self, op: str, fd: int | None = None, **fields: Any) -> int:
        self._number += 1
        text = json.dumps({"id": self._number, "op": op, **fields}).encode()
        packet = struct.pack("<II", len(text), 0) + text
        # In two pieces: a stream may split anywhere.
        socket.send_fds(self.socket, [packet[:11]], [] if fd is None else [fd])
        self.socket.sendall(packet[11:])
        return self._number

    def receive(self) -> tuple[dict[str, Any], bytes]:
        text, blob = struct.unpack("<II", self._exactly(8))
        return json.loads(self._exactly(text)), self._exactly(blob)

    async def ask(self, op: str, fd: int | None = None, **fields: Any) -> tuple[dict[str, Any], bytes]:
        number = self.send(op, fd, **fields)
        answer, blob = await asyncio.to_thread(self.receive)
        assert answer.pop("id") == number
        return answer, blob

    async def engine(self, pid: int = 0, **options: Any) -> FakeEngine:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        answer, _ = await self.ask("engine", theirs.fileno(), pid=pid)
        assert answer == {"ok": True}
        theirs.close()
        return FakeEngine(ours, **options)

    def rss(self) -> int:
        """Kilobytes of memory of its own: what is shared with the engine is not counted."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("RssAnon:")[1].split()[0])

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def cpu(self) -> float:
        times = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")

    def switches(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])

    def end(self) -> str:
        """Lets go, as a kernel that was killed does; the streamer's log. May be called twice."""
        self.socket.close()
        if self._log is None:
            try:
                self.process.wait(10)
            finally:
                self.process.kill()
                self.process.wait()
                with self._said:
                    self._said.seek(0)
                    self._log = self._said.read().decode()
        return self._log

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data


class Viewer:
    """A viewer: says hello, joins, takes frames, confirms them (or not)."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, http: aiohttp.ClientSession) -> None:
        self.ws = ws
        self.frames: list[Frame] = []
        self.arrived: list[float] = []
        self.states: list[ViewState] = []
        self.confirms = True
        self.joined: Joined | None = None
        self.people: list[People] = []
        # Where to ask for leave, and what to say there besides the view.
        self.tickets = ""
        self.asks: dict[str, Any] = {}
        self._http = http
        self._let_in = False
        self._greeted: asyncio.Future[Greeted] | None = None
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._reader: asyncio.Task[None] | None = None
        self._stalled = asyncio.Event()
        self._stalled.set()

    @classmethod
    async def connect(cls, path: Path) -> Self:
        http = aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)))
        return await cls.over(http, "http://pvlink/ws")

    @classmethod
    async def over(cls, http: aiohttp.ClientSession, url: str, **options: Any) -> Self:
        """`url` ends in /ws; beside it is the ticket route."""
        page = urlsplit(url)
        options.setdefault("origin", f"{page.scheme}://{page.netloc}")
        try:
            ws = await http.ws_connect(url, max_msg_size=64 << 20, **options)
        except BaseException:
            await http.close()
            raise
        viewer = cls(ws, http)
        viewer.tickets = f"{url.removesuffix('/ws')}/ticket"
        viewer._reader = asyncio.create_task(viewer._read())
        return viewer

    @classmethod
    async def watching(cls, path: Path, view: str = "1", **options: Any) -> Self:
        viewer = await cls.connect(path)
        await viewer.join(view, **options)
        return viewer

    async def join(self, view: str = "1", width: int = 320, height: int = 240, **options: Any) -> Joined:
        if not self._let_in:
            await self.enter(await self.grant(view))
        join = Join(PROTOCOL_VERSION, view, width, height, options.pop("codecs", ["jpeg", "png"]), **options)
        answer = await self.call(join)
        self.joined = msgspec.convert(answer["result"], Joined)
        return self.joined

    async def grant(self, view: str = "1") -> Grant:
        """A ticket, as the page fetches it."""
        async with self._http.post(self.tickets, data=msgspec.json.encode({"view": view, **self.asks})) as answer:
            said = await answer.read()
            assert answer.status == 200, (answer.status, said)
            return msgspec.json.decode(said, type=Grant)

    async def greet(self, ticket: str, nonce: str) -> Greeted:
        """Shows a ticket; the other side's proof."""
        self._greeted = asyncio.get_running_loop().create_future()
        await self.ws.send_str(msgspec.json.encode(Greet(PROTOCOL_VERSION, ticket, nonce)).decode())
        return await asyncio.wait_for(self._greeted, 30)

    async def enter(self, grant: Grant) -> None:
        """The whole handshake."""
        nonce = secrets.token_urlsafe(24)
        greeted = await self.greet(grant.ticket, nonce)
        assert greeted.proof == proof("streamer", grant, nonce, greeted.nonce)
        shown = proof("viewer", grant, nonce, greeted.nonce)
        await self.ask("wslink.hello", {"secret": shown}, name="system:c0:0")
        self._let_in = True

    async def call(self, argument: Struct) -> dict[str, Any]:
        return await self.ask(METHOD_OF[type(argument)], msgspec.to_builtins(argument))

    async def ask(self, method: str, *arguments: Any, name: str = "") -> dict[str, Any]:
        self._number += 1
        name = name or f"rpc:c0:{self._number}"
        self._answers[name] = asyncio.get_running_loop().create_future()
        await self.send({"wslink": "1.0", "id": name, "method": method, "args": list(arguments), "kwargs": {}})
        return await asyncio.wait_for(self._answers[name], 30)

    async def send(self, message: object) -> None:
        for chunk in generate_chunks(msgspec.msgpack.encode(message), 1 << 20):
            await self.ws.send_bytes(chunk)

    def stall(self) -> None:
        """From now on nothing is read: buffers fill up to the streamer."""
        self._stalled.clear()
        self.ws._reader._protocol.pause_reading()

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        # Without a goodbye, as a tab that was closed; a stalled one could not say any.
        self.ws._response.close()
        await self._http.close()
        # The transport closes its socket in the loop's next round, which a loop that ends here would not have.
        await asyncio.sleep(0.01)

    async def _read(self) -> None:
        unchunker = UnChunker()
        unchunker.set_max_message_size(64 << 20)
        async for message in self.ws:
            await self._stalled.wait()
            if message.type is aiohttp.WSMsgType.TEXT:
                assert self._greeted is not None
                self._greeted.set_result(msgspec.json.decode(message.data, type=Greeted))
                continue
            if await self._skims(message.data):
                continue
            complete: Any = unchunker.process_chunk(message.data)
            if complete is None:
                continue
            name: str = complete["id"]
            if name.startswith("publish:pvlink.frame"):
                await self._frame(msgspec.convert(complete["result"], Frame))
            elif name.startswith("publish:pvlink.state"):
                self.states.append(msgspec.convert(complete["result"], ViewState))
            elif name.startswith("publish:pvlink.people"):
                self.people.append(msgspec.convert(complete["result"], People))
            elif name in self._answers:
                self._answers.pop(name).set_result(complete)

    async def _skims(self, data: bytes) -> bool:
        """Whether this chunk needs no further reading; for viewers that look at no picture."""
        return False

    async def _frame(self, frame: Frame) -> None:
        self.frames.append(frame)
        self.arrived.append(time.monotonic())
        if self.confirms:
            arguments = [{"frame": frame.id, "decode_ms": 1.5, "paint_ms": 0.5}]
            # Frames that came before the other side hung up are read after it; why it did follows them.
            with contextlib.suppress(ConnectionError):
                await self.send({"wslink": "1.0", "id": "rpc:c0:d", "method": "pvlink.drawn", "args": arguments})
