"""Videos: no viewer ever gets a frame whose forerunner it has not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from pvlink.streamer.acts import Encode
from pvlink.streamer.pacer import REST_SECONDS
from pvlink.streamer.pins import Pins
from pvlink.streamer.rate import LARGEST
from pvlink.streamer.videos import KEY_SECONDS, LAG_SECONDS
from tests.unit.streamer.stage import STEPS, Stage, play

pytestmark = pytest.mark.speed

ALL = frozenset({"jpeg", "png", "h264"})


def keys(stage: Stage) -> list[bool]:
    return [act.key for act in stage.acts if isinstance(act, Encode) and act.form.video]


def turn(stage: Stage, *names: str, frames: int = 1) -> None:
    """Frames that these viewers draw."""
    for _ in range(frames):
        stage.frame()
        stage.encode_all()
        for name in names:
            stage.show(name)
        stage.later(0.02)


def test_the_first_frame_needs_no_other_and_the_next_ones_do() -> None:
    stage = Stage()
    stage.join("a", ALL, far=True)
    turn(stage, "a", frames=4)
    assert stage.sent["a"] == [(1, "h264"), (2, "h264"), (3, "h264"), (4, "h264")]
    assert keys(stage) == [True, False, False, False]


def test_the_still_comes_between_and_the_video_goes_on() -> None:
    stage = Stage()
    stage.join("a", ALL, far=True)
    stage.frame(full=True)
    stage.encode_all()
    stage.show("a")
    stage.later(REST_SECONDS + 2.0)
    stage.encode_all()
    stage.show("a")
    turn(stage, "a")
    assert stage.sent["a"] == [(1, "h264"), (1, "png"), (2, "h264")]
    assert keys(stage) == [True, False]


def test_nothing_is_encoded_for_a_viewer_that_cannot_take_it() -> None:
    stage = Stage()
    client = stage.join("a", ALL, far=True)
    for _ in range(LARGEST + 3):
        stage.frame()
        stage.encode_all()
    assert keys(stage) == [True]
    assert client.booked is False
    stage.written("a")
    # What it gets then is the newest.
    stage.encode_all()
    assert stage.sent["a"][-1] == (LARGEST + 3, "h264")
    assert keys(stage) == [True, False]


def test_one_frame_serves_all_viewers_of_a_form() -> None:
    stage = Stage()
    for name in "abc":
        stage.join(name, ALL, far=True)
    turn(stage, *"abc", frames=3)
    assert len(keys(stage)) == 3
    assert stage.sent["a"] == stage.sent["b"] == stage.sent["c"]


def test_a_late_one_is_waited_for_a_moment_and_then_begins_anew() -> None:
    stage = Stage()
    for name in "ab":
        # On a line this fast it would be JPEGs soon.
        stage.join(name, ALL - {"jpeg"}, far=True)
    turn(stage, *"ab", frames=2)
    stage.frame()
    stage.encode_all()
    stage.show("a")
    stage.frame()
    assert keys(stage) == [True, False, False]  # "b" is still writing the third
    wake = stage.pacer.wake_at(stage.now)
    assert wake is not None
    assert wake <= stage.now + LAG_SECONDS
    stage.later(LAG_SECONDS)
    stage.encode_all()
    stage.show("a")
    assert keys(stage) == [True, False, False, False]
    stage.show("b")
    stage.now += KEY_SECONDS
    turn(stage, *"ab", frames=2)
    assert keys(stage)[4:] == [True, False]
    assert stage.sent["b"][-2:] == [(5, "h264"), (6, "h264")]


def test_a_decoder_that_lost_its_place_is_given_another() -> None:
    stage = Stage()
    stage.join("a", ALL, far=True)
    turn(stage, "a", frames=2)
    stage.pacer.lost_place("a")
    stage.later(LAG_SECONDS)
    stage.later(LAG_SECONDS)
    stage.encode_all()
    assert keys(stage) == [True, False, True]


def test_what_a_browser_cannot_decode_comes_as_something_else() -> None:
    stage = Stage()
    stage.join("a", ALL, far=True)
    stage.join("b", ALL, far=True)
    turn(stage, "b")
    assert stage.pacer.undecodable("a", 1, "h264", stage.now)
    assert not stage.pacer.undecodable("a", 1, "h264", stage.now)
    stage.written("a")
    stage.encode_all()
    assert stage.sent["a"] == [(1, "h264"), (1, "jpeg")]
    turn(stage, *"ab", frames=2)
    assert {codec for _, codec in stage.sent["a"][1:]} == {"jpeg"}
    assert {codec for _, codec in stage.sent["b"]} == {"h264"}


def test_an_encoder_that_this_machine_has_not_is_asked_once() -> None:
    stage = Stage()
    stage.join("a", ALL, far=True)
    stage.frame()
    stage.encode(fail=True)
    stage.encode_all()
    stage.show("a")
    turn(stage, "a")
    stage.join("b", ALL, far=True)
    turn(stage, *"ab")
    assert {codec for name in "ab" for _, codec in stage.sent[name]} == {"jpeg"}
    assert len(keys(stage)) == 1


def test_what_was_chosen_holds_for_a_hidden_viewer_too() -> None:
    stage = Stage()
    client = stage.join("a", ALL, visible=False)
    stage.pacer.pinned(Pins(codec="h264"))
    assert client.rate.form.codec == "h264"


def test_a_hidden_viewer_has_lost_everything() -> None:
    stage = Stage()
    stage.join("a", ALL, far=True)
    turn(stage, "a", frames=2)
    stage.pacer.visible("a", False)
    stage.pacer.visible("a", True)
    stage.written("a")
    turn(stage, "a", frames=2)
    assert keys(stage)[2] is True


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_whatever_happens_nobody_gets_what_cannot_be_decoded(steps: list[tuple[str, str]]) -> None:
    stage = Stage()
    for step, detail in steps:
        if step == "join" and stage.pacer.clients.get(detail) is None:
            stage.places.pop(detail, None)
            stage.join(detail, ALL, far=True)
        else:
            play(stage, step, detail)
        assert max(stage.freed.values(), default=1) == 1
    # All that is left to do is done, and all rest.
    stage.join("last", ALL, far=True)
    for number in range(14):
        if stage.wanted and number < 3:
            stage.frame(full=True)
        stage.encode_all()
        for client in stage.pacer.clients.visible():
            stage.show(client.name)
        stage.later(REST_SECONDS)
    newest = stage.pacer.newest
    assert newest is not None
    for client in stage.pacer.clients.visible():
        assert stage.sent[client.name][-1] == (newest.content, "png")
    for name in ("a", "b", "c", "last"):
        stage.pacer.clients.remove(name)
    stage.pacer.close()
    stage.decide()
    assert stage.freed == dict.fromkeys(range(1, stage.frames + 1), 1)
