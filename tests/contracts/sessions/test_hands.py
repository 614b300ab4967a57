"""What hands do in a view, and what the user's own camera object says of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from pvlink.protocol import Action, Camera, Frame, InputEvent
from tests.contracts.sessions.room import Room
from tests.integration.watcher import Watcher

pytestmark = pytest.mark.ways

PATH = [(160, 120), (180, 128), (210, 140), (240, 150)]


def camera_of(frame: Frame) -> Camera:
    assert frame.camera is not None
    return frame.camera


def distance(frame: Frame) -> float:
    camera = camera_of(frame)
    return math.dist(camera.position, camera.focal_point)


def after(viewer: Watcher, *events: InputEvent) -> Frame:
    """The still picture that answers these."""
    seq = viewer.send(*events)
    viewer.answered(seq)
    viewer.until(lambda: viewer.frames[-1].still and viewer.frames[-1].inputs.get(viewer.client, 0) >= seq)
    return viewer.frames[-1]


def test_a_drag_turns_the_camera_that_code_holds(room: Room) -> None:
    with room.watch() as viewer:
        before = viewer.still()
        viewer.drag(PATH)
        turned = viewer.still(before.id)
        assert math.dist(camera_of(before).position, camera_of(turned).position) > 0.1 * distance(before)
        assert distance(turned) == pytest.approx(distance(before), rel=1e-3)
        assert room.camera() == pytest.approx(camera_of(viewer.still(before.id)).position)


def test_wheel_and_pinch_come_nearer(room: Room) -> None:
    with room.watch() as viewer:
        first = distance(viewer.still())
        second = distance(after(viewer, viewer.at("wheel", 160, 120, amount=2.0)))
        third = distance(after(viewer, viewer.at("pinch", 160, 120, amount=1.5)))
        assert first > second > third
        assert third == pytest.approx(second / 1.5, rel=1e-3)


def along(axis: int, sign: float) -> Callable[[Frame], bool]:
    """Whether the camera looks along an axis, in this direction."""

    def looks(frame: Frame) -> bool:
        camera = camera_of(frame)
        gaze = [f - p for f, p in zip(camera.focal_point, camera.position, strict=True)]
        return gaze[axis] * sign > 0.999 * math.hypot(*gaze)

    return looks


def test_the_buttons_move_the_camera(room: Room) -> None:
    buttons: dict[Action, Callable[[Frame], bool]] = {"+x": along(0, 1), "-y": along(1, -1)}
    with room.watch() as viewer:
        viewer.still()
        for action, looks in buttons.items():
            assert looks(after(viewer, InputEvent("action", action=action))), action
        whole = distance(viewer.frames[-1])
        near = after(viewer, InputEvent("action", action="zoom-in"))
        assert distance(near) == pytest.approx(whole / 1.2, rel=1e-3)
        assert distance(after(viewer, InputEvent("action", action="reset"))) == pytest.approx(whole, rel=1e-3)


def test_a_key_reaches_the_interactor(room: Room) -> None:
    with room.watch() as viewer:
        viewer.still()
        room.do("pressed = []", room.kind.listen)
        viewer.send(viewer.at("move", 160, 120), InputEvent("key", key="j"))
        viewer.until(lambda: room.value("pressed") != [])
        assert room.value("pressed") == ["j"]


def test_who_may_only_look_changes_nothing(room: Room) -> None:
    view = room.show()
    with room.watch(view) as owner, room.watch(view, role="view") as guest:
        owner.still()
        size, camera = room.value(room.kind.size), room.camera()
        assert guest.joined.role == "view"
        for event in ({"type": "down"}, {"type": "move", "x": 0.7}, {"type": "action", "action": "+x"}):
            answer = guest.ask("pvlink.input", {"seq": 1, "events": [event]})
            assert answer["error"]["message"] == "You may look at this view, not change it."
        guest.resize(500, 400)
        # The owner's own comes after all of that.
        after(owner, owner.at("move", 160, 120), InputEvent("action", action="pan-left"))
        after(owner, InputEvent("action", action="pan-right"))
        assert room.value(room.kind.size) == size
        assert room.camera() == pytest.approx(camera, abs=1e-6)
