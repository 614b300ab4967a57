"""A Jupyter server, two sessions and a shared link, all real but for ParaView; and how to knock at each door."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from pvlink.protocol import PROTOCOL_VERSION, Grant, Greeted
from tests.unit.streamer.fake_engine import FakeEngine
from tests.unit.streamer.harness import ROOT, Kernel, proof

PASSWORD = "Canary-7hK92mQ-pw"
# By which a viewer may come: through Jupyter, at the unix socket behind it, by a link.
DOORS = ("jupyter", "unix", "link")


class House:
    """Ended by `close`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.token = secrets.token_hex(16)
        self.jupyter_log = home / "jupyter.log"
        self._engines: list[FakeEngine] = []
        self._short = tempfile.TemporaryDirectory(prefix="pv")
        self.directory = Path(self._short.name)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/user/ann/"
        # Certificates are kept here, not with those of whoever runs the tests.
        os.environ["XDG_DATA_HOME"] = str(home / "data")
        self._jupyter = self._start_jupyter()
        self.kernel, self.other = Kernel(self.directory), Kernel(self.directory)
        asyncio.run(self._furnish())

    def environment(self) -> dict[str, str]:
        places = {name: str(self.home / name) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
        places |= {"JUPYTER_RUNTIME_DIR": str(self.home / "runtime"), "IPYTHONDIR": str(self.home / "ipython")}
        ours = {"PYTHONPATH": str(ROOT), "PVLINK_RUNTIME_DIR": str(self.directory), "JUPYTER_TOKEN": self.token}
        return os.environ | places | ours | {"JUPYTER_CONFIG_PATH": str(ROOT / "jupyter-config")}

    def _start_jupyter(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={self.port}"]
        command += ["--ServerApp.port_retries=0", "--ServerApp.base_url=/user/ann/", "--ServerApp.log_level=DEBUG"]
        with self.jupyter_log.open("w") as log:
            return subprocess.Popen(command, env=self.environment(), cwd=self.home, stdout=log, stderr=log)

    async def _furnish(self) -> None:
        for kernel in (self.kernel, self.other):
            self._engines.append(await kernel.engine(views=("1", "2")))
        self.share = await self.shared(self.kernel, "1", PASSWORD)
        self.second = await self.shared(self.kernel, "2", "")
        self.foreign = await self.shared(self.other, "1", "")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(urllib.error.URLError):
                await asyncio.to_thread(self._knock)
                return
            await asyncio.sleep(0.05)
        raise TimeoutError(self.jupyter_log.read_text()[-2000:])

    def _knock(self) -> None:
        urllib.request.urlopen(f"{self.url}api?token={self.token}").close()  # noqa: S310 - http, here

    async def shared(self, kernel: Kernel, view: str, password: str, **options: Any) -> dict[str, Any]:
        """A new link: what its owner is told."""
        wish = {"view": view, "role": "view", "expires": 600.0, "password": password, **options}
        deadline = time.monotonic() + 5
        while True:
            answer, _ = await kernel.ask("share", **wish)
            # The engine says only after a moment which views it has.
            if answer["ok"] or "has no view" not in answer["error"] or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.02)
        assert answer["ok"], answer
        return {**answer["share"], "password": answer["password"]}

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def link_origin(self) -> str:
        return str(self.share["url"]).partition("/s/")[0]

    def close(self) -> None:
        for kernel in (self.kernel, self.other):
            kernel.end()
        for engine in self._engines:
            engine.die()
        self._jupyter.terminate()
        self._jupyter.wait(20)
        self._short.cleanup()

    # Knocking.

    @contextlib.asynccontextmanager
    async def client(self, door: str, **options: Any) -> AsyncIterator[aiohttp.ClientSession]:
        """An HTTP client for this door that Jupyter would let in."""
        if door == "unix":
            options["connector"] = aiohttp.UnixConnector(str(self.kernel.path))
        elif door == "link":
            options["connector"] = aiohttp.TCPConnector(ssl=False)
        else:
            options.setdefault("headers", {"Authorization": f"token {self.token}"})
        async with aiohttp.ClientSession(**options) as http:
            yield http
        # A closed transport closes its socket in the loop's next rounds.
        await asyncio.sleep(0.05 if door == "link" else 0.01)

    def address(self, door: str, what: str, *, share: dict[str, Any] | None = None) -> str:
        """Of "ws" or "ticket"."""
        if door == "unix":
            return f"http://pvlink/{what}"
        if door == "jupyter":
            return f"{self.url}pvlink/{self.kernel.session}/{what}"
        url = (share or self.share)["url"]
        return f"{url}/ticket" if what == "ticket" else f"{url.partition('/s/')[0]}/ws"

    def origin_of(self, door: str) -> str:
        return {"jupyter": self.origin, "link": self.link_origin}.get(door, "http://pvlink")

    async def grant(self, door: str, view: str = "1") -> Grant:
        """A ticket, fetched as it should be."""
        asks = {"password": self.share["password"]} if door == "link" else {"view": view}
        async with self.client(door) as http:
            headers = {"Origin": self.origin_of(door)}
            async with http.post(self.address(door, "ticket"), data=json.dumps(asks), headers=headers) as answer:
                said = await answer.read()
                assert answer.status == 200, said
                return msgspec.json.decode(said, type=Grant)

    @contextlib.asynccontextmanager
    async def socket(self, door: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with self.client(door) as http:
            address = self.address(door, "ws")
            async with http.ws_connect(address, origin=self.origin_of(door), max_msg_size=64 << 20) as ws:
                yield ws


async def greet(ws: aiohttp.ClientWebSocketResponse, ticket: object, nonce: object = "n" * 32, **more: object) -> None:
    await ws.send_str(json.dumps({"protocol": PROTOCOL_VERSION, "ticket": ticket, "nonce": nonce, **more}))


async def greeted(ws: aiohttp.ClientWebSocketResponse, grant: Grant, nonce: str = "n" * 32) -> tuple[Greeted, str]:
    """The streamer's answer, and the proof with which to go on."""
    await greet(ws, grant.ticket, nonce)
    answer = msgspec.json.decode(await ws.receive_str(timeout=5), type=Greeted)
    assert answer.proof == proof("streamer", grant, nonce, answer.nonce)
    return answer, proof("viewer", grant, nonce, answer.nonce)


async def say(ws: aiohttp.ClientWebSocketResponse, message: object) -> None:
    from wslink.chunking import generate_chunks

    for chunk in generate_chunks(msgspec.msgpack.encode(message), 1 << 20):
        await ws.send_bytes(chunk)


def hello(*arguments: object, name: str = "system:c0:0") -> dict[str, object]:
    return {"wslink": "1.0", "id": name, "method": "wslink.hello", "args": list(arguments), "kwargs": {}}


async def answer_of(ws: aiohttp.ClientWebSocketResponse) -> Any:
    """The next whole message, of those that fit into one piece."""
    return msgspec.msgpack.decode((await ws.receive_bytes(timeout=5))[12:])


async def close_code(ws: aiohttp.ClientWebSocketResponse) -> int | None:
    """How the other side ends it; what it said before must be no more than an error."""
    async with asyncio.timeout(8):
        async for message in ws:
            if message.type is aiohttp.WSMsgType.BINARY:
                said = msgspec.msgpack.decode(message.data[12:])
                assert "error" in said, said
    return ws.close_code


def made(home: Path) -> Iterator[House]:
    """For a fixture of a module."""
    before = os.environ.get("XDG_DATA_HOME")
    house = House(home)
    try:
        yield house
    finally:
        house.close()
        if before is None:
            os.environ.pop("XDG_DATA_HOME", None)
        else:
            os.environ["XDG_DATA_HOME"] = before
