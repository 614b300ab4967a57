"""A real pvserver and a real ParaView client, the relay between them: killed and stopped in the middle of renders."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.unit.streamer.harness import until
from tests.unit.streamer.pvserver.conftest import Desk

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(
        not all(map(shutil.which, ("pvserver", "pvpython", "mpiexec", "Xvfb"))),
        reason="needs pvserver, pvpython, mpiexec and Xvfb",
    ),
]

# Renders without end, until it is told (on its input) that the server is lost. Then it goes on without one.
CLIENT = """
import select, sys
from paraview.simple import *

def lost():
    return bool(select.select([0], [], [], 0)[0])

assert Connect("127.0.0.1", PORT) is not None
wavelet = Wavelet(WholeExtent=[-SIZE, SIZE] * 3)
contour = Contour(Input=wavelet, ContourBy=["POINTS", "RTData"], Isosurfaces=[100.0, 157.0])
Show(contour)
view = GetActiveView()
view.ViewSize = [800, 600]
window = view.SMProxy.GetRenderWindow()
window.SetShowWindow(False)
window.SetUseOffScreenBuffers(True)
view.RemoteRenderThreshold = 0
view.SMProxy.ResetCamera()
view.SMProxy.StillRender()
print("remote", view.SMProxy.GetClientSideObject().GetUseDistributedRenderingForRender(), flush=True)
frames = 0
while not lost():
    view.SMProxy.GetActiveCamera().Azimuth(3)
    view.SMProxy.StillRender()
    frames += 1
    if frames == 5:
        print("turns", flush=True)
print("lost", flush=True)
Disconnect()
Connect()
sphere = Sphere()
sphere.UpdatePipeline()
print("alive", sphere.GetDataInformation().GetNumberOfCells(), flush=True)
"""


@dataclass
class Theatre:
    """What is needed beside the relay; all of it ends with the test."""

    display: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMPI_", "PMIX_", "PMI_"))}
        allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        quiet = {"HWLOC_COMPONENTS": "-gl", "OMPI_MCA_mpi_yield_when_idle": "1"}
        return {**kept, **allowed, **quiet, "DISPLAY": self.display}

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self.environment(),
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def server(self, ranks: int, *arguments: str) -> subprocess.Popen[bytes]:
        mpi = ("mpiexec", "--oversubscribe", "-n", str(ranks)) if ranks > 1 else ()
        return self.start(*mpi, "pvserver", *arguments)

    def client(self, port: int, size: int = 40) -> subprocess.Popen[bytes]:
        script = CLIENT.replace("PORT", str(port)).replace("SIZE", str(size))
        return self.start("pvpython", "--no-mpi", "-c", script)


@pytest.fixture
def theatre() -> Iterator[Theatre]:
    xvfb = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp", "-noreset"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    one = Theatre("")
    try:
        assert xvfb.stdout is not None
        one.display = f":{xvfb.stdout.readline().decode().strip()}"
        yield one
    finally:
        for process in one.processes:
            # Each has a session of its own: the ranks go with their mpiexec.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            for pid in children(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.communicate(timeout=10)
        xvfb.terminate()
        xvfb.communicate(timeout=10)


def children(pid: int) -> list[int]:
    """OpenMPI gives each rank a process group of its own."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in path.read_text().split()] if path.exists() else []


def servers(process: subprocess.Popen[bytes]) -> list[int]:
    """The pvservers of this one, itself or its ranks."""
    found = [process.pid, *children(process.pid)]
    return [pid for pid in found if Path(f"/proc/{pid}/comm").read_text().strip() == "pvserver"]


async def says(process: subprocess.Popen[bytes], word: str, seconds: float = 30.0) -> str:
    """The line that begins so; the others are passed over. The end of file is none."""
    assert process.stdout is not None
    while True:
        line = await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), seconds)
        assert line, f"it ended ({process.wait(5)}) before it said {word!r}"
        if line.startswith(word.encode()):
            return line.decode().strip()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


async def connected(desk: Desk, theatre: Theatre, *, ranks: int, reverse: bool = False) -> subprocess.Popen[bytes]:
    """A server with the relay before it."""
    if reverse:
        desk.open({"way": "listen"}, connect_id=4711, timeout=30.0)
        await until(lambda: desk.state["listening"])
        port = desk.state["listening"].rsplit(":", 1)[1]
        server = theatre.server(ranks, "-rc", "--client-host=127.0.0.1", f"-sp={port}", "--connect-id=4711")
    else:
        port = free_port()
        server = theatre.server(ranks, "-p", str(port), "--connect-id=4711")
        desk.connect(port, connect_id=4711, timeout=30.0)
    await desk.reach("ready", seconds=35)
    return server


async def survives(desk: Desk, client: subprocess.Popen[bytes]) -> None:
    """The client has been told, as an engine is, and goes on."""
    await until(lambda: desk.lost, 3)
    assert client.stdin is not None
    client.stdin.write(b"lost\n")
    client.stdin.flush()
    assert await says(client, "alive", 10) == "alive 96"
    assert await asyncio.to_thread(client.wait, 10) == 0


@pytest.mark.parametrize(("ranks", "reverse"), [(2, False), (1, True), pytest.param(1, False, marks=pytest.mark.soak)])
async def test_a_client_renders_through_the_relay_and_outlives_its_server(
    desk: Desk, theatre: Theatre, ranks: int, reverse: bool
) -> None:
    server = await connected(desk, theatre, ranks=ranks, reverse=reverse)
    client = theatre.client(desk.state["ports"][0])
    assert await says(client, "remote") == "remote True"
    await says(client, "turns")
    state = desk.state
    assert (state["state"], state["server_version"]) == ("live", "5.11")
    assert state["received"] > 1 << 20

    os.kill(servers(server)[0], signal.SIGKILL)
    await survives(desk, client)

    assert "has ended" in desk.lost[0]


async def test_a_client_in_a_stopped_servers_render_comes_back_when_it_is_cut_off(desk: Desk, theatre: Theatre) -> None:
    server = await connected(desk, theatre, ranks=1)
    client = theatre.client(desk.state["ports"][0])
    await says(client, "turns")

    os.kill(server.pid, signal.SIGSTOP)
    await until(lambda: desk.state["waiting"] and desk.state["heard"] > 0.5)
    desk.desk.cut()
    await survives(desk, client)


async def test_a_server_with_another_id_or_version_stays_and_takes_the_right_one(desk: Desk, theatre: Theatre) -> None:
    server = await connected(desk, theatre, ranks=1)
    desk.desk.close_link()
    await asyncio.to_thread(server.wait, 10)

    port = free_port()
    server = theatre.server(1, "-p", str(port), "--connect-id=5")
    desk.connect(port, connect_id=6, timeout=30.0)
    assert (await desk.failed(35))["reason"] == "wrong-id"
    desk.connect(port, connect_id=5, version="5.13")
    state = await desk.failed()
    assert (state["reason"], state["server_version"]) == ("wrong-version", "5.11")
    desk.connect(port, connect_id=5)
    await desk.reach("ready")


async def test_another_id_or_version_of_a_server_that_comes_is_said(desk: Desk, theatre: Theatre) -> None:
    desk.open({"way": "listen"}, connect_id=1, version="5.10", timeout=30.0)
    await until(lambda: desk.state["listening"])
    port = desk.state["listening"].rsplit(":", 1)[1]
    theatre.server(1, "-rc", "--client-host=127.0.0.1", f"-sp={port}", "--connect-id=1")

    state = await desk.failed(35)

    assert (state["reason"], state["server_version"]) == ("wrong-version", "5.11")


@pytest.mark.soak
@pytest.mark.parametrize("delay", range(0, 280, 20))
async def test_a_client_outlives_its_server_whenever_it_is_killed(desk: Desk, theatre: Theatre, delay: int) -> None:
    server = await connected(desk, theatre, ranks=1 + delay // 20 % 2)
    client = theatre.client(desk.state["ports"][0], size=60)
    await says(client, "turns")
    await asyncio.sleep(delay / 1000.0)

    for pid in servers(server):
        os.kill(pid, signal.SIGKILL)

    await survives(desk, client)
