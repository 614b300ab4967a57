"""When to ask, how to encode, who gets it: decided without a clock."""

from __future__ import annotations

from hypothesis import given, settings

from pvlink.streamer.acts import Encode, Unwatch, Want, Watch
from pvlink.streamer.clients import Client, Clients
from pvlink.streamer.pacer import REST_SECONDS
from pvlink.streamer.rate import FEWEST as CREDITS
from tests.unit.streamer.stage import BOTH, STEPS, Stage, play


def test_a_viewer_makes_the_engine_watch_and_want() -> None:
    stage = Stage()
    stage.join("a")
    assert stage.acts == [Watch(100, 50), Want()]


def test_nobody_looks_nothing_is_wanted() -> None:
    stage = Stage()
    stage.join("a", visible=False)
    assert stage.acts == []
    stage.pacer.visible("a", True)
    stage.decide()
    assert stage.wanted
    stage.pacer.visible("a", False)
    stage.decide()
    assert stage.acts[-1] == Unwatch()


def test_rendering_overlaps_encoding() -> None:
    stage = Stage()
    stage.join("a")
    stage.frame()
    assert [type(act) for act in stage.acts[-2:]] == [Encode, Want]
    stage.frame()
    assert not stage.wanted  # two are coming, and the viewer has two credits
    stage.encode_all()
    assert stage.sent["a"] == [(1, "jpeg")]
    stage.written("a")
    assert stage.sent["a"] == [(1, "jpeg"), (2, "jpeg")]
    stage.drawn("a", 1)
    assert stage.wanted


def test_a_viewer_that_confirms_nothing_gets_its_credits_and_no_more() -> None:
    stage = Stage()
    stage.join("a")
    for _ in range(CREDITS):
        assert stage.wanted
        stage.frame()
        stage.encode_all()
        stage.written("a")
    assert len(stage.sent["a"]) == CREDITS
    assert not stage.wanted
    # Another viewer keeps the engine going; this one is left alone.
    stage.join("b")
    stage.frame()
    stage.encode_all()
    stage.written("a")
    assert len(stage.sent["a"]) == CREDITS


def test_a_full_frame_goes_out_at_once_and_without_loss_once_it_rests() -> None:
    stage = Stage()
    stage.join("a")
    stage.frame(full=True)
    stage.encode_all()
    stage.show("a")
    assert stage.sent["a"] == [(1, "jpeg")]
    assert stage.pacer.wake_at(stage.now) == REST_SECONDS
    stage.later(REST_SECONDS)
    stage.encode_all()
    assert stage.sent["a"] == [(1, "jpeg"), (1, "png")]
    assert stage.pacer.wake_at(stage.now) is None
    assert not stage.freed


def test_a_view_in_motion_gets_no_still() -> None:
    stage = Stage()
    stage.join("a")
    stage.frame(full=True)
    stage.later(REST_SECONDS * 0.9)
    stage.frame()
    stage.later(REST_SECONDS * 2)
    stage.encode_all()
    stage.show("a")
    assert all(codec == "jpeg" for _, codec in stage.sent["a"])


def test_a_late_still_of_a_superseded_frame_is_not_sent() -> None:
    stage = Stage()
    stage.join("a")
    stage.frame(full=True)
    stage.encode_all()
    stage.show("a")
    stage.later(REST_SECONDS)
    assert stage.encoding[0].form.codec == "png"
    stage.frame()
    stage.encode_all()
    assert stage.sent["a"] == [(1, "jpeg"), (2, "jpeg")]
    assert stage.freed == {1: 1}


def test_a_new_viewer_gets_the_picture_that_is_there() -> None:
    stage = Stage()
    stage.join("a")
    stage.frame(full=True)
    stage.encode_all()
    stage.later(1)
    stage.join("b")
    assert stage.sent["b"] == [(1, "jpeg")]  # already made
    stage.written("a")
    stage.encode_all()
    stage.written("b")
    assert stage.sent["b"] == [(1, "jpeg"), (1, "png")]
    stage.join("c")
    assert stage.sent["c"] == [(1, "png")]
    assert stage.frames == 1


def test_each_codec_is_encoded_once_for_all() -> None:
    stage = Stage()
    for name in "abc":
        stage.join(name)
    stage.frame(full=True)
    stage.later(REST_SECONDS)
    stage.encode_all()
    for name in "abc":
        stage.show(name)
    stage.encode_all()
    for name in "abc":
        stage.show(name)
        assert stage.sent[name][-1] == (1, "png")
    jobs = [(act.held.content, act.form.codec) for act in stage.acts if isinstance(act, Encode)]
    assert len(jobs) == len(set(jobs))


def test_a_slow_viewer_gets_the_newest_when_it_can() -> None:
    stage = Stage()
    stage.join("slow")
    stage.join("fast")
    for _ in range(10):
        stage.frame()
        stage.encode_all()
        stage.show("fast")
    assert stage.sent["slow"] == [(1, "jpeg")]
    assert [order for order, _ in stage.sent["fast"]] == list(range(1, 11))
    stage.written("slow")
    assert stage.sent["slow"] == [(1, "jpeg"), (10, "jpeg")]


def test_a_viewer_without_png_gets_no_still_and_one_without_jpeg_gets_png_only() -> None:
    stage = Stage()
    stage.join("old", frozenset({"jpeg"}))
    stage.join("pure", frozenset({"png"}))
    stage.frame(full=True)
    stage.later(1)
    stage.encode_all()
    for name in ("old", "pure"):
        stage.show(name)
    assert stage.sent == {"old": [(1, "jpeg")], "pure": [(1, "png")]}
    assert stage.pacer.wake_at(0.0) is None


def test_what_cannot_be_encoded_is_skipped() -> None:
    stage = Stage()
    stage.join("a")
    stage.frame()
    stage.encode(fail=True)
    stage.encode(fail=True)
    assert stage.sent == {}
    assert stage.wanted
    stage.frame()
    stage.encode_all()
    assert stage.sent["a"] == [(2, "jpeg")]
    assert stage.freed == {1: 1}


def test_a_snapshot_waits_for_a_full_frame_made_since_somebody_watches() -> None:
    stage = Stage()
    stage.join("a")
    stage.frame(full=True)
    stage.pacer.clients.remove("a")
    stage.decide()
    stage.join("s", frozenset({"png"}), only_full=True, width=0, height=0)
    assert stage.watched == (0, 0)
    assert stage.wanted
    assert not any(job.form.codec == "png" for job in stage.encoding)
    stage.frame(full=False)
    assert stage.wanted
    stage.frame(full=True)
    stage.encode_all()
    assert stage.sent["s"] == [(3, "png")]
    stage.written("s")
    assert not stage.wanted


def test_a_snapshot_does_not_change_the_size_of_a_watched_view() -> None:
    stage = Stage()
    stage.join("a")
    stage.join("s", frozenset({"png"}), only_full=True, width=0, height=0)
    assert stage.watched == (100, 50)


def test_a_view_that_closes_gives_its_memory_back() -> None:
    stage = Stage()
    stage.join("a")
    stage.frame()
    stage.frame()
    stage.pacer.close()
    stage.decide()
    assert not stage.freed
    stage.encode_all()
    assert stage.freed == {1: 1, 2: 1}


def test_the_size_of_whoever_joined_resized_or_pressed_last_wins() -> None:
    clients = Clients()
    clients.add(Client("a", BOTH, 10, 10))
    clients.add(Client("b", BOTH, 20, 20))
    assert clients.size() == (20, 20)
    clients.touch("a")
    assert clients.size() == (10, 10)
    clients.add(Client("hidden", BOTH, 30, 30, visible=False))
    assert clients.size() == (10, 10)
    clients.remove("a")
    assert clients.size() == (20, 20)
    clients.remove("b")
    assert clients.size() is None
    assert len(clients) == 1


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_whatever_happens(steps: list[tuple[str, str]]) -> None:
    stage = Stage()
    for step, detail in steps:
        play(stage, step, detail)
        for client in stage.pacer.clients.visible():
            assert len(client.in_flight) <= CREDITS
        assert max(stage.freed.values(), default=1) == 1
        assert stage.frames - stage.freed.total() <= CREDITS + 1, "more slots held than a pool has"
        assert stage.wanted <= (stage.watched is not None)

    # Everybody draws what comes, the engine delivers a full frame, and then all rests.
    stage.join("last")
    for number in range(12):
        if stage.wanted and number < 3:
            stage.frame(full=True)
        stage.encode_all()
        for client in stage.pacer.clients.visible():
            stage.show(client.name)
        stage.later(REST_SECONDS)
    newest = stage.pacer.newest
    assert newest is not None
    assert newest.full
    for client in stage.pacer.clients.visible():
        assert stage.sent[client.name][-1] == (newest.content, "png")
    assert stage.wanted
    assert stage.pacer.wake_at(stage.now) is None

    for name in ("a", "b", "c", "last"):
        stage.pacer.clients.remove(name)
    stage.pacer.close()
    stage.decide()
    assert stage.freed == dict.fromkeys(range(1, stage.frames + 1), 1)
    assert stage.watched is None


def test_a_snapshot_takes_the_last_frame_once_no_newer_one_is_to_come() -> None:
    stage = Stage()
    stage.join("a")
    stage.frame(full=True)
    stage.pacer.clients.remove("a")
    stage.decide()
    stage.join("s", frozenset({"png"}), only_full=True)
    stage.encode_all()
    assert "s" not in stage.sent
    stage.pacer.settle()
    stage.decide()
    stage.encode_all()
    assert stage.sent["s"] == [(1, "png")]
