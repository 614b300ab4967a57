"""Frames from a ParaView server: through pvlink, by a bare loop on the same kind of server, and what the relay takes.

Three servers, one for each; while one is measured the others are stopped, for a rank that waits for MPI takes a core.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

from benchmarks.figures import Figure, higher, lower, ratio
from benchmarks.frames import RESTLESS, drag
from benchmarks.scenes import BARE_LOOP, HEAVY, LIGHT, SIZE
from tests.integration.interpreter import Interpreter, Kernel, plain
from tests.integration.watcher import Watcher
from tests.servers.pvservers import ByHand, screen

RANKS = (1, 2)
SCENES = {"light": LIGHT, "heavy": HEAVY}
# As pvlink has it on one machine: the server draws, and its pictures come as they are.
LIKE_PVLINK = "view.RemoteRenderThreshold = 0; view.CompressorConfig = 'NULL'\n"
CONNECT = "assert Connect('127.0.0.1', {port}, timeout=20)\nview = CreateRenderView()\n"
# The streamer's relay with nothing else of pvlink's around it: a plain ParaView connects to the port that is printed.
RELAY = """\
from pvlink.servers.link import Line, Link, Wish
link, wish = Link(session.ask), Wish((Line("connect", "127.0.0.1", {port}),), "{version}", "a server")
link.begin(wish)
answer = link.wait(wish, lambda *_: None)[0]
"""
# Small questions, one after the other: each is a round trip.
QUESTIONS = """\
import time
def ask(times):
    session, began = servermanager.ActiveConnection.Session, time.perf_counter()
    for _ in range(times):
        session.GatherInformation(session.DATA_SERVER_ROOT, servermanager.vtkPVServerInformation(), 0)
    return (time.perf_counter() - began) / times * 1e6
"""


@contextlib.contextmanager
def alone(server: ByHand, others: list[ByHand]) -> Iterator[None]:
    """While this server works the others stand."""
    resting = [pid for other in others if other is not server for pid in other.rank_pids()]
    for pid in resting:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in resting:
            os.kill(pid, signal.SIGCONT)


def figures(runs: int, seconds: float) -> Iterator[Figure]:
    for ranks in RANKS:
        for name, scene in SCENES.items():
            yield from _scene(f"{name} scene on a server, ranks {ranks}", ranks, scene, runs, seconds)


def _scene(label: str, ranks: int, scene: str, runs: int, seconds: float) -> Iterator[Figure]:
    through: list[float] = []
    relayed: list[float] = []
    bare: list[float] = []
    trips: list[float] = []
    bare_trips: list[float] = []
    with contextlib.ExitStack() as stack:
        display = stack.enter_context(screen())
        servers = [stack.enter_context(ByHand("direct", ranks, display).start()).ready() for _ in range(3)]
        kernels = [stack.enter_context(Kernel.started()) for _ in range(2)]
        loops = [stack.enter_context(plain(display)) for _ in range(2)]
        ports = [int(server.address.rpartition(":")[2]) for server in servers]
        kernels[0].run(f"session.connect('cs://127.0.0.1:{ports[0]}')\n{scene}")
        version = kernels[1].run("answer = session.about['paraview'].rpartition('.')[0]")
        by_relay = kernels[1].run(RELAY.format(port=ports[1], version=version))
        for loop, port in zip(loops, (by_relay, ports[2]), strict=True):
            _prepare(loop, port, scene)
        with Watcher(kernels[0].socket(), kernels[0].show(), *SIZE) as viewer:
            viewer.still()
            drag(viewer, 0.5)
            viewer.quiet()
            for _ in range(runs):
                with alone(servers[2], servers):
                    bare.append(loops[1].run(f"answer = turn({seconds})"))
                    bare_trips.append(loops[1].run("answer = ask(500)"))
                with alone(servers[0], servers):
                    through.append(drag(viewer, seconds, RESTLESS).rate)
                with alone(servers[1], servers):
                    relayed.append(loops[0].run(f"answer = turn({seconds})"))
                    trips.append(loops[0].run("answer = ask(500)"))
    yield higher(f"{label}: frames/s at a viewer while dragging (floor: bare loop)", "1/s", through, bare)
    yield ratio(f"{label}: frames/s to the bare loop", through, bare, "higher")
    yield ratio(f"{label}: bare loop through the relay, to without", relayed, bare, "higher")
    yield lower(f"{label}: a small question through the relay (floor: without)", "us", trips, bare_trips)


def _prepare(loop: Interpreter, port: int, scene: str) -> None:
    width, height = SIZE
    loop.run(CONNECT.format(port=port) + LIKE_PVLINK + scene)
    loop.run(BARE_LOOP.format(width=width, height=height))
    loop.run(QUESTIONS)
