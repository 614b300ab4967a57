"""What a session survives while it is on a ParaView server: the end of its own processes, and servers that compute."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.conftest import environment
from tests.integration.household import until
from tests.integration.scenes import difference, pixels
from tests.servers.places import KINDS, Kind, Place, attempt, picture, place, run, value, watched
from tests.servers.pvservers import ByHand, needs_servers, screen
from tests.servers.test_deaths import SCENE, served

pytestmark = needs_servers
COUNT = "contour.GetDataInformation().GetNumberOfCells() == right[157.0]"


@pytest.fixture
def own(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A place for this test alone, with a served server of two ranks."""
    kind: Kind = request.param
    with place(kind, lambda: environment("paraview")) as at:
        run(at, "mine = 'here'; server = session.serve(ranks=2)")
        run(at, SCENE)
        yield at


in_both = pytest.mark.parametrize("own", KINDS, indirect=True)
beside = pytest.mark.parametrize("own", ["process"], indirect=True)


def pid_of(at: Place, who: str) -> int:
    return int(value(at, {"engine": "session.about['pid']", "streamer": "session._streamer.pid"}[who]))


@beside
@pytest.mark.parametrize("back", ["session.restart()", pytest.param("session.reconnect()", marks=pytest.mark.soak)])
def test_of_a_killed_engine_all_comes_back_server_included(own: Place, back: str) -> None:
    before, server, engine = picture(own), served(own), pid_of(own, "engine")
    run(own, "session.desk.save()")
    os.kill(engine, signal.SIGKILL)
    until(lambda: not psutil.pid_exists(engine) or psutil.Process(engine).status() == psutil.STATUS_ZOMBIE, 3)
    said = attempt(own, f"found = {COUNT}").wrong
    assert said is not None
    # Which of the two is met first: its connection ends with the engine.
    assert said[0] in ("EngineLost", "ServerLost"), said
    # A server whose client has gone ends.
    server.gone_by(time.monotonic() + 3)
    run(own, back)
    assert value(own, f"(mine, {COUNT}, session.server.alive)") == ("here", True, True)
    assert difference(before, picture(own)) == ""


@pytest.mark.soak
@in_both
def test_of_a_killed_streamer_all_comes_back_server_included(own: Place) -> None:
    before, server = picture(own), served(own)
    # Its relay was the way to the server.
    os.kill(pid_of(own, "streamer"), signal.SIGKILL)
    server.gone_by(time.monotonic() + 5)
    said = attempt(own, f"found = {COUNT}\nassert found\nRender()").wrong
    assert said is not None
    assert said[0] in ("ServerLost", "StreamerLost"), said
    run(own, "session.restart()")
    assert value(own, f"(mine, {COUNT}, session.server.alive)") == ("here", True, True)
    assert difference(before, picture(own)) == ""


@pytest.mark.parametrize(
    ("own", "stopped"),
    [
        pytest.param("process", True, id="process-stopped"),
        pytest.param("kernel", False, id="kernel-running", marks=pytest.mark.soak),
        pytest.param("process", False, id="process-running", marks=pytest.mark.soak),
        pytest.param("kernel", True, id="kernel-stopped", marks=pytest.mark.soak),
    ],
    indirect=["own"],
)
def test_of_a_killed_kernel_nothing_is_left(own: Place, stopped: bool) -> None:
    server = served(own)
    if stopped:
        for pid in server.ranks.values():
            os.kill(pid, signal.SIGSTOP)
    os.kill(own.pid, signal.SIGKILL)
    until(lambda: not server.left(), 5)
    until(lambda: not own.household(), 5)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with screen() as name:
        yield name


@pytest.mark.parametrize("kind", ["process", pytest.param("kernel", marks=pytest.mark.soak)])
def test_a_server_that_comes_back_by_itself_finds_the_session_again(kind: Kind, display: str) -> None:
    with place(kind, lambda: environment("paraview")) as at, ByHand("direct", 1, display) as server:
        server.start().ready()
        run(at, f"server = session.connect({server.address!r}, timeout=60, reconnect=True)")
        run(at, SCENE)
        with watched(at) as watcher:
            watcher.quiet(0.4)
            before = pixels(watcher.still().data)
            killed = time.monotonic()
            os.kill(server.rank_pids()[0], signal.SIGKILL)
            watcher.until(lambda: watcher.states and watcher.states[-1].state == "lost", 3)
            assert time.monotonic() < killed + 3
            assert "has ended" in watcher.states[-1].message
            last = watcher.frames[-1].id
            # No cell runs meanwhile.
            server.start()
            watcher.until(lambda: watcher.states[-1].state == "live", 60)
            watcher.still(last, 60)
            watcher.quiet(0.4)
            after = pixels(watcher.still(last).data)
            assert value(at, f"({COUNT}, session.server.alive)") == (True, True)
        assert difference(before, after) == ""


SLOW = """\
slow = ProgrammableFilter(Input=contour, Script="import time; time.sleep(8); output.ShallowCopy(inputs[0].VTKObject)")
"""
LONG = """\
big = Contour(Input=Wavelet(WholeExtent=[-60, 60] * 3), ContourBy=["POINTS", "RTData"])
big.Isosurfaces = [float(n) for n in range(60, 260, 2)]
"""


# Held to seconds. Where the two kinds of place differ little, one of them is long by nature.
@pytest.mark.alone
@pytest.mark.parametrize("own", ["process", pytest.param("kernel", marks=pytest.mark.soak)], indirect=True)
def test_an_interrupt_of_a_silent_server_frees_the_cell(own: Place) -> None:
    server = served(own)
    run(own, SLOW)
    # Silent for eight seconds: nobody can tell it from one that hangs, and the cell is free all the same.
    own.begin("slow.UpdatePipeline()")
    time.sleep(1.0)
    interrupted = own.interrupt()
    ran = own.ended(30)
    assert ran.wrong is not None
    assert ran.wrong[0] in ("ServerLost", "KeyboardInterrupt"), ran.wrong
    assert ran.at < interrupted + 5
    if ran.wrong[0] == "ServerLost":
        server.gone_by(ran.at + 3)
        run(own, "session.reconnect()")
    else:
        assert value(own, "session.server.alive") is True
    assert value(own, f"(mine, {COUNT})") == ("here", True)


@pytest.mark.soak
@in_both
def test_an_interrupt_of_a_server_that_computes_frees_the_cell(own: Place) -> None:
    run(own, LONG)
    own.begin("big.UpdatePipeline()")
    time.sleep(0.5)
    own.interrupt()
    ran = own.ended(60)
    if ran.wrong is not None:
        assert ran.wrong[0] in ("ServerLost", "KeyboardInterrupt"), ran.wrong
        if ran.wrong[0] == "ServerLost":
            run(own, "session.reconnect()")
    assert value(own, f"(mine, {COUNT})") == ("here", True)
