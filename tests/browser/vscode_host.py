"""A notebook editor that keeps VS Code's rules, with a real kernel behind it.

Outputs live in a frame of an origin of its own, whose policy lets nothing connect; the editor passes on what can be
cloned, in order and not at once. The page shows what a user of the editor would see, and nothing more reaches it.
"""

from __future__ import annotations

import asyncio
import json
import struct
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Self

from aiohttp import WSMsgType, web
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

FILES = Path(__file__).parent / "vscode"
START_S = 60.0
KEPT = ("comm_open", "comm_msg", "comm_close", "display_data", "execute_result")


def _pack(message: dict[str, Any], buffers: list[Any]) -> bytes:
    text = json.dumps(message).encode()
    parts = [struct.pack("<I", len(text)), text]
    for buffer in map(bytes, buffers):
        parts += [struct.pack("<I", len(buffer)), buffer]
    return b"".join(parts)


def _unpack(data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    (length,) = struct.unpack_from("<I", data)
    message, at, buffers = json.loads(data[4 : 4 + length]), 4 + length, []
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        buffers.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return message, buffers


class VsCode:
    """The editor and its kernel, in a thread with a loop of its own."""

    def __init__(self, home: Path) -> None:
        self.url = ""
        self._home = home
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="editor", daemon=True)
        self._pages: list[web.WebSocketResponse] = []
        # What the kernel said before the page was there.
        self._before: list[bytes] = []
        self._manager = AsyncKernelManager(kernel_name="python3")
        self._client: AsyncKernelClient = self._manager.client()
        self._errors: dict[str, str] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._runner: web.AppRunner | None = None
        self._pump: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._home.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        self._do(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def run(self, code: str) -> None:
        """Run a cell and wait for its end."""
        self._do(self._execute(code, wait=True))

    def begin(self, code: str) -> None:
        """Run a cell that lasts."""
        self._do(self._execute(code, wait=False))

    def interrupt(self) -> None:
        self._do(self._interrupt())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(START_S)

    async def _start(self) -> None:
        await self._manager.start_kernel(cwd=str(self._home))
        self._client = self._manager.client()
        self._client.start_channels()
        await self._client.wait_for_ready(timeout=START_S)
        self._pump = asyncio.create_task(self._hear())
        app = web.Application()
        app.router.add_get("/kernel", self._page)
        app.router.add_static("/", FILES)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/host.html"

    async def _stop(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        for page in self._pages:
            await page.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._client.stop_channels()
        await self._manager.shutdown_kernel(now=True)

    async def _interrupt(self) -> None:
        await self._manager.interrupt_kernel()

    async def _execute(self, code: str, *, wait: bool) -> None:
        name = self._client.execute(code)
        ended = self._ended[name] = asyncio.Event()
        if not wait:
            return
        await ended.wait()
        if wrong := self._errors.pop(name, ""):
            raise RuntimeError(wrong)

    async def _hear(self) -> None:
        while True:
            said = await self._client.get_iopub_msg(timeout=None)
            kind, content, parent = said["msg_type"], said["content"], said["parent_header"].get("msg_id")
            if kind == "error":
                self._errors[parent] = "\n".join(content["traceback"])
            elif kind == "status" and content["execution_state"] == "idle" and parent in self._ended:
                self._ended.pop(parent).set()
            elif kind in KEPT:
                packet = _pack({"type": kind, "content": content}, said["buffers"])
                if not self._pages:
                    self._before.append(packet)
                for page in self._pages:
                    await page.send_bytes(packet)

    async def _page(self, request: web.Request) -> web.WebSocketResponse:
        page = web.WebSocketResponse(max_msg_size=64 << 20)
        await page.prepare(request)
        for packet in self._before:
            await page.send_bytes(packet)
        self._pages.append(page)
        async for message in page:
            if message.type is WSMsgType.BINARY:
                said, buffers = _unpack(message.data)
                whole = self._client.session.msg("comm_msg", said)
                self._client.session.send(self._client.shell_channel.socket, whole, buffers=buffers)
        self._pages.remove(page)
        return page
