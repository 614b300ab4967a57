"""The drawing of quantities over steps: whatever was measured, it can be drawn, and no peak is lost."""

from __future__ import annotations

import math
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvlink.monitor import chart as chart_module
from pvlink.monitor.chart import BINS, BOTTOM, COLOURS, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Chart, draw, thinned, ticks
from pvlink.monitor.simulation import Simulation
from tests.unit.monitor.rehearsal import Rehearsal, ended, until

pytestmark = pytest.mark.insitu

Line = list[tuple[float, float]]
NOTHING = "No step has been measured yet."
# What a measure may be, in a simulation that goes well and in one that does not.
VALUES = st.floats() | st.sampled_from([0.0, -0.0, 1e-290, 1e300, -1e300, math.nan, math.inf, -math.inf])
# Apart enough to be told apart by a division.
APART = VALUES.filter(lambda v: not math.isfinite(v) or v == 0.0 or 1e-290 <= abs(v) <= 1e300)
MAX = sys.float_info.max


def parsed(picture: str) -> ElementTree.Element:
    """As a page that is strict would read it."""
    return ElementTree.fromstring(picture)  # noqa: S314 - it is our own


def lines(picture: str) -> list[list[tuple[float, float]]]:
    """The points of each, in the picture."""
    found = []
    for one in parsed(picture).iter("polyline"):
        pairs = [pair.split(",") for pair in one.attrib["points"].split()]
        found.append([(float(x), float(y)) for x, y in pairs])
    return found


def texts(picture: str) -> list[str]:
    return [one.text or "" for one in parsed(picture).iter("text")]


def inside(x: float, y: float) -> bool:
    return LEFT <= x <= WIDTH - RIGHT and TOP <= y <= HEIGHT - BOTTOM


def line(*values: float) -> Line:
    return [(float(step), value) for step, value in enumerate(values)]


# -- drawing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "measured", [{}, {"max(V)": []}, {"max(V)": line(math.nan)}, {"a": line(math.inf, -math.inf), "b": []}]
)
def test_where_nothing_was_measured_that_is_said(measured: dict[str, Line]) -> None:
    assert texts(draw(measured)) == [NOTHING]
    assert lines(draw(measured)) == []


@pytest.mark.parametrize(
    "measured",
    [
        line(1.0),
        line(0.0),
        line(-3.0),
        [(7.0, 2.0)],
        line(2.0, 2.0, 2.0),
        line(0.0, 0.0),
        line(-1.0, -5.0, -2.0),
        line(1.0, math.nan, 3.0),
        line(math.nan, 1.0, math.inf, 2.0, -math.inf),
        line(1e-300, 2e-300),
        line(1e300, -1e300),
        line(0.0, 1e307),
        line(1.0, 1.0 + 2**-52),
        line(1e16, 1e16 + 2),
        [(1e9 + step, float(step)) for step in range(5)],
        line(-MAX, MAX),
        line(0.0, MAX),
        line(MAX, MAX),
        line(0.0, 5e-324),
        line(5e-324, 5e-324),
    ],
)
def test_whatever_was_measured_is_in_the_picture(measured: Line) -> None:
    picture = draw({"max(V)": measured})
    (points,) = lines(picture)
    assert len(points) == sum(math.isfinite(value) for _, value in measured)
    assert all(inside(x, y) for x, y in points)
    assert "max(V)" in texts(picture)


@settings(deadline=None)
@given(st.lists(st.lists(APART, max_size=8), max_size=4))
def test_any_picture_is_one_that_can_be_read(measured: list[list[float]]) -> None:
    picture = draw({f"max(V{number})": line(*values) for number, values in enumerate(measured)})
    assert "nan" not in picture.lower().replace("nanmean", "")
    assert "inf" not in picture
    drawn = lines(picture)
    finite = [sum(math.isfinite(value) for value in values) for values in measured]
    assert [len(points) for points in drawn] == (finite if any(finite) else [])
    assert all(inside(x, y) for points in drawn for x, y in points)


def test_more_is_higher_and_later_is_further_right() -> None:
    ((first, second, third),) = lines(draw({"max(V)": line(1.0, 3.0, 2.0)}))
    assert first[0] < second[0] < third[0]
    assert second[1] < third[1] < first[1]
    assert (first[0], third[0]) == (LEFT, WIDTH - RIGHT)
    assert TOP <= second[1] < TOP + 20
    assert HEIGHT - BOTTOM - 20 < first[1] <= HEIGHT - BOTTOM


def test_several_lines_have_one_scale_and_different_colours() -> None:
    picture = draw({"a": line(0.0, 1.0), "b": line(9.0, 10.0)})
    one, other = lines(picture)
    assert one[1][1] > other[0][1]
    strokes = [element.attrib["stroke"] for element in parsed(picture).iter("polyline")]
    assert strokes == list(COLOURS[:2])
    assert [text for text in texts(picture) if text in ("a", "b")] == ["a", "b"]


def test_with_more_lines_than_colours_the_colours_begin_again() -> None:
    picture = draw({f"q{n}": line(float(n)) for n in range(len(COLOURS) + 1)})
    strokes = [element.attrib["stroke"] for element in parsed(picture).iter("polyline")]
    assert strokes == [*COLOURS, COLOURS[0]]


def test_each_name_is_in_the_picture() -> None:
    picture = parsed(draw({f"max(V{n})": line(float(n)) for n in range(len(COLOURS))}))
    for text in picture.iter("text"):
        assert float(text.attrib["x"]) < WIDTH - RIGHT, text.text


@pytest.mark.parametrize(("count", "length"), [(1, 10), (1, 200), (2, 30), (3, 60), (6, 20), (50, 7), (50, 60)])
def test_no_name_is_written_over_the_next_one(count: int, length: int) -> None:
    names = [f"max({n:0{length}})" for n in range(count)]
    written = [text for text in parsed(draw({name: line(1.0) for name in names})).iter("text") if "y" in text.attrib]
    legend = [text for text in written if float(text.attrib["y"]) < TOP]
    assert len(legend) == count
    starts = [float(text.attrib["x"]) for text in legend]
    for text, start, end in zip(legend, starts, [*starts[1:], float(WIDTH)], strict=True):
        shown = text.text or ""
        # One letter is written wherever there is room for none.
        assert len(shown) == 1 or start + 6.5 * len(shown) <= end
        full = text.find("title")
        assert (shown if full is None else full.text) in names


@pytest.mark.parametrize(
    "name", ["max(<b>)", "max('a&b')", 'max("</text></svg>")', "max(<script>alert(1)</script>)", "Größe"]
)
def test_a_name_is_text(name: str) -> None:
    picture = draw({name: line(1.0, 2.0)})
    assert name in texts(picture)
    assert "<script" not in picture
    assert "<b>" not in picture


# -- thinning --------------------------------------------------------------------------------------


def test_a_short_line_is_drawn_as_it_is() -> None:
    short = line(*(math.sin(n) for n in range(2 * BINS)))
    assert thinned(short) == short


def test_what_is_no_number_is_no_point() -> None:
    assert thinned(line(1.0, math.nan, math.inf, 2.0)) == [(0.0, 1.0), (3.0, 2.0)]


@pytest.mark.parametrize("count", [2 * BINS + 1, 1000, 1800, 50_000])
def test_of_a_long_line_every_peak_is_kept(count: int) -> None:
    for peak in (0, 1, count // 3, count // 2, count - 1):
        for height in (1.0, -1.0):
            values = [0.0] * count
            values[peak] = height
            kept = thinned(line(*values))
            assert (float(peak), height) in kept, peak
            assert len(kept) <= 2 * BINS


@pytest.mark.parametrize("count", [603, 609, 655])
def test_of_any_long_line_the_last_point_counts(count: int) -> None:
    values = [0.0] * count
    values[-1] = 1.0
    assert (count - 1.0, 1.0) in thinned(line(*values))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 3000), st.randoms(use_true_random=False))
def test_a_thin_line_is_a_part_of_the_long_one_in_its_order(count: int, chance: object) -> None:
    values = [getattr(chance, "uniform")(-1.0, 1.0) for _ in range(count)]  # noqa: B009 - it has no type
    long = line(*values)
    thin = thinned(long)
    assert len(thin) <= 2 * BINS
    assert set(thin) <= set(long)
    assert thin == sorted(thin)
    assert len(set(thin)) == len(thin)


# -- ticks -----------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(-(10**6), 10**6), st.integers(1, 10**6))
def test_ticks_are_round_and_a_few_and_within(low: int, width: int) -> None:
    found = ticks(float(low), float(low + width))
    assert 2 <= len(found) <= 6
    steps = [factor * 10.0**power for factor in (1, 2, 5) for power in range(-3, 7)]
    step = min(steps, key=lambda one: abs(found[1] - found[0] - one))
    assert found[1] - found[0] == pytest.approx(step, rel=1e-6)
    for number, value in enumerate(found):
        assert low - 1e-9 * width <= value <= low + width + 1e-9 * width
        assert value / step == pytest.approx(round(found[0] / step) + number, abs=1e-6)


@settings(deadline=None)
@given(APART.filter(math.isfinite), APART.filter(math.isfinite))
def test_whatever_is_measured_has_ticks(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    if low == high:
        return
    found = ticks(low, high)
    # Where numbers are as far apart as ticks, some fall together.
    assert 1 <= len(found) <= 7
    assert found == sorted(found)
    room = 1e-9 * (high - low) + 4 * max(math.ulp(low), math.ulp(high))
    assert all(low - room <= value <= high + room for value in found)


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0.0, 10.0, [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]),
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-1.0, 1.0, [-1.0, -0.5, 0.0, 0.5, 1.0]),
        (3.0, 47.0, [10.0, 20.0, 30.0, 40.0]),
        (0.0, 1000.0, [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]),
        (0.04, 0.06, [0.04, 0.045, 0.05, 0.055, 0.06]),
    ],
)
def test_ticks_are_what_somebody_would_write(low: float, high: float, found: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(found)


# -- in a cell -------------------------------------------------------------------------------------


@pytest.fixture
def chart(sim: Simulation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chart]:
    monkeypatch.setattr(chart_module, "TICK", 0.005)
    one = sim.plot("max(V)", "mean(U)")
    yield one
    one.close()
    ended("pvlink chart")


def test_a_chart_goes_on_by_itself(chart: Chart) -> None:
    until(lambda: len((lines(chart.picture) or [[]])[0]) > 5)
    assert {"max(V)", "mean(U)"} <= set(texts(chart.picture))
    before = len(lines(chart.picture)[0])
    until(lambda: len(lines(chart.picture)[0]) > before)
    assert "application/vnd.jupyter.widget-view+json" in chart._repr_mimebundle_()


def test_a_chart_outlives_the_end_of_a_session(chart: Chart, host: Rehearsal) -> None:
    until(lambda: lines(chart.picture))
    host.lost = "The process that sends the pictures has ended."
    asked = len(host.asked)
    until(lambda: not host.asked[asked:])
    before = chart.picture
    host.lost = ""
    until(lambda: chart.picture != before)


def test_what_nobody_has_thought_of_ends_no_chart(
    chart: Chart, host: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(op: str, **facts: object) -> dict[str, object]:
        raise TypeError("<null>")

    with monkeypatch.context() as patch:
        patch.setattr(chart._simulation._follower, "_ask", fail)
        until(lambda: texts(chart.picture) == ["TypeError: <null>"])
    until(lambda: lines(chart.picture))


def test_of_a_chart_without_news_no_page_hears(sim: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_module, "TICK", 3600.0)
    chart = Chart(sim, ["max(V)"])
    heard: list[object] = []
    chart._widget.observe(heard.append)
    chart.look()
    chart.look()
    assert heard == []
    assert texts(chart.picture) == [NOTHING]
    chart.close()
    ended("pvlink chart")


def test_of_a_chart_that_is_closed_no_thread_is_left(chart: Chart) -> None:
    chart.close()
    chart.close()
    ended("pvlink chart")
