"""When a pipeline's state is written down, and what is left of it when the writer is killed."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.engine.checkpoint import CHEAP, LATEST, PAUSE, REST, START, Checkpoint, When
from pvlink.saved import Saved

pytestmark = pytest.mark.trust


@pytest.fixture
def saved() -> Iterator[Saved]:
    found = Saved()
    yield found
    found.close()


def bytes_of(fd: int) -> bytes:
    return os.pread(fd, os.fstat(fd).st_size, 0)


def test_nothing_is_there_at_first(saved: Saved) -> None:
    assert saved.newest() is None


def test_the_newest_is_read_and_the_one_before_is_kept(saved: Saved) -> None:
    checkpoint = Checkpoint(saved.fds)
    for number in range(1, 6):
        checkpoint.write({"n": number}, b"<xml/>" * number)
        newest = saved.newest()
        assert newest is not None
        assert (newest.number, newest.facts, newest.xml) == (number, {"n": number}, b"<xml/>" * number)


def test_the_next_engine_counts_on_and_spares_the_newest(saved: Saved) -> None:
    Checkpoint(saved.fds).write({}, b"one")
    Checkpoint(saved.fds).write({}, b"two")
    Checkpoint(saved.fds).write({}, b"three")
    newest = saved.newest()
    assert newest is not None
    assert (newest.number, newest.xml) == (3, b"three")


@given(cut=st.integers(0, 400), flip=st.integers(0, 400))
def test_a_writer_killed_anywhere_leaves_the_former_state(cut: int, flip: int) -> None:
    saved = Saved()
    checkpoint = Checkpoint(saved.fds)
    checkpoint.write({"a": 1}, b"first" * 20)
    checkpoint.write({"a": 2}, b"other" * 20)
    half = next(fd for fd in saved.fds if b"first" in bytes_of(fd))
    before = bytes_of(half)
    checkpoint.write({"a": 3}, b"third" * 40)
    after = bytes_of(half)
    # The body is written from its beginning, the head last.
    os.pwrite(half, before[: len(after)].ljust(len(after), b"\0"), 0)
    os.pwrite(half, after[START : START + cut], START)
    newest = saved.newest()
    assert newest is not None
    assert newest.facts == {"a": 2}
    # Garbage in the middle of it is no state either.
    os.pwrite(half, after, 0)
    if flip < len(after):
        os.pwrite(half, bytes([after[flip] ^ 0x40]), flip)
    newest = saved.newest()
    assert newest is not None
    assert newest.facts == ({"a": 2} if flip < len(after) else {"a": 3})
    saved.close()


def test_a_cell_is_written_at_once_while_that_is_cheap() -> None:
    when = When()
    assert when.all_in(0.0) is None
    when.cell_ended(1.0)
    assert when.all_in(1.0) == 0.0
    when.all_written(CHEAP / 2)
    assert when.all_in(1.0) is None
    when.cell_ended(2.0)
    assert when.all_in(2.0) == 0.0


def test_a_dear_state_waits_for_a_pause_in_the_cells() -> None:
    when = When()
    when.all_written(0.1)
    when.cell_ended(1.0)
    assert when.all_in(1.0) == pytest.approx(1.0)
    when.cell_ended(1.9)
    assert when.all_in(1.9) == pytest.approx(1.0)
    assert when.all_in(2.9) == pytest.approx(0.0)
    when.all_written(CHEAP)
    when.cell_ended(4.0)
    assert when.all_in(4.0) == pytest.approx(PAUSE)


def test_it_waits_for_nothing_for_ever() -> None:
    when = When()
    when.all_written(0.1)
    now = 0.0
    while not when.overdue(now):
        when.cell_ended(now)
        when.moved(now)
        assert when.all_in(now) == 0.0 or now < LATEST
        now += 0.25
    assert when.all_in(now) == 0.0


def test_a_hand_costs_only_the_cameras_and_these_when_it_rests() -> None:
    when = When()
    when.moved(1.0)
    when.moved(1.5)
    assert when.all_in(1.5) is None
    assert when.cameras_in(1.5) == pytest.approx(REST)
    assert when.cameras_in(1.5 + REST) == 0.0
    when.cameras_written()
    assert when.cameras_in(3.0) is None


def test_what_a_cell_did_is_not_written_under_a_moving_hand() -> None:
    when = When()
    when.cell_ended(1.0)
    when.moved(1.0)
    assert when.all_in(1.0) == pytest.approx(REST)
    assert when.all_in(1.0 + REST) == 0.0
