"""When an interrupt cuts a server off, and when it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.streamer.pvserver.impatience import PATIENCE, Impatience, Silence

pytestmark = pytest.mark.servers

HUNG = Silence(live=True, waiting=True, heard=90.0, said=91.0)


def test_a_server_that_stays_silent_is_cut_three_seconds_after_the_interrupt() -> None:
    one = Impatience()

    assert not one.interrupt(100.0, HUNG)
    assert one.due == 102.5
    assert not one.look(102.4, HUNG)
    assert one.look(102.5, HUNG)
    assert one.due is None


def test_a_second_interrupt_cuts_at_once() -> None:
    one = Impatience()
    one.interrupt(100.0, HUNG)

    assert one.interrupt(100.5, HUNG)
    assert one.due is None


@pytest.mark.parametrize(
    "silence",
    [
        Silence(live=True, waiting=True, heard=101.0, said=91.0),
        Silence(live=True, waiting=False, heard=90.0, said=80.0),
        Silence(live=False, waiting=True, heard=90.0, said=91.0),
        Silence(live=True, waiting=True, heard=90.0, said=101.0),
    ],
    ids=["it spoke", "nobody waits for it", "it is gone", "the client speaks: it is not in recv"],
)
def test_a_server_that_is_well_is_not_cut(silence: Silence) -> None:
    one = Impatience()
    one.interrupt(100.0, HUNG)

    assert not one.look(102.5, silence)
    assert one.due is None


def test_an_interrupt_that_the_interpreter_takes_is_called_off() -> None:
    one = Impatience()
    one.interrupt(100.0, HUNG)

    one.call_off()

    assert one.due is None
    assert not one.look(200.0, HUNG)


@given(st.booleans(), st.booleans(), st.floats(0, 200), st.floats(0, 200))
def test_nothing_is_cut_without_an_interrupt(live: bool, waiting: bool, heard: float, said: float) -> None:
    assert not Impatience().look(1e9, Silence(live, waiting, heard, said))


@given(st.floats(100.0, 100.0 + PATIENCE, exclude_max=True))
def test_nothing_is_cut_before_its_time(now: float) -> None:
    one = Impatience()
    one.interrupt(100.0, HUNG)

    assert not one.look(now, HUNG)
