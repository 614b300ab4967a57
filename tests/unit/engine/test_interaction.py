"""What a hand does, told to ParaView's interactor: fractions become pixels, and nothing is lost on the way."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.engine.interaction import PAN_STEP, ROTATE_STEP, ZOOM_PER_NOTCH, ZOOM_STEP, Hand
from tests.unit.engine.fake_interactor import FakeCamera, FakeInteractor, FakeScene

SIZE = (400, 300)


def hand(camera: FakeCamera | None = None, chart: bool = False) -> tuple[Hand, FakeScene, FakeInteractor]:
    view = FakeScene(None if chart else camera or FakeCamera())
    one = Hand(view)
    assert view.interactor is not None
    view.interactor.calls.clear()
    return one, view, view.interactor


@pytest.mark.parametrize(
    ("x", "y", "pixel"),
    [
        (0.0, 0.0, (0, 299)),
        (0.5, 0.5, (200, 149)),
        (0.9999, 0.9999, (399, 0)),
        (-0.25, 1.5, (-100, -151)),
        (2.0, -1.0, (800, 599)),
    ],
)
def test_fractions_from_the_top_left_are_pixels_from_the_bottom_left(
    x: float, y: float, pixel: tuple[int, int]
) -> None:
    one, _, interactor = hand()
    assert one.apply([{"type": "move", "x": x, "y": y}], *SIZE)
    assert interactor.placed()[0][:2] == pixel
    assert interactor.names() == ["MouseMoveEvent"]


@given(st.floats(-3, 3), st.floats(-3, 3), st.integers(1, 8192), st.integers(1, 8192))
def test_a_position_inside_the_picture_is_a_pixel_of_it(x: float, y: float, width: int, height: int) -> None:
    one, _, interactor = hand()
    one.apply([{"type": "move", "x": x, "y": y}], width, height)
    column, row = interactor.placed()[0][:2]
    if 0 <= x < 1:
        assert 0 <= column < width
    if 0 <= y < 1:
        assert 0 <= row < height
    assert abs((column + 0.5) / width - x) <= 0.5 / width + 1e-6
    assert abs((row + 0.5) / height - (1 - y)) <= 0.5 / height + 1e-6


@pytest.mark.parametrize(("shift", "ctrl", "alt"), list(itertools.product([False, True], repeat=3)))
def test_every_combination_of_modifiers_arrives(shift: bool, ctrl: bool, alt: bool) -> None:
    one, _, interactor = hand()
    event = {"type": "down", "x": 0, "y": 0, "button": 0, "shift": shift, "ctrl": ctrl, "alt": alt}
    one.apply([event], *SIZE)
    assert interactor.placed()[0][2:4] == (int(ctrl), int(shift))
    assert ("SetAltKey", (int(alt),)) in interactor.calls


@pytest.mark.parametrize(("button", "name"), list(enumerate(["Left", "Middle", "Right"])))
def test_a_drag_is_press_moves_and_release_in_their_order(button: int, name: str) -> None:
    one, _, interactor = hand()
    where: list[dict[str, Any]] = [{"x": n / 10, "y": 0.5} for n in range(4)]
    events = [{"type": "down", "button": button, **where[0]}]
    events += [{"type": "move", **place} for place in where[1:3]]
    events += [{"type": "up", "button": button, **where[3]}]
    one.apply(events, *SIZE)
    assert interactor.names() == [
        f"{name}ButtonPressEvent",
        "MouseMoveEvent",
        "MouseMoveEvent",
        f"{name}ButtonReleaseEvent",
    ]
    assert [place[0] for place in interactor.placed()] == [0, 40, 80, 120]


def test_a_double_click_is_a_repeat() -> None:
    one, _, interactor = hand()
    one.apply([{"type": "down", "x": 0, "y": 0, "clicks": 2}], *SIZE)
    assert interactor.placed()[0][5] == 1


@pytest.mark.parametrize(
    ("amount", "forward", "backward", "zoom"),
    [(1, 1, 0, None), (-2, 0, 2, None), (0.25, 0, 0, 0.25), (-1.5, 0, 1, -0.5), (0, 0, 0, None), (1000, 20, 0, None)],
)
def test_whole_notches_go_to_the_style_and_the_rest_zooms(
    amount: float, forward: int, backward: int, zoom: float | None
) -> None:
    camera = FakeCamera()
    one, _, interactor = hand(camera)
    one.apply([{"type": "wheel", "x": 0.5, "y": 0.5, "amount": amount}], *SIZE)
    assert interactor.names().count("MouseWheelForwardEvent") == forward
    assert interactor.names().count("MouseWheelBackwardEvent") == backward
    assert camera.turned == ([] if zoom is None else [("dolly", ZOOM_PER_NOTCH**zoom)])


def test_small_steps_of_a_track_pad_add_up_to_a_notch() -> None:
    camera = FakeCamera(parallel=True)
    one, _, _ = hand(camera)
    one.apply([{"type": "wheel", "x": 0, "y": 0, "amount": 0.1} for _ in range(10)], *SIZE)
    assert camera.scale == pytest.approx(5 / ZOOM_PER_NOTCH)


@pytest.mark.parametrize(("amount", "turned"), [(2.0, [("dolly", 2.0)]), (0.0, []), (-1.0, [])])
def test_a_pinch_zooms(amount: float, turned: list[Any]) -> None:
    camera = FakeCamera()
    one, _, _ = hand(camera)
    assert one.apply([{"type": "pinch", "amount": amount}], *SIZE) == bool(turned)
    assert camera.turned == turned


@pytest.mark.parametrize(
    ("action", "position", "up"),
    [
        ("+x", (-10, 0, 0), (0, 0, 1)),
        ("-x", (10, 0, 0), (0, 0, 1)),
        ("+y", (0, -10, 0), (0, 0, 1)),
        ("-y", (0, 10, 0), (0, 0, 1)),
        ("+z", (0, 0, -10), (0, 1, 0)),
        ("-z", (0, 0, 10), (0, 1, 0)),
        ("isometric", (10 / math.sqrt(3),) * 3, (0, 0, 1)),
    ],
)
def test_the_standard_views_look_along_their_axis(action: str, position: Any, up: Any) -> None:
    camera = FakeCamera()
    one, view, _ = hand(camera)
    assert one.apply([{"type": "action", "action": action}], *SIZE)
    assert camera.position == pytest.approx(position)
    assert camera.up == up
    assert view.resets == 1


@pytest.mark.parametrize(
    ("action", "turned"),
    [
        ("rotate-left", ("azimuth", ROTATE_STEP)),
        ("rotate-right", ("azimuth", -ROTATE_STEP)),
        ("rotate-up", ("elevation", -ROTATE_STEP)),
        ("rotate-down", ("elevation", ROTATE_STEP)),
        ("zoom-in", ("dolly", ZOOM_STEP)),
        ("zoom-out", ("dolly", 1 / ZOOM_STEP)),
    ],
)
def test_keys_turn_and_zoom(action: str, turned: tuple[str, float]) -> None:
    camera = FakeCamera()
    one, _, _ = hand(camera)
    assert one.apply([{"type": "action", "action": action}], *SIZE)
    assert camera.turned == [turned]


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize(
    ("action", "axis", "sign"), [("pan-left", 0, 1), ("pan-right", 0, -1), ("pan-up", 1, -1), ("pan-down", 1, 1)]
)
def test_panning_moves_eye_and_focus_by_a_share_of_what_is_seen(
    action: str, axis: int, sign: int, parallel: bool
) -> None:
    camera = FakeCamera(parallel)
    one, _, _ = hand(camera)
    one.apply([{"type": "action", "action": action}], *SIZE)
    seen = 10.0 if parallel else 20 * math.tan(math.radians(15))
    shift = [0.0, 0.0, 0.0]
    shift[axis] = sign * seen * PAN_STEP
    assert camera.focus == pytest.approx(shift)
    assert camera.position == pytest.approx([shift[0], shift[1], 10])


def test_reset_shows_everything() -> None:
    one, view, _ = hand()
    assert one.apply([{"type": "action", "action": "reset"}], *SIZE)
    assert view.resets == 1


def test_a_chart_knows_reset_and_no_camera() -> None:
    one, view, interactor = hand(chart=True)
    assert one.apply([{"type": "action", "action": "reset"}], *SIZE)
    assert view.resets == 1
    assert not one.apply([{"type": "action", "action": "+x"}, {"type": "pinch", "amount": 2}], *SIZE)
    one.apply([{"type": "wheel", "x": 0, "y": 0, "amount": 1.5}], *SIZE)
    assert interactor.names() == ["MouseWheelForwardEvent"]


@pytest.mark.parametrize(
    ("key", "code", "symbol"),
    [("x", "x", "x"), ("ArrowLeft", "\0", "Left"), ("Enter", "\0", "Return"), (" ", " ", "space"), ("é", "\0", "é")],
)
def test_keys_go_by_the_names_that_x_gave_them(key: str, code: str, symbol: str) -> None:
    one, _, interactor = hand()
    one.apply([{"type": "key", "key": key}], *SIZE)
    assert interactor.placed()[0][4] == code
    assert interactor.placed()[0][6] == symbol
    assert interactor.names()[0] == "KeyPressEvent"
    assert interactor.names()[-1] == "KeyReleaseEvent"


@pytest.mark.parametrize("key", list("eq3ufpswEQUFPSW"))
def test_keys_that_would_end_the_program_or_change_its_mode_are_refused(key: str) -> None:
    one, _, interactor = hand()
    assert not one.apply([{"type": "key", "key": key}], *SIZE)
    assert interactor.names() == []


def test_an_event_of_a_later_viewer_is_passed_over() -> None:
    one, _, interactor = hand()
    assert not one.apply([{"type": "smell"}, {"type": "action", "action": "sing"}][:1], *SIZE)
    assert interactor.names() == []


def test_a_view_without_interactor_takes_anything() -> None:
    view = FakeScene(None)
    view.interactor = None
    assert not Hand(view).apply([{"type": "move", "x": 0, "y": 0}, {"type": "key", "key": "x"}], *SIZE)


def test_what_changes_nothing_says_so() -> None:
    one, _, _ = hand()
    assert not one.apply([{"type": "down", "x": 0, "y": 0}, {"type": "up", "x": 0, "y": 0}], *SIZE)
    assert one.apply([{"type": "move", "x": 0.1, "y": 0}], *SIZE)
    assert not one.apply([], *SIZE)
