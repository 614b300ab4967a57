"""Moving frames of a scene that is heavy for this machine: smaller, alike, and nothing of it in the user's view."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from pvlink.protocol import Frame
from tests.integration.interpreter import Kernel
from tests.integration.likeness import picture, ssim
from tests.integration.watcher import Watcher

pytestmark = [
    pytest.mark.speed,
    pytest.mark.skipif(shutil.which("pvpython") is None, reason="needs pvpython"),
]

SIZE = (1280, 720)
SCENE = """\
from paraview.simple import *
contour = Contour(Input=Wavelet(WholeExtent=[-36, 36] * 3), ContourBy=["POINTS", "RTData"], Isosurfaces=[150.0])
display = Show(contour)
ColorBy(display, ("POINTS", "RTData"))
display.SetScalarBarVisibility(GetActiveView(), True)
ResetCamera()
view = GetActiveView()
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel.started() as kernel:
        kernel.run(SCENE)
        yield kernel


@pytest.fixture
def watcher(kernel: Kernel) -> Iterator[Watcher]:
    with Watcher(kernel.socket(), kernel.show(), *SIZE) as watcher:
        watcher.still(patience=60)
        yield watcher


def pinned(kernel: Kernel, **pins: Any) -> None:
    kernel.run(f"answer = pvlink.session().ask('pin', view={kernel.show()!r}, pins={pins!r})")


def moving(watcher: Watcher, seconds: float = 2.0) -> list[Frame]:
    """The frames of a drag after its first second; then it rests."""
    watcher.circle(1.0, 60)
    before = len(watcher.frames)
    watcher.circle(seconds, 60)
    dragged = watcher.frames[before:]
    watcher.still(dragged[-1].id, patience=30)
    return [frame for frame in dragged if not frame.still]


def test_they_are_smaller_where_that_is_faster_and_the_still_is_whole(kernel: Kernel, watcher: Watcher) -> None:
    # No machine without a graphics card draws this sixty times a second.
    pinned(kernel, rate=60)
    sizes: set[tuple[int, int]] = set()
    # A machine that has other work needs a while to see what is faster.
    for _ in range(6):
        sizes |= {(frame.width, frame.height) for frame in moving(watcher)}
        if (640, 360) in sizes:
            break
    assert (640, 360) in sizes
    still = watcher.frames[-1]
    assert (still.width, still.height) == SIZE
    assert kernel.run("answer = list(view.ViewSize)") == list(SIZE)


def test_a_smaller_one_is_like_the_whole_one(kernel: Kernel, watcher: Watcher) -> None:
    pinned(kernel, scale=0.5)
    watcher.drag([(600, 300), (640, 330), (660, 340)])
    small = watcher.frames[-1]
    assert small.width == 640
    whole = watcher.still(small.id, patience=30)
    assert small.camera is not None
    assert whole.camera is not None
    assert small.camera.position == whole.camera.position
    assert ssim(picture(small.data, SIZE), picture(whole.data)) >= 0.9


def test_what_was_asked_for_is_kept(kernel: Kernel, watcher: Watcher) -> None:
    pinned(kernel, rate=60, scale=1)
    assert {(frame.width, frame.height) for frame in moving(watcher)} == {SIZE}


def test_a_hand_goes_as_far_in_a_small_picture(kernel: Kernel, watcher: Watcher) -> None:
    """The same path turns the camera alike: events are applied at the whole size."""
    turned = []
    for scale in (1.0, 0.5):
        pinned(kernel, scale=scale)
        kernel.run("view.CameraPosition, view.CameraFocalPoint, view.CameraViewUp = [0, 0, 400], [0, 0, 0], [0, 1, 0]")
        watcher.quiet()
        watcher.drag([(600, 300), (640, 320), (680, 340), (720, 360)])
        watcher.quiet()
        turned.append(kernel.run("answer = list(view.CameraPosition)"))
    assert turned[0] != [0, 0, 400]
    assert turned[0] == pytest.approx(turned[1], rel=1e-6)
