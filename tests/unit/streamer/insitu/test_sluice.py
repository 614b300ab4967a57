"""A delivery passes when all of it is there, from all ranks that bring a part; whatever else is said, at once."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvlink.insitu import frames
from pvlink.streamer.insitu.sluice import END, NAMES, Gate, Sluice

pytestmark = pytest.mark.insitu

# Longer than what is gathered of a message, and so cut into parts by itself.
LONG = bytes(range(256)) * 300
ECHOED = [(tag, b"\1\0\0\0") for tag in sorted(frames.ECHOED)]
GREETING = [
    *ECHOED,
    (frames.NAMED, b"paraview-5.13\0"),
    (frames.STATE_LENGTH, struct.pack("<i", len(LONG))),
    (frames.STATE, LONG),
    (frames.OWN_PROCESSES, b"\2\0\0\0"),
]
UPDATE = (frames.RMI, struct.pack("<iid", frames.UPDATE, 17, 0.5))
MAPPED = [(frames.MAPPED, struct.pack("<i", len(LONG))), (frames.MAP, LONG)]
POSTPROCESS = (frames.RMI, struct.pack("<iid", frames.POSTPROCESS, 17, 0.5))
Message = tuple[int, bytes]


def bytes_of(*messages: Message) -> bytes:
    return b"".join(frames.message(tag, body) for tag, body in messages)


def first(number: int, data: bytes = b"") -> list[Message]:
    """A delivery of the first rank's."""
    return [POSTPROCESS, (NAMES, bytes([number]) + data), (674523, b"\4\0\0\0"), (frames.LAST, bytes([number]))]


def other(number: int, data: bytes = b"") -> list[Message]:
    """Of another rank's, which begins with its data."""
    return [(NAMES, bytes([number]) + data), (NAMES, END)]


class Side:
    """A gate, with what came through it to ParaView."""

    def __init__(self, sluice: Sluice, *, leads: bool = True) -> None:
        self.through = bytearray()
        self.gate: Gate = sluice.gate(self.through.extend, first=leads)

    def feed(self, *messages: Message) -> None:
        self.gate.feed(bytes_of(*messages))


@pytest.fixture
def alone() -> Side:
    """A simulation of one rank, or one that brings all through its first."""
    return Side(Sluice())


@pytest.fixture
def pair() -> tuple[Side, Side]:
    """The gates of two ranks: the first, the other."""
    sluice = Sluice()
    return Side(sluice), Side(sluice, leads=False)


# -- what passes at once ---------------------------------------------------------------------------


def test_the_greeting_passes_at_once(pair: tuple[Side, Side]) -> None:
    one, two = pair
    for message in GREETING:
        one.feed(message)
    assert one.through == bytes_of(*GREETING)
    for message in ECHOED:
        two.feed(message)
    assert two.through == bytes_of(*ECHOED)


@pytest.mark.parametrize("question", [[UPDATE], [UPDATE, (frames.MAPPED, bytes(4))], MAPPED])
def test_a_question_passes_at_once(alone: Side, question: list[Message]) -> None:
    alone.feed(*question)
    assert alone.through == bytes_of(*question)


def test_a_question_stays_behind_the_delivery_that_came_before_it(pair: tuple[Side, Side]) -> None:
    one, two = pair
    one.feed(*first(1))
    one.feed(UPDATE)
    one.feed(*MAPPED)
    assert one.through == b""
    two.feed(*other(1))
    assert one.through == bytes_of(*first(1), UPDATE, *MAPPED)


# -- whole or not at all ---------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"some", LONG])
def test_a_delivery_passes_when_all_of_it_is_there(alone: Side, data: bytes) -> None:
    whole = bytes_of(*first(1, data))
    for at in range(len(whole) - 1):
        alone.gate.feed(whole[at : at + 1])
    assert alone.through == b""
    alone.gate.feed(whole[-1:])
    assert alone.through == whole


def test_one_delivery_after_the_other_passes(alone: Side) -> None:
    wanted = b""
    for number in range(5):
        alone.feed(UPDATE, *first(number, LONG))
        wanted += bytes_of(UPDATE, *first(number, LONG))
        assert alone.through == wanted


def test_several_that_come_at_once_pass_at_once(alone: Side) -> None:
    several = bytes_of(*first(1), *first(2), UPDATE, *first(3)[:2])
    alone.gate.feed(several)
    assert alone.through == bytes_of(*first(1), *first(2), UPDATE)


def test_data_that_look_like_the_end_are_data(alone: Side) -> None:
    begun = [POSTPROCESS, (NAMES, bytes_of((frames.LAST, b""))), (NAMES, END)]
    alone.feed(*begun)
    assert alone.through == b""
    alone.feed((frames.LAST, b""))
    assert alone.through == bytes_of(*begun, (frames.LAST, b""))


# -- of several ranks ------------------------------------------------------------------------------


@pytest.mark.parametrize("leads", [True, False])
def test_two_gates_wait_for_each_other(pair: tuple[Side, Side], leads: bool) -> None:
    one, two = pair
    early, late = (one, two) if leads else (two, one)
    parts = {one.gate: first(1, LONG), two.gate: other(1, LONG)}
    early.feed(*parts[early.gate])
    late.feed(*parts[late.gate][:-1])
    assert one.through == two.through == b""
    late.feed(parts[late.gate][-1])
    assert one.through == bytes_of(*first(1, LONG))
    assert two.through == bytes_of(*other(1, LONG))


def test_many_gates_wait_for_the_last_one() -> None:
    sluice = Sluice()
    sides = [Side(sluice, leads=not number) for number in range(8)]
    sides[0].feed(*first(1))
    for side in sides[1:-1]:
        side.feed(*other(1))
    assert all(side.through == b"" for side in sides)
    sides[-1].feed(*other(1))
    assert [bytes(side.through) for side in sides] == [bytes_of(*first(1)), *[bytes_of(*other(1))] * 7]


def test_who_is_ahead_does_not_pass_with_half_of_the_next_one(pair: tuple[Side, Side]) -> None:
    one, two = pair
    one.feed(*first(1), *first(2)[:2])
    two.feed(*other(1))
    assert one.through == bytes_of(*first(1))
    two.feed(*other(2))
    assert two.through == bytes_of(*other(1))
    one.feed(*first(2)[2:])
    assert one.through == bytes_of(*first(1), *first(2))
    assert two.through == bytes_of(*other(1), *other(2))


def test_who_is_several_ahead_is_caught_up_with(pair: tuple[Side, Side]) -> None:
    one, two = pair
    two.feed(*other(1), *other(2), *other(3)[:1])
    assert two.through == b""
    one.feed(*first(1), *first(2), *first(3))
    assert one.through == bytes_of(*first(1), *first(2))
    assert two.through == bytes_of(*other(1), *other(2))
    two.feed(*other(3)[1:])
    assert one.through == bytes_of(*first(1), *first(2), *first(3))
    assert two.through == bytes_of(*other(1), *other(2), *other(3))


@pytest.mark.parametrize("there", [0, 1])
def test_the_end_of_one_gate_releases_nothing(pair: tuple[Side, Side], there: int) -> None:
    one, two = pair
    one.feed(*first(1))
    # Its connection ends in the middle of a message, or before it has brought anything: nobody feeds it any more.
    two.gate.feed(bytes_of(*other(1, LONG))[: there * 1000])
    del two.gate
    one.feed(*first(2))
    assert one.through == b""
    assert two.through == b""


def test_another_links_gates_are_no_concern_of_these(alone: Side, pair: tuple[Side, Side]) -> None:
    pair[0].feed(*first(1))
    alone.feed(*first(7))
    assert alone.through == bytes_of(*first(7))
    assert pair[0].through == b""


# -- however it is cut -----------------------------------------------------------------------------


def test_what_is_no_catalyst_is_said_so(alone: Side) -> None:
    alone.feed(*first(1))
    with pytest.raises(frames.NoLive):
        alone.gate.feed(b"\xff" * 8)
    assert alone.through == bytes_of(*first(1))


def pieces(whole: bytes, chance: random.Random) -> Iterator[bytes]:
    at = 0
    while at < len(whole):
        size = chance.choice([1, 2, 7, 8, 9, 1000, 1 << 16, 1 << 18])
        yield whole[at : at + size]
        at += size


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 4), st.integers(1, 4), st.randoms(use_true_random=False))
def test_however_all_of_it_is_cut_only_whole_deliveries_pass(ranks: int, count: int, chance: random.Random) -> None:
    sluice = Sluice()
    sides = [Side(sluice, leads=not rank) for rank in range(ranks)]
    data = [chance.choice([b"", b"x", LONG]) for _ in range(count)]
    parts = [[bytes_of(*(other if rank else first)(n, data[n])) for n in range(count)] for rank in range(ranks)]
    coming = [list(pieces(b"".join(part), chance)) for part in parts]
    whole = [{b"".join(part[:n]): n for n in range(count + 1)} for part in parts]
    while left := [rank for rank in range(ranks) if coming[rank]]:
        rank = chance.choice(left)
        sides[rank].gate.feed(coming[rank].pop(0))
        # As many of each.
        assert len({whole[rank][bytes(side.through)] for rank, side in enumerate(sides)}) == 1
    assert [bytes(side.through) for side in sides] == [b"".join(part) for part in parts]
