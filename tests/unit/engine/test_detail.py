"""How large a moving frame is: learnt from how long frames take."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from pvlink.engine.detail import RATE, Detail

pytestmark = pytest.mark.speed


def turn(detail: Detail, takes: Callable[[float], float], frames: int = 40) -> list[float]:
    """Moving frames; the scale of each."""
    scales = []
    for _ in range(frames):
        scales.append(detail.scale)
        detail.drawn(takes(detail.scale))
    return scales


def pixels(whole: float, triangles: float = 0.0) -> Callable[[float], float]:
    """A scene: seconds that all its pixels take, and its triangles."""
    return lambda scale: triangles + whole * scale * scale


def test_a_light_scene_is_drawn_whole() -> None:
    assert set(turn(Detail(), pixels(0.025))) == {1.0}


def test_a_heavier_one_as_small_as_it_must_be_and_no_smaller() -> None:
    assert turn(Detail(), pixels(0.05))[-1] == 0.75
    assert turn(Detail(), pixels(0.09))[-1] == 0.5
    assert turn(Detail(), pixels(0.5))[-1] == 0.5


def test_it_is_found_within_ten_frames_and_kept() -> None:
    scales = turn(Detail(), pixels(0.09), 60)
    assert set(scales[9:]) == {0.5}


def test_where_triangles_take_the_time_it_stays_whole() -> None:
    scales = turn(Detail(), pixels(0.002, triangles=0.2), 60)
    assert set(scales[9:]) == {1.0}


def test_a_busy_machine_is_not_taken_for_triangles() -> None:
    """Two of three frames wait for others; the third shows what the smaller size gains."""
    detail = Detail()
    waits = itertools.cycle([0.06, 0.0, 0.06])
    of = pixels(0.09)
    turn(detail, of, 3)
    assert detail.scale == 0.75
    assert set(turn(detail, lambda scale: of(scale) + next(waits), 57)[6:]) == {0.5}


def test_that_it_gains_nothing_is_found_out_anew_now_and_then() -> None:
    detail = Detail()
    turn(detail, pixels(0.002, triangles=0.2), 30)
    assert detail.scale == 1.0
    assert turn(detail, pixels(0.09), 120)[-1] == 0.5


def test_a_scene_that_became_light_is_whole_again() -> None:
    detail = Detail()
    turn(detail, pixels(0.09))
    assert turn(detail, pixels(0.012))[-1] == 1.0


def test_a_scene_that_became_heavy_in_triangles_is_not_taken_for_one_that_gains_nothing() -> None:
    detail = Detail()
    turn(detail, pixels(0.09))
    detail.altered()
    assert detail.scale == 0.5
    turn(detail, pixels(0.3, triangles=0.05))
    assert detail.scale == 0.5


@pytest.mark.parametrize("noise", [0.8, 1.3])
def test_one_slow_frame_changes_nothing(noise: float) -> None:
    detail = Detail()
    turn(detail, pixels(0.025))
    detail.drawn(0.5)
    detail.drawn(0.025 * noise)
    detail.drawn(0.025)
    assert detail.scale == 1.0


def test_what_was_asked_for_is_kept() -> None:
    detail = Detail()
    detail.pin(rate=None, scale=1.0)
    assert set(turn(detail, pixels(0.5))) == {1.0}
    detail.pin(rate=None, scale=0.5)
    assert set(turn(detail, pixels(0.001))) == {0.5}
    detail.pin(rate=10.0, scale=None)
    assert set(turn(detail, pixels(0.09))) == {1.0}
    detail.pin(rate=None, scale=None)
    assert detail.rate == RATE
    assert turn(detail, pixels(0.09))[-1] == 0.5
