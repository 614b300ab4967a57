"""How fast, how good: lines of all kinds in a simulated clock, with the real pacer."""

from __future__ import annotations

from collections import Counter
from statistics import median

import pytest

from pvlink.streamer.forms import BEST, STILL, Form, Weights
from pvlink.streamer.line import HANDLING, OVERHEAD, Line
from pvlink.streamer.pins import Pins
from pvlink.streamer.rate import FEWEST, LARGEST, Rate
from tests.unit.streamer.simulation import ALL, MEGABIT, Seen, Simulation, Wire

pytestmark = pytest.mark.speed

PIXELS_720, PIXELS_1080 = 1280 * 720, 1920 * 1080
LOOPBACK = (4000 * MEGABIT, 0.001)


def steady(megabits: float, round_trip: float) -> Wire:
    return Wire(lambda _now: megabits * MEGABIT, round_trip)


def p95(values: list[float]) -> float:
    return values[int(len(values) * 0.95)]


def forms(seen: list[Seen], since: float, until: float = float("inf")) -> set[Form]:
    return {one.form for one in seen if since <= one.at < until}


# The line.


@pytest.mark.parametrize("megabits", [0.5, 2, 20, 100])
@pytest.mark.parametrize("round_trip", [0.002, 0.05, 0.2])
def test_a_lines_rate_is_learnt_from_frames_that_do_not_fill_it(megabits: float, round_trip: float) -> None:
    line = Line(round_trip=round_trip)
    rate = megabits * MEGABIT
    for order in range(1, 20):
        sent = float(order)
        size = 20_000 + 1000 * (order % 5)
        line.sent(order, size, sent)
        line.arrived(order, sent + round_trip + HANDLING + (size + OVERHEAD) / rate)
    assert line.rate == pytest.approx(rate, rel=0.02)
    assert line.queue == pytest.approx(0.0, abs=1e-9)


def test_a_lines_rate_is_learnt_from_frames_that_queue_and_the_queue_with_it() -> None:
    line = Line(round_trip=0.05)
    rate, free = 10 * MEGABIT, 0.0
    for order in range(1, 40):
        sent = order * 0.01
        free = max(free, sent) + HANDLING + (30_000 + OVERHEAD) / rate
        line.sent(order, 30_000, sent)
        line.arrived(order, free + 0.05)
    assert line.rate == pytest.approx(rate, rel=0.02)
    # Each waits for those before it, and there are more and more of them.
    assert line.queue == pytest.approx(free - HANDLING - (30_000 + OVERHEAD) / rate - 0.39, abs=0.001)


def test_a_round_trip_that_was_overestimated_is_corrected() -> None:
    line = Line(round_trip=0.3)
    line.sent(1, 1000, 0.0)
    line.arrived(1, 0.05)
    assert line.round_trip == 0.05


def test_a_confirmation_of_nothing_and_of_what_was_skipped() -> None:
    line = Line(round_trip=0.01)
    line.arrived(7, 1.0)
    assert line.rate is None
    line.sent(1, 1000, 0.0)
    line.sent(2, 1000, 0.0)
    line.arrived(2, 0.1)
    line.arrived(1, 0.2)
    assert line.rate == pytest.approx((1000 + OVERHEAD) / (0.09 - HANDLING))


def test_what_frames_weigh_is_learnt_in_whatever_form_they_are() -> None:
    weights = Weights()
    before = weights.of(Form("h264", 26), 1_000_000)
    weights.learn(BEST, 190_000, 1_000_000)
    # Twice as heavy as usual, in every form.
    assert weights.of(Form("h264", 26), 1_000_000) == pytest.approx(2 * before, rel=0.01)
    for _ in range(20):
        weights.learn(Form("h264", 26), 5_000, 1_000_000)
    assert weights.of(Form("h264", 26), 1_000_000) == pytest.approx(5_000, rel=0.1)
    assert weights.of(Form("h264", 29), 1_000_000) < 5_000


# Ordinary lines.


@pytest.mark.parametrize(("pixels", "render"), [(PIXELS_720, 0.015), (PIXELS_1080, 0.09), (PIXELS_1080, 0.3)])
def test_on_loopback_good_jpegs_as_fast_as_they_are_rendered(pixels: int, render: float) -> None:
    stage = Simulation(render=render, pixels=pixels)
    stage.join("a", Wire(lambda _now: LOOPBACK[0], LOOPBACK[1]))
    stage.run(6.0)
    assert forms(stage.seen["a"], 0.0) == {BEST}
    assert stage.rate("a", 1.0, 6.0) > 0.9 * min(60.0, 1 / render)
    # A render, what encoding and showing it takes, and no waiting.
    assert p95(stage.ages("a")) < render + 0.035


def test_a_browser_without_video_gets_smaller_jpegs() -> None:
    stage = Simulation(pixels=PIXELS_1080)
    stage.join("a", steady(20, 0.05), codecs=frozenset({"jpeg", "png"}))
    stage.run(6.0)
    assert all(form.codec == "jpeg" for form in forms(stage.seen["a"], 1.0))
    assert stage.rate("a", 2.0, 6.0) > 15.0
    assert p95(stage.ages("a", 2.0)) < 0.25


@pytest.mark.parametrize("heavy", [0.5, 1.0, 2.0])
def test_a_hotels_network_carries_thirty_frames_a_second(heavy: float) -> None:
    stage = Simulation(render=0.028, pixels=PIXELS_1080, heavy=heavy)
    stage.join("a", steady(20, 0.05))
    stage.run(12.0)
    ages = stage.ages("a", 2.0)
    assert stage.rate("a", 2.0, 12.0) >= 30.0
    assert median(ages) <= 0.130
    assert p95(ages) <= 1.5 * median(ages)


@pytest.mark.parametrize("heavy", [0.5, 1.0, 2.0, 4.0])
def test_a_thin_line_over_an_ocean_carries_eight(heavy: float) -> None:
    stage = Simulation(render=0.025, pixels=PIXELS_720, heavy=heavy)
    stage.join("a", steady(2, 0.2))
    stage.run(12.0)
    assert stage.rate("a", 2.0, 12.0) >= 8.0
    assert p95(stage.ages("a", 2.0)) <= 0.700


def test_a_line_that_becomes_thin_is_followed_within_two_seconds_and_back() -> None:
    stage = Simulation(render=0.03, pixels=PIXELS_1080)
    stage.join("a", Wire(lambda now: (2 if 5 <= now < 12 else 20) * MEGABIT, 0.05))
    stage.run(20.0)
    good = forms(stage.seen["a"], 3.0, 5.0)
    assert p95(stage.ages("a", 7.0, 12.0)) <= 0.25
    assert stage.rate("a", 7.0, 12.0) >= 15.0
    # No more waits at any time than was under way when it happened.
    assert max(stage.ages("a", 5.0, 12.0)) <= 1.2
    assert forms(stage.seen["a"], 14.0) == good


def test_a_form_that_fits_is_kept() -> None:
    stage = Simulation(render=0.03, pixels=PIXELS_1080)
    # One that varies by a fifth, ten times a second.
    stage.join("a", Wire(lambda now: (20 if int(now * 10) % 2 else 16) * MEGABIT, 0.05))
    stage.run(20.0)
    changes = sum(a.form != b.form for a, b in zip(stage.seen["a"], stage.seen["a"][1:], strict=False))
    assert changes <= 6


def test_whatever_is_under_way_stays_bounded() -> None:
    rate = Rate(ALL)
    rate.line.round_trip = 3.0
    rate.choose(0.0, Weights(), PIXELS_720, 0.01)
    assert rate.window == LARGEST
    rate.line.round_trip = 0.0001
    rate.choose(0.0, Weights(), PIXELS_720, 0.5)
    assert rate.window == FEWEST


# The still.


def test_a_still_follows_soon_on_a_fast_line_and_late_on_a_thin_one() -> None:
    for megabits, round_trip, soonest, latest in ((1000.0, 0.001, 0.1, 0.4), (2.0, 0.2, 0.9, 3.0)):
        stage = Simulation(until=4.0)
        stage.join("a", steady(megabits, round_trip))
        stage.run(12.0)
        (still,) = [seen for seen in stage.seen["a"] if seen.form == STILL and seen.at > 3.0]
        assert stage.seen["a"][-1] is still
        assert soonest < still.at - 4.0 < latest


# What somebody has chosen.


def pinned(pins: Pins, megabits: float, codecs: frozenset[str] = ALL) -> set[Form]:
    stage = Simulation(pixels=PIXELS_1080)
    stage.join("a", steady(megabits, 0.03), codecs=codecs)
    stage.pacer.pinned(pins)
    stage.run(6.0)
    return forms(stage.seen["a"], 1.0) - {STILL}


def test_a_codec_that_was_chosen_is_kept_and_its_quality_follows_the_line() -> None:
    assert {form.codec for form in pinned(Pins(codec="jpeg"), 10)} == {"jpeg"}
    assert {form.codec for form in pinned(Pins(codec="h264"), 1000)} == {"h264"}
    (good,), (poor,) = pinned(Pins(codec="h264"), 1000), pinned(Pins(codec="h264"), 4)
    assert poor.quality > good.quality


def test_a_quality_that_was_chosen_is_kept_and_the_codec_follows_the_line() -> None:
    assert pinned(Pins(quality=55), 1000) == {Form("jpeg", 55)}
    (video,) = pinned(Pins(quality=55), 10)
    assert video == Pins(quality=55).form("h264")
    assert pinned(Pins(codec="jpeg", quality=95), 5) == {Form("jpeg", 95)}


def test_a_codec_that_a_browser_has_not_is_not_forced_on_it() -> None:
    assert pinned(Pins(codec="av1"), 1000) == {BEST}
    assert pinned(Pins(codec="h264"), 1000, frozenset({"jpeg", "png"})) == {BEST}


def test_without_loss_also_while_it_moves() -> None:
    stage = Simulation()
    stage.join("a", steady(1000, 0.001))
    stage.pacer.pinned(Pins(codec="png"))
    stage.run(2.0)
    assert forms(stage.seen["a"], 0.2) == {STILL}


# Many viewers.


def test_twenty_viewers_on_two_kinds_of_line_cost_an_encoding_a_kind_and_the_fast_ones_notice_nothing() -> None:
    alone = Simulation(render=0.02)
    alone.join("fast", Wire(lambda _now: LOOPBACK[0], LOOPBACK[1]))
    alone.run(8.0)
    stage = Simulation(render=0.02)
    for number in range(10):
        stage.join(f"fast {number}", Wire(lambda _now: LOOPBACK[0], LOOPBACK[1]))
        stage.join(f"slow {number}", steady(4, 0.08))
    stage.run(8.0)
    for number in range(10):
        assert stage.rate(f"fast {number}", 2.0, 8.0) >= 0.95 * alone.rate("fast", 2.0, 8.0)
        assert stage.rate(f"slow {number}", 2.0, 8.0) >= 15.0
        assert p95(stage.ages(f"slow {number}", 2.0)) < 0.3
    encoded = Counter((order, form) for order, form, _ in stage.orders)
    assert set(encoded.values()) == {1}
    assert len({form for _, form in encoded if form != STILL}) <= 4


def test_a_viewer_that_is_late_loses_its_place_and_holds_up_nobody() -> None:
    stage = Simulation(render=0.02)
    stage.join("steady", steady(4, 0.08))
    stage.join("stalls", Wire(lambda now: (4 if now < 3 or now > 6 else 0.05) * MEGABIT, 0.08))
    stage.run(12.0)
    assert stage.rate("steady", 3.5, 6.0) >= 0.7 * stage.rate("steady", 1.0, 3.0)
    # It is back, by a frame that needs no other.
    assert stage.rate("stalls", 8.0, 12.0) >= 10.0
    assert any(key for at, _, key in stage.encoded if at > 3.5)
