"""The matrix of real ParaView servers, for `test_matrix_process` and `test_matrix_kernel`, which run side by side.

One, two and four ranks; that wait, that come, with data and rendering apart.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.integration.scenes import difference, pixels
from tests.integration.watcher import Watcher
from tests.servers.places import Place, picture, run, share, value, watched
from tests.servers.pvservers import WAYS, ByHand, Way, screen

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]
# Each rank's part in its own colour, flat, so that it is found in the pixels; no text and no axes, which need none.
SCENE = """\
wavelet = Wavelet(WholeExtent=[-6, 6, -6, 6, -6, 6])
parts = ProcessIdScalars(Input=wavelet)
view = CreateView("RenderView")
view.OrientationAxesVisibility = 0
shown = Show(parts, view)
shown.SetRepresentationType("Surface")
ColorBy(shown, ("POINTS", "ProcessId"))
shown.InterpolateScalarsBeforeMapping = 0
shown.Ambient, shown.Diffuse = 1.0, 0.0
table = GetColorTransferFunction("ProcessId")
table.ColorSpace = "Step"
flat = [(-0.5, 1, 0, 0), (0.5, 1, 0, 0), (0.5, 0, 1, 0), (1.5, 0, 1, 0)]
flat += [(1.5, 0, 0, 1), (2.5, 0, 0, 1), (2.5, 1, 1, 0), (3.5, 1, 1, 0)]
table.RGBPoints = [number for point in flat for number in point]
table.NumberOfTableValues = 4
view.CameraPosition = [40, 18, 24]
view.CameraFocalPoint = [0, 0, 0]
view.CameraViewUp = [0, 0, 1]
widget = pvlink.show(view, width=400, height=300)
"""
CAMERA = "tuple(view.GetActiveCamera().GetPosition())"
DRAWN_THERE = "bool(view.SMProxy.GetClientSideObject().GetUseDistributedRenderingForRender())"


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with screen() as name:
        yield name


def connect(at: Place, server: ByHand, code: str) -> str:
    """Have the cell run that connects; a server that comes to us comes while it waits."""
    if server.waits_for_us:
        server.ready()
    at.begin(code)
    if not server.waits_for_us:
        server.ready()
    ran = at.ended()
    assert ran.wrong is None, (ran.wrong, ran.err, server.said())
    return ran.out


def turn(watcher: Watcher) -> bytes:
    """A drag, move by move, and the lossless picture after it."""
    before = watcher.still()
    watcher.drag([(200, 150), (215, 155), (230, 160), (240, 160)])
    return watcher.still(before.id).data


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_a_server_is_used_left_and_had_again(at: Place, ranks: int, way: Way, display: str) -> None:
    with ByHand(way, ranks, display) as server:
        server.start()
        connect(at, server, f"server = session.connect({server.address!r}, timeout=60)")
        assert value(at, "(server.ranks, server.rendering, server.alive)") == (ranks, "server", True)
        run(at, SCENE)
        first = picture(at)
        # Each rank has drawn its part, and it came from there.
        assert [share(first, colour) > 0.01 for colour in COLOURS] == [number < ranks for number in range(4)]
        assert value(at, DRAWN_THERE) is True
        with watched(at) as watcher:
            seen = watcher.still().data
            turned = turn(watcher)
            assert difference(pixels(seen), pixels(turned)) != ""
            camera = value(at, CAMERA)

            run(at, "session.disconnect()")
            assert value(at, "(server.alive, session.server)") == (False, None)
            server.gone()

            server.start()
            last = watcher.frames[-1].id
            connect(at, server, "server = session.reconnect()")
            assert value(at, "(server.ranks, server.rendering, server.alive)") == (ranks, "server", True)
            back = watcher.still(last).data
            assert difference(pixels(turned), pixels(back)) == ""
            # The same variables, and the same cell: its picture turns.
            assert value(at, CAMERA) == camera
            assert value(at, "parts.GetDataInformation().GetNumberOfCells()") == 12**3
            assert value(at, DRAWN_THERE) is True
            assert difference(pixels(back), pixels(turn(watcher))) != ""
        run(at, "session.disconnect()")


def test_what_is_here_waits_meanwhile_and_its_cell_is_live_again(at: Place, display: str) -> None:
    run(at, "home = Sphere(); view = CreateView('RenderView'); Show(home, view); widget = pvlink.show(view)")
    with watched(at) as watcher:
        first = watcher.still()
        for lost in (False, True):
            with ByHand("direct", 1, display) as server:
                connect(at, server.start(), f"server = session.connect({server.address!r}, timeout=60)")
                run(at, "there = Cone(); Show(there, CreateView('RenderView'))")
                if lost:
                    os.kill(server.rank_pids()[0], signal.SIGKILL)
                    watcher.until(lambda: watcher.states and watcher.states[-1].state == "lost", 3)
                run(at, "session.disconnect()")
            watcher.until(lambda: not watcher.states or watcher.states[-1].state == "live")
            before = watcher.frames[-1].id
            run(at, f"home.Radius = {0.8 if lost else 0.3}")
            assert difference(pixels(first.data), pixels(watcher.still(before).data)) != ""
            before = watcher.frames[-1].id
            run(at, "home.Radius = 0.5")
            assert difference(pixels(first.data), pixels(watcher.still(before).data)) == ""
