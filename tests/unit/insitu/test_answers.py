"""What ParaView has said: the newest of each, in whatever pieces it came."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvlink.insitu import frames
from pvlink.insitu.ferry.answers import Answers

pytestmark = pytest.mark.insitu

UNCHANGED = frames.numbered(frames.CHANGED, 0)
NOTHING_NEW = UNCHANGED + frames.GO_ON
SOMETHING = st.none() | st.binary(min_size=1, max_size=40)


def state(xml: bytes | None) -> bytes:
    """Its proxies, where they were changed."""
    if xml is None:
        return UNCHANGED
    return frames.numbered(frames.CHANGED, len(xml)) + frames.message(frames.CHANGES, xml)


def orders(wanted: bytes | None, paused: int = 0) -> bytes:
    """What is to be delivered, where that was changed."""
    listed = struct.pack("<bbibi", 1, frames.INT32, paused, frames.INT32, wanted is not None) + (wanted or b"")
    return frames.twice(frames.ORDERS, listed)


def said(answers: Answers, data: bytes, *cuts: int, gather: int = 1 << 16) -> int:
    """How many answers were complete."""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    messages = frames.Messages(gather)
    parts = [messages.feed(data[begin:end]) for begin, end in itertools.pairwise(edges)]
    return [answers.feed(*one) for part in parts for one in part].count(True)


def test_where_nothing_was_said_there_is_nothing_new() -> None:
    answers = Answers()

    assert [answers.take(), answers.take()] == [NOTHING_NEW, NOTHING_NEW]


@pytest.mark.parametrize("xml", [None, b"<a/>\0"], ids=["no proxy", "a proxy"])
@pytest.mark.parametrize("wanted", [None, b"grid"], ids=["no list", "a list"])
def test_an_answer_is_passed_on_as_it_came_and_once(xml: bytes | None, wanted: bytes | None) -> None:
    answers = Answers()

    assert said(answers, state(xml) + orders(wanted)) == 1
    assert [answers.take(), answers.take()] == [state(xml) + orders(wanted), NOTHING_NEW]


def test_of_two_answers_the_newest_of_each_counts() -> None:
    answers = Answers()
    said(answers, state(b"<old/>") + orders(b"old"))
    said(answers, state(b"<new/>") + orders(None))
    said(answers, state(None) + orders(b"new"))
    said(answers, state(None) + orders(None))

    assert answers.take() == state(b"<new/>") + orders(b"new")


def test_that_paraview_is_paused_is_nothing_that_a_simulation_has_to_know() -> None:
    answers = Answers()
    said(answers, state(None) + orders(None, paused=1))

    assert answers.take() == NOTHING_NEW


# A short body comes whole, a long one in parts.
@pytest.mark.parametrize("gather", [4, 1 << 16], ids=["long", "short"])
def test_an_answer_is_the_same_wherever_it_is_cut(gather: int) -> None:
    data = state(b"<a/><b/>\0") + orders(b"grid, slice")

    for first in range(len(data) + 1):
        for second in range(first, len(data) + 1):
            answers = Answers()
            assert said(answers, data, first, second, gather=gather) == 1
            assert answers.take() == data


@pytest.mark.parametrize("size", [(1 << 16) - 11, 1 << 16, (1 << 16) + 1, 5 << 20])
def test_proxies_and_lists_may_be_of_any_length(size: int) -> None:
    long = bytes(range(256)) * (size // 256) + bytes(size % 256)
    data = state(long) + orders(long)
    answers = Answers()

    assert said(answers, data, 7, 9, 30, size // 2, size + 3, size + 33, size + size // 2) == 1
    assert answers.take() == data


def test_an_answer_is_complete_with_its_last_byte() -> None:
    answers = Answers()
    data = state(b"<a/>") + orders(b"grid")
    messages = frames.Messages(4)
    complete = [[answers.feed(*one) for one in messages.feed(data[at : at + 1])] for at in range(len(data))]

    assert complete[-1][-1]
    assert not any(itertools.chain(*complete[:-1]))


def test_a_half_of_an_answer_does_not_spoil_the_next_one() -> None:
    answers = Answers()
    data = state(b"<a/>") + orders(b"grid")
    for tag, body, raw, ends in frames.Messages().feed(data)[:3]:
        assert not answers.feed(tag, body, raw, ends)

    assert said(answers, state(None) + orders(b"another")) == 1
    assert answers.take() == state(b"<a/>") + orders(b"another")


def test_what_is_no_answer_is_passed_over() -> None:
    answers = Answers()
    noise = frames.message(frames.RMI, b"anything") + frames.message(7, bytes(100))

    assert said(answers, noise + state(b"<a/>") + noise + orders(b"grid") + noise, gather=16) == 1
    assert answers.take() == state(b"<a/>") + orders(b"grid")


@settings(max_examples=300)
@given(
    st.lists(st.tuples(SOMETHING, SOMETHING, st.booleans()), max_size=8),
    st.lists(st.integers(0, 10_000), max_size=8),
    st.integers(4, 64),
)
def test_whatever_is_said_the_newest_of_each_is_heard_once(
    turns: list[tuple[bytes | None, bytes | None, bool]], cuts: list[int], gather: int
) -> None:
    answers = Answers()
    xml: bytes | None = None
    wanted: bytes | None = None
    for new_xml, new_wanted, taken in turns:
        assert said(answers, state(new_xml) + orders(new_wanted), *cuts, gather=gather) == 1
        xml = xml if new_xml is None else new_xml
        wanted = wanted if new_wanted is None else new_wanted
        if taken:
            assert answers.take() == state(xml) + orders(wanted)
            xml = wanted = None

    assert answers.take() == state(xml) + orders(wanted)
