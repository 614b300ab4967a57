"""Where a conversation stands, whatever pieces it comes in."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.streamer.pvserver.framing import ASKS_FOR_IMAGE, NO_IMAGE, PROGRESS, Conversation, Framing

pytestmark = pytest.mark.servers


def message(tag: int, size: int) -> bytes:
    return struct.pack("<ii", tag, size) + b"x" * size


ASKS = message(ASKS_FOR_IMAGE, 4)


@given(
    st.lists(st.tuples(st.integers(-(1 << 31), (1 << 31) - 1), st.integers(0, 40)), min_size=1, max_size=20),
    st.lists(st.integers(0, 1000), max_size=30),
)
def test_messages_are_counted_in_whatever_pieces_they_come(said: list[tuple[int, int]], cuts: list[int]) -> None:
    data = b"".join(message(tag, size) for tag, size in said)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    framing = Framing()

    for begin, end in itertools.pairwise(edges):
        # In the front of a buffer that is used again and again.
        framing.feed(bytearray(data[begin:end] + b"\xff" * 20), end - begin)

    assert framing.messages == len(said)
    assert framing.tag == said[-1][0]
    assert framing.whole


@given(st.integers(1, 47))
def test_a_message_that_is_half_through_is_seen(cut: int) -> None:
    framing = Framing()

    framing.feed(message(5, 40)[:cut], cut)

    assert not framing.whole
    assert framing.messages == 0


def test_a_large_body_is_skipped_by_its_length() -> None:
    framing = Framing()
    framing.feed(struct.pack("<ii", 7, (1 << 31) - 1), 8)
    block = bytearray(1 << 20)

    whole = []
    for _ in range(2047):
        framing.feed(block, len(block))
        whole.append(framing.whole)
    framing.feed(block, len(block) - 1)

    assert not any(whole)
    assert (framing.whole, framing.messages) == (True, 1)


def test_what_is_no_framing_leaves_it_unknown_where_it_stands() -> None:
    framing = Framing()

    framing.feed(struct.pack("<ii", 10, -1), 8)
    framing.feed(ASKS, len(ASKS))

    assert framing.lost
    assert not framing.whole


def test_a_client_that_asked_for_an_image_waits_for_it() -> None:
    talk = Conversation()
    waits = []
    talk.heard(message(3, 5), 13)
    waits.append(talk.waits_for_image)
    talk.said(ASKS, len(ASKS))
    waits.append(talk.waits_for_image)
    talk.heard(NO_IMAGE, len(NO_IMAGE))
    waits.append(talk.waits_for_image)

    assert waits == [False, True, False]


@pytest.mark.parametrize(
    ("client", "server"),
    [(ASKS[:-1], b""), (message(11, 4), b""), (ASKS + b"\1", b""), (ASKS, message(3, 9)[:12])],
    ids=["half asked", "asked for something else", "says more", "in the middle of an answer"],
)
def test_who_is_elsewhere_does_not_wait_for_an_image(client: bytes, server: bytes) -> None:
    talk = Conversation()
    talk.heard(server, len(server))

    talk.said(client, len(client))

    assert not talk.waits_for_image


def test_no_image_is_one_whole_message_of_four_zeros() -> None:
    framing = Framing()

    framing.feed(NO_IMAGE, len(NO_IMAGE))

    assert (framing.messages, framing.tag, framing.whole) == (1, 0x23430, True)
    assert NO_IMAGE[8:] == bytes(16)


def test_how_far_a_server_is_is_no_answer() -> None:
    conversation = Conversation()
    question = struct.pack("<ii", 1, 0)
    progress = struct.pack("<ii4s", PROGRESS, 4, b"half")
    answer = struct.pack("<ii", 0x2E229, 0)
    conversation.said(question, len(question))
    conversation.heard(progress, len(progress))
    assert conversation.awaited
    conversation.heard(answer, len(answer))
    assert not conversation.awaited
