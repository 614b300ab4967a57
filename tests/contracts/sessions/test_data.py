"""Arrays of the kernel's in a view, and back."""

from __future__ import annotations

import pytest

from pvlink.protocol import InputEvent
from tests.contracts.sessions.room import Room
from tests.integration.scenes import difference, pixels

pytestmark = pytest.mark.ways

WAVES = """\
import numpy as np
def waves(shift, wide=60):
    x, y = np.meshgrid(np.arange(wide) / 5, np.arange(40) / 5)
    return np.sin(x + shift) * np.cos(y)
"""


def test_an_array_goes_in_and_comes_out_as_it_was(room: Room) -> None:
    room.do(WAVES, "source = pvlink.put(waves(0.0), name='waves', spacing=(0.1, 0.1, 1.0))")
    assert room.value("bool((pvlink.fetch(source, 'waves').squeeze() == waves(0.0)).all())")
    assert room.value("pvlink.fetch(source).kind") == "image"


def test_an_array_put_again_under_its_name_is_seen_at_once(room: Room) -> None:
    room.do(WAVES, "source = pvlink.put(waves(0.0), name='more waves', spacing=(0.1, 0.1, 1.0))")
    with room.watch() as viewer:
        bare = viewer.still()
        room.do(room.kind.show_source)
        viewer.send(InputEvent("action", action="reset"))
        first = viewer.still(bare.id)
        assert difference(pixels(bare.data), pixels(first.data)) != ""
        viewer.quiet(0.4)
        first = viewer.still()
        room.do("source = pvlink.put(waves(1.5, wide=30), name='more waves', spacing=(0.1, 0.1, 1.0))")
        second = viewer.still(first.id)
        assert difference(pixels(first.data), pixels(second.data)) != ""
