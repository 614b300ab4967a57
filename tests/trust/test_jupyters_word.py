"""A Jupyter server with an authorizer of its own: who may read looks, who may nothing stays out."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pvlink.protocol import Input, InputEvent, Size
from tests.unit.server.conftest import Jupyter, _free_port, _wait_for, directory, kernel
from tests.unit.streamer.harness import ROOT, Kernel, Viewer, until

__all__ = ["directory", "kernel"]
pytestmark = pytest.mark.trust

# Each user's word is the start of the name: reader, writer, nobody. "asked" keeps what was asked about pvlink.
AUTHORIZER = """\
from jupyter_server.auth import Authorizer, IdentityProvider, User
MAY = {"reader": {"read"}, "writer": {"read", "write", "execute"}, "executor": {"execute"}, "nobody": set()}

class ByHeader(IdentityProvider):
    def get_user(self, handler):
        name = handler.request.headers.get("X-User", "")
        handler._token_authenticated = True
        return User(name, display_name=name.title()) if name else None

class ByName(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource != "pvlink" or action in MAY[user.username]
"""


@contextmanager
def server(directory: Path, home: Path) -> Iterator[Jupyter]:
    (home / "house_rules.py").write_text(AUTHORIZER)
    one = Jupyter(_free_port(), secrets.token_hex(8))
    folders = {name: str(home / name) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    environment = os.environ | folders | {"PYTHONPATH": f"{ROOT}:{home}", "PVLINK_RUNTIME_DIR": str(directory)}
    environment |= {"JUPYTER_CONFIG_PATH": str(ROOT / "jupyter-config"), "JUPYTER_TOKEN": one.token}
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={one.port}"]
    command += ["--ServerApp.port_retries=0", f"--ServerApp.base_url={one.base}", f"--ServerApp.root_dir={home}"]
    command += ["--ServerApp.authorizer_class=house_rules.ByName"]
    command += ["--ServerApp.identity_provider_class=house_rules.ByHeader"]
    with (home / "jupyter.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(one, process)
        yield one
    finally:
        process.terminate()
        process.wait(10)


async def asks(jupyter: Jupyter, session: str, user: str, route: str, method: str) -> int:
    headers = {"Origin": f"http://127.0.0.1:{jupyter.port}"} | ({"X-User": user} if user else {})
    url = f"{jupyter.url}pvlink/{session}{route}"
    async with aiohttp.ClientSession(headers=headers) as http:
        if route == "/ws":
            try:
                async with http.ws_connect(url):
                    return 101
            except aiohttp.WSServerHandshakeError as error:
                return error.status
        body: dict[str, Any] = {"json": {"view": "1"}} if method == "POST" else {}
        async with http.request(method, url, **body) as answer:
            return answer.status


async def joins(jupyter: Jupyter, session: str, user: str) -> Viewer:
    viewer = await Viewer.over(aiohttp.ClientSession(headers={"X-User": user}), f"{jupyter.url}pvlink/{session}/ws")
    await viewer.join()
    return viewer


async def test_who_may_read_looks_and_who_may_nothing_stays_out(
    directory: Path, kernel: Kernel, tmp_path: Path
) -> None:
    with server(directory, tmp_path) as jupyter:
        engine = await kernel.engine()
        for route, method in (("", "GET"), ("/ticket", "POST"), ("/ws", "GET")):
            found = {
                user: await asks(jupyter, kernel.session, user, route, method) for user in ("nobody", "executor", "")
            }
            assert found == {"nobody": 403, "executor": 403, "": 403}, route

        writer, reader = [await joins(jupyter, kernel.session, user) for user in ("writer", "reader")]
        assert [each.joined and each.joined.role for each in (writer, reader)] == ["owner", "view"]
        await until(lambda: writer.people and len(writer.people[-1].viewers) == 2)
        assert [(one.who, one.role, one.way) for one in writer.people[-1].viewers] == [
            ("Writer", "owner", "jupyter"),
            ("Reader", "view", "jupyter"),
        ]
        turn = Input(1, [InputEvent("action", action="reset")])
        assert "may look" in (await reader.call(turn))["error"]["message"]
        assert (await reader.call(Size(500, 500)))["result"] is None
        assert (await writer.call(turn))["result"] is None
        await until(lambda: engine.events)
        assert len(engine.events) == 1
        assert {(one["width"], one["height"]) for one in engine.saw("watch")} == {(320, 240)}
        for viewer in (writer, reader):
            await viewer.close()
        engine.die()
