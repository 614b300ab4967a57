"""So much a second, and nothing is dropped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.streamer.limits import BURST_SECONDS, MAX_VIEWERS, Allowance

pytestmark = pytest.mark.trust


def test_a_burst_passes_and_then_the_rate() -> None:
    allowance = Allowance(100.0, 0.0)
    assert all(allowance.take(1, 0.0) == 0 for _ in range(int(100 * BURST_SECONDS)))
    assert allowance.take(1, 0.0) == pytest.approx(0.01)
    assert allowance.take(100, 0.0) == pytest.approx(1.01)


def test_rest_gives_back_no_more_than_a_burst() -> None:
    allowance = Allowance(100.0, 0.0)
    assert allowance.take(200, 1e6) == 0
    assert allowance.take(1, 1e6) > 0


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 256)), max_size=80))
def test_who_waits_as_told_gets_no_more_than_rate_and_burst(steps: list[tuple[float, int]]) -> None:
    rate, now, taken = 50.0, 0.0, 0
    allowance = Allowance(rate, now)
    for pause, amount in steps:
        now += pause
        # What was taken before this one had been paid for, apart from the last.
        assert taken <= rate * (BURST_SECONDS + now) + 1e-6
        taken += amount
        wait = allowance.take(amount, now)
        assert wait >= 0
        now += wait


def test_fifty_viewers_are_few() -> None:
    assert MAX_VIEWERS >= 100
