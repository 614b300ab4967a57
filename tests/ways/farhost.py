"""Kernels on a host of their own, as Jupyter Enterprise Gateway has them: only the network leads there."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from sys import executable

from tests.browser.jupyter import START_S, Server
from tests.ways.room import Room, covered, environment

PORT = 8888
# Everything that tells a process of the one host where something of the other is.
NAMES_PLACES = ("XDG_", "JUPYTER", "JPY_", "PVLINK_RUNTIME", "DISPLAY", "WAYLAND", "TMPDIR")


@dataclass(frozen=True)
class FarHost:
    # Where the browser's host and the kernels' are to be found, each from the other.
    here: str
    there: str
    gateway_token: str
    log: Path


@contextmanager
def wired(room: Room) -> Iterator[tuple[str, str]]:
    """A cable from this host to the room: the addresses of its ends."""
    # Of a network that is nobody's: it is for measuring only (RFC 2544).
    block = f"198.18.{secrets.randbelow(256)}.{4 * secrets.randbelow(64)}"
    here, there = (f"{block.rpartition('.')[0]}.{int(block.rpartition('.')[2]) + end}" for end in (1, 2))
    name = f"pv{secrets.token_hex(4)}"
    enter = ["nsenter", f"--target={room.pid}", "--net"]
    commands = [
        ["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(room.pid)],
        ["ip", "address", "add", f"{here}/30", "dev", name],
        ["ip", "link", "set", name, "up"],
        [*enter, "ip", "link", "set", "lo", "up"],
        [*enter, "ip", "address", "add", f"{there}/30", "dev", "eth0"],
        [*enter, "ip", "link", "set", "eth0", "up"],
    ]
    for command in commands:
        subprocess.run(command, check=True, capture_output=True, timeout=10)
    try:
        yield here, there
    finally:
        # It ends with the room, too.
        subprocess.run(["ip", "link", "delete", name], check=False, capture_output=True, timeout=10)


@contextmanager
def far_host(home: Path) -> Iterator[FarHost]:
    """A host with a kernel gateway and a /tmp of its own."""
    with ExitStack() as stack:
        below_tmp = [path for path in environment() if path.is_relative_to("/tmp")]
        own = [*covered(Path("/tmp"), below_tmp, mode="1777"), "mkdir /tmp/home"]
        room = stack.enter_context(Room(own, network=True))
        here, there = stack.enter_context(wired(room))
        found = FarHost(here, there, secrets.token_hex(16), home / "gateway.log")
        env = {name: value for name, value in os.environ.items() if not name.startswith(NAMES_PLACES)}
        env |= {"HOME": "/tmp/home", "KG_AUTH_TOKEN": found.gateway_token}
        command = [executable, "-P", "-m", "kernel_gateway", f"--KernelGatewayApp.ip={there}"]
        command += [f"--KernelGatewayApp.port={PORT}", "--KernelGatewayApp.port_retries=0"]
        # As Jupyter Enterprise Gateway has it; a server asks for its kernels.
        command += ["--JupyterWebsocketPersonality.list_kernels=True"]
        gateway = room.start(command, home=Path("/tmp/home"), env=env, log=found.log)
        stack.callback(gateway.wait)
        stack.callback(gateway.kill)
        answers(found, gateway)
        yield found


def answers(host: FarHost, gateway: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            with socket.create_connection((host.there, PORT), 1):
                return
        except OSError:
            late = gateway.poll() is not None or time.monotonic() > deadline
            assert not late, f"the gateway did not start; it said:\n{host.log.read_text()[-3000:]}"
            time.sleep(0.05)


def jupyter_on(host: FarHost, home: Path) -> Server:
    """A Jupyter server of this host, whose kernels are the other's."""
    server = Server.jupyter(home)
    settings = {"GatewayClient": {"url": f"http://{host.there}:{PORT}", "auth_token": host.gateway_token}}
    (home / "config").mkdir()
    (home / "config" / "jupyter_server_config.json").write_text(json.dumps(settings))
    return server


def begin_kernel(server: Server, notebook: str) -> None:
    """As a front end does when it opens a notebook."""
    asked = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": "python3"}}
    body = json.dumps(asked).encode()
    request = urllib.request.Request(f"{server.url}api/sessions", body, method="POST")  # noqa: S310 - http, here
    request.add_header("Authorization", f"token {server.token}")
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310
        pass
