"""Catalyst Live on the wire: whatever pieces it comes in, and whatever it is that comes."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvlink.insitu import frames
from pvlink.insitu.frames import Messages, NoLive

pytestmark = pytest.mark.insitu

# As ParaView 5.11 sent it: one process that has no place of its own, and one at vm:41015.
REAL = b"\x01\t\x01\x00\x00\x00\x01\t\x12\x00\x00\x00\x01\x00\xa2\x7f\x01\x00\x06\x02\x00\x00\x00vm\x007\xa0\x00\x00"
HOSTS = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=30)
PLACES = st.lists(st.none() | st.tuples(HOSTS, st.integers(-(1 << 31), (1 << 31) - 1)), max_size=8)
SAID = st.lists(st.tuples(st.integers(-(1 << 31), (1 << 31) - 1), st.binary(max_size=60)), max_size=12)
Found = tuple[int, bytes | None, bytes, bool]


class Impatient(bytes):
    """Bytes that whoever reads them again and again has had enough of."""

    reads = 0

    def __getitem__(self, where: Any) -> Any:
        self.reads += 1
        assert self.reads < 10_000, "it is read for ever"
        return super().__getitem__(where)


def fed(messages: Messages, data: bytes, cuts: list[int]) -> list[Found]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [one for begin, end in itertools.pairwise(edges) for one in messages.feed(data[begin:end])]


def whole(found: list[Found]) -> list[tuple[int, bytes]]:
    """Tag and all bytes of each, its parts put together."""
    made: list[tuple[int, bytes]] = []
    raw = b""
    for tag, _, part, ends in found:
        raw += part
        if ends:
            made.append((tag, raw))
            raw = b""
    assert not raw
    return made


# -- messages --------------------------------------------------------------------------------------


def test_a_message_is_tag_length_and_body() -> None:
    assert frames.message(8002, b"\5\0\0\0") == struct.pack("<iii", 8002, 4, 5) == frames.numbered(8002, 5)
    assert frames.twice(8012, b"abc") == frames.numbered(8012, 3) + frames.message(8012, b"abc")


@given(SAID, st.lists(st.integers(0, 1000), max_size=30), st.integers(0, 80))
def test_messages_are_the_same_in_whatever_pieces_they_come(
    said: list[tuple[int, bytes]], cuts: list[int], gather: int
) -> None:
    data = b"".join(frames.message(tag, body) for tag, body in said)

    found = fed(Messages(gather), data, cuts)

    assert whole(found) == [(tag, frames.message(tag, body)) for tag, body in said]
    assert [body for _, body, _, _ in found if body is not None] == [body for _, body in said if len(body) <= gather]
    assert b"".join(raw for _, _, raw, _ in found) == data


@pytest.mark.parametrize("gather", [0, 3, 4, 5, 1 << 16])
def test_messages_are_the_same_wherever_they_are_cut(gather: int) -> None:
    said = [(1, b"abcd"), (8013, b""), (12000, b"\0" * 7), (674524, b"xyz")]
    data = b"".join(frames.message(tag, body) for tag, body in said)

    for first in range(len(data) + 1):
        for second in range(first, len(data) + 1):
            messages = Messages(gather)
            found = [one for part in (data[:first], data[first:second], data[second:]) for one in messages.feed(part)]

            assert whole(found) == [(tag, frames.message(tag, body)) for tag, body in said]


def test_a_short_body_comes_whole_and_only_then() -> None:
    messages = Messages(gather=4)
    data = frames.message(7, b"abcd")

    assert [messages.feed(data[at : at + 1]) for at in range(11)] == [[]] * 11
    assert messages.feed(data[11:]) == [(7, b"abcd", data, True)]


def test_a_long_body_passes_in_parts_as_they_come() -> None:
    messages = Messages(gather=4)
    data = frames.message(7, b"abcdefgh")

    assert messages.feed(data[:8]) == [(7, None, data[:8], False)]
    assert messages.feed(b"abc") == [(7, None, b"abc", False)]
    assert messages.feed(b"defgh" + frames.message(9, b"")) == [
        (7, None, b"defgh", True), (9, b"", frames.message(9, b""), True),
    ]  # fmt: skip


def test_a_body_that_only_passes_is_never_gathered() -> None:
    messages = Messages()
    messages.feed(struct.pack("<ii", 7, (1 << 31) - 1))
    block = bytes(1 << 20)

    for _ in range(100):
        assert messages.feed(block) == [(7, None, block, False)]
        assert len(messages._buffer) == 0


@pytest.mark.parametrize("length", [-1, -8, -(1 << 31)])
def test_a_negative_length_is_no_message(length: int) -> None:
    messages = Messages()
    messages.feed(frames.message(1, b"abcd") + struct.pack("<ii", 7, length)[:7])

    with pytest.raises(NoLive, match=f"a message of {length} bytes"):
        messages.feed(struct.pack("<ii", 7, length)[7:])


@settings(max_examples=500)
@given(st.lists(st.binary(max_size=30), max_size=20))
def test_garbage_is_cut_somehow_or_seen(pieces: list[bytes]) -> None:
    messages, passed = Messages(gather=16), b""
    try:
        for piece in pieces:
            passed += b"".join(raw for _, _, raw, _ in messages.feed(piece))
    except NoLive:
        return

    assert b"".join(pieces).startswith(passed)


@given(st.binary(max_size=20))
def test_a_remote_call_is_known_by_its_number_or_not_at_all(rest: bytes) -> None:
    assert frames.remote_call(struct.pack("<i", frames.UPDATE) + rest) == frames.UPDATE
    assert isinstance(frames.remote_call(rest), int)
    assert frames.remote_call(rest[:3]) == 0


@given(st.integers(-(1 << 31), (1 << 31) - 1))
def test_a_number_is_read_as_it_was_written(value: int) -> None:
    ((tag, body, _, _),) = Messages().feed(frames.numbered(8002, value))

    assert body is not None
    assert (tag, frames.number(body)) == (8002, value)


@pytest.mark.parametrize("body", [b"", b"\1\0\0", b"\1\0\0\0\0"], ids=len)
def test_what_has_another_length_is_no_number(body: bytes) -> None:
    with pytest.raises(NoLive):
        frames.number(body)


def test_to_go_on_is_to_go_on_with_what_was_delivered() -> None:
    (tag, length, _, _), (tag_again, orders, _, _) = Messages().feed(frames.GO_ON)

    assert (tag, tag_again) == (frames.ORDERS, frames.ORDERS)
    assert length is not None
    assert orders is not None
    assert frames.number(length) == len(orders)
    # As ParaView 5.11 sends it: not paused, and no other list.
    assert orders == b"\1" + b"\0\0\0\0\0" + b"\0\0\0\0\0"
    assert not frames.changes_orders(orders)


@given(st.booleans(), st.binary(max_size=60))
def test_orders_change_something_where_they_have_another_list(paused: bool, rest: bytes) -> None:
    said = struct.pack("<bbi", 1, frames.INT32, paused)

    assert frames.changes_orders(said + struct.pack("<bi", frames.INT32, 1) + rest)
    assert not frames.changes_orders(said + struct.pack("<bi", frames.INT32, 0) + rest)


@given(st.binary(max_size=30))
def test_garbage_is_orders_or_none(body: bytes) -> None:
    assert frames.changes_orders(body) in (True, False)
    assert not frames.changes_orders(body[:10])


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False))
def test_an_update_has_a_time_and_a_step(step: int, when: float) -> None:
    ((tag, body, _, ends),) = Messages().feed(frames.update(step, when))

    assert body is not None
    assert (tag, frames.remote_call(body), ends) == (frames.RMI, frames.UPDATE, True)
    assert struct.unpack_from("<iii", body, 4) == (len(body) - 16, 0, 0)
    assert struct.unpack("<bbdbq", body[16:]) == (1, frames.DOUBLE, when, frames.ID, step)


# -- places ----------------------------------------------------------------------------------------


def test_paraviews_own_list_is_understood() -> None:
    assert frames.places(REAL) == [None, ("vm", 41015)]


def test_a_list_is_written_as_paraview_writes_it() -> None:
    assert frames.listed([None, ("vm", 41015)]) == REAL


@given(PLACES)
def test_what_is_listed_is_read_again(where: list[tuple[str, int] | None]) -> None:
    assert frames.places(frames.listed(where)) == where


def accepted(body: bytes) -> bool:
    """Whether it is a list: whatever is read of it then is a host and a number."""
    try:
        found = frames.places(Impatient(body))
    except NoLive:
        return False
    for place in found:
        assert place is None or (place[0].isascii() and isinstance(place[1], int))
    return True


@settings(max_examples=1000)
@given(st.one_of(
    st.binary(max_size=100),
    st.binary(max_size=60).map(lambda rest: b"\1\t" + rest),
    st.binary(max_size=20).map(lambda rest: b"\1\t" + struct.pack("<i", len(rest)) + rest),
    st.binary(max_size=20).map(lambda rest: REAL + rest),
))  # fmt: skip
def test_garbage_is_no_list_and_nothing_else(body: bytes) -> None:
    accepted(body)


@settings(max_examples=1000)
@given(st.integers(0, len(REAL) - 1), st.integers(0, 8), st.binary(max_size=8))
def test_a_list_of_which_a_part_is_garbled_is_none_or_another_one(at: int, gone: int, instead: bytes) -> None:
    accepted(REAL[:at] + instead + REAL[at + gone :])


@pytest.mark.parametrize("cut", range(8, len(REAL)))
def test_a_list_that_ends_too_early_is_none(cut: int) -> None:
    # But for the first process, which has no place: that is a list of its own.
    assert not accepted(REAL[:cut])


@pytest.mark.parametrize(
    ("at", "byte"),
    [(1, 0), (7, 0), (13, 6), (14, 0xA3), (18, 0), (25, 0x80), (25, 0xFF)],
    ids=["a number", "no stream", "a text first", "another kind", "no text", "a host that is none", "nor this"],
)
def test_what_is_another_thing_is_no_place(at: int, byte: int) -> None:
    body = bytearray(REAL)
    body[at] = byte

    # Where the host is, any letter will do.
    assert not accepted(bytes(body)) or REAL[at : at + 1] in b"vm"


@pytest.mark.parametrize("length", [-5, -4 - len(REAL)])
def test_a_list_that_leads_back_is_none(length: int) -> None:
    body = REAL + b"\t" + struct.pack("<i", length)

    assert not accepted(body)
