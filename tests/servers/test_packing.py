"""What each way to pack a server's pictures does to them, with a real server: nobody is promised what is not so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pvlink.servers.origins import COMPRESSORS, Packing
from tests.integration.interpreter import Display, Interpreter, plain
from tests.servers.pvservers import ByHand, needs_servers

pytestmark = needs_servers

ROOT = Path(__file__).parents[2]
DRAW = """
import sys; sys.path.insert(0, {root!r})
from paraview import servermanager
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
from vtkmodules.util.numpy_support import vtk_to_numpy
from pvlink.engine.server import Server

server = Server()
server.connect([{port}], "a server")
view = CreateView("RenderView")
view.ViewSize = [160, 120]
view.UseFXAA = 0
shown = Show(Wavelet(), view, Representation="Surface")
ColorBy(shown, ("POINTS", "RTData"))
ResetCamera(view)

def draw(compressor, moving):
    server.settle(0.0, compressor)
    # The first one after a change is packed as before.
    for _ in range(2):
        view.SMProxy.InteractiveRender() if moving else view.SMProxy.StillRender()
    assert view.SMProxy.GetClientSideObject().GetUseDistributedRenderingForRender(), "drawn here"
    pixels = vtkUnsignedCharArray()
    view.GetRenderWindow().GetPixelData(0, 0, 159, 119, 0, pixels, 0)
    return vtk_to_numpy(pixels).astype(int)

before = {{moving: draw("NULL", moving) for moving in (True, False)}}
assert before[False].std() > 10, "an empty picture"

def differ(compressor, moving):
    return int(abs(draw(compressor, moving) - before[moving]).max())
"""


@pytest.fixture(scope="module")
def client() -> Iterator[Interpreter]:
    """A pvpython whose pipeline is on a server."""
    with (
        Display() as display,
        ByHand("direct", 1, display) as server,
        plain(display) as client,
    ):
        server.start().ready()
        client.run(DRAW.format(root=str(ROOT), port=server.address.rpartition(":")[2]))
        yield client


def worst(client: Interpreter, name: str, *, moving: bool) -> int:
    """The worst difference of a colour, of 255."""
    found: int = client.run(f"answer = differ({COMPRESSORS[name]!r}, {moving})")
    return found


@pytest.mark.parametrize("name", ["none", "lz4", "zlib"])
def test_a_picture_at_rest_is_without_loss(client: Interpreter, name: str) -> None:
    assert worst(client, name, moving=False) == 0


def test_what_is_called_without_loss_is_so_while_the_hand_moves(client: Interpreter) -> None:
    assert "without loss" in Packing("lz4").sentence
    assert worst(client, "lz4", moving=True) == 0


@pytest.mark.parametrize("name", ["zlib", "squirt"])
def test_where_there_is_loss_it_is_small(client: Interpreter, name: str) -> None:
    assert "with loss" in Packing(name).sentence
    # A background that has become black is 110 away.
    assert 0 < worst(client, name, moving=True) <= 16
