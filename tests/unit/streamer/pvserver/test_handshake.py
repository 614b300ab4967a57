"""The greeting in both roles: split anywhere, with garbage, and with each thing that can be wrong."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.streamer.pvserver.handshake import (
    Answerer,
    Caller,
    Code,
    Introduction,
    NotParaViewError,
    OtherDigestError,
    introduced,
)

pytestmark = pytest.mark.servers

US = Introduction("5.11", 1234)
# What a client of ParaView 5.11 was heard to say, and what a pvserver 5.11 answered.
SAID = (
    b"<<<<\1\0\0\0\0"
    b">>>>\4\0\0\0d\0\0\0"
    b"????\x21\0\0\x005e7a24e1e7033d8c49830a3775623523\0"
    b"====\4\0\0\0\1\0\0\0"
    + struct.pack("<iii", 99991, 4, 55)
    + struct.pack("<ii", 99991, 55)
    + b"paraview-5.11.connect_id.1234.renderingbackend.opengl2\0"
)
HEARD = SAID[: SAID.index(struct.pack("<i", 99991))] + struct.pack("<iii", 99990, 4, 0)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(edges)]


def test_an_introduction_is_what_paraview_writes() -> None:
    assert Introduction("5.11").text() == b"paraview-5.11.renderingbackend.opengl2"
    assert US.text() == b"paraview-5.11.connect_id.1234.renderingbackend.opengl2"
    assert introduced(US.text() + b"\0") == US
    assert introduced(b"paraview-5.11.renderingbackend.opengl2\0") == Introduction("5.11")
    assert introduced(b"paraview.4.0.renderingbackend.opengl") is None


@pytest.mark.parametrize("cut", range(len(HEARD) + 1))
def test_a_caller_says_it_all_wherever_the_answers_are_split(cut: int) -> None:
    caller = Caller(US)

    said = caller.begin() + caller.feed(HEARD[:cut]) + caller.feed(HEARD[cut:])

    assert said == SAID
    assert (caller.done, caller.code, caller.ids, caller.rest) == (True, Code.GOOD, 1, b"")


@pytest.mark.parametrize("cut", range(len(SAID) + 1))
def test_an_answerer_answers_it_all_wherever_it_is_split(cut: int) -> None:
    answerer = Answerer(US.judged)

    answered = answerer.begin() + answerer.feed(SAID[:cut]) + answerer.feed(SAID[cut:])

    assert answered == HEARD
    assert (answerer.done, answerer.introduction, answerer.rest) == (True, US, b"")
    assert answerer.digest == b"5e7a24e1e7033d8c49830a3775623523"


@given(st.lists(st.integers(0, 500), max_size=20), st.binary(max_size=50))
def test_what_comes_after_the_greeting_is_kept(cuts: list[int], after: bytes) -> None:
    caller, answerer = Caller(US), Answerer(US.judged)

    for piece in pieces(HEARD + after, cuts):
        caller.feed(piece)
    for piece in pieces(SAID + after, cuts):
        answerer.feed(piece)

    assert caller.rest == answerer.rest == after


@given(st.binary(min_size=1, max_size=300), st.lists(st.integers(0, 300), max_size=5), st.integers(0, 4))
def test_garbage_is_waited_for_or_seen_and_never_welcome(garbage: bytes, cuts: list[int], steps: int) -> None:
    begun = [0, 9, 21, 62, 74][steps]
    for side, said in ((Caller(US), HEARD), (Answerer(US.judged), SAID)):
        if said[begun:].startswith(garbage):
            continue
        side.feed(said[:begun])
        try:
            for piece in pieces(garbage, cuts):
                side.feed(piece)
        except (NotParaViewError, OtherDigestError):
            continue
        # A prefix of the right thing, a text of our making, or a code.
        assert not side.done or side.code is not Code.GOOD or steps == 4


def test_a_web_server_is_known_by_its_first_byte() -> None:
    with pytest.raises(NotParaViewError) as error:
        Caller(US).feed(b"H")

    assert error.value.said == b"H"


@pytest.mark.parametrize(
    ("step", "wrong"), [(0, b"<<<<\1\0\0\0\1"), (9, b">>>>\4\0\0\0e\0\0\0")], ids=["big-endian", "of another age"]
)
def test_a_paraview_that_nobody_has_any_more_is_refused(step: int, wrong: bytes) -> None:
    caller = Caller(US)
    caller.feed(HEARD[:step])

    with pytest.raises(NotParaViewError):
        caller.feed(wrong)


def test_another_digest_is_handed_on_for_the_next_try() -> None:
    theirs = b"0123456789abcdef" * 2
    answers = HEARD.replace(b"5e7a24e1e7033d8c49830a3775623523", theirs)

    with pytest.raises(OtherDigestError) as error:
        Caller(US).feed(answers)

    assert error.value.digest == theirs
    again = Caller(US, theirs)
    again.feed(answers)
    assert again.code is Code.GOOD


def test_an_answerer_has_whatever_digest_the_other_has() -> None:
    theirs = b"0123456789abcdef" * 2
    answerer = Answerer(US.judged)

    answered = answerer.feed(SAID.replace(b"5e7a24e1e7033d8c49830a3775623523", theirs))

    assert theirs in answered
    assert answerer.code is Code.GOOD


@pytest.mark.parametrize(
    ("other", "code"),
    [
        (Introduction("5.11", 1234), Code.GOOD),
        (Introduction("5.12", 1), Code.VERSION),
        (Introduction("5.11", 0), Code.ID),
        (Introduction("5.11", 1234, "vulkan"), Code.BACKEND),
        (None, Code.UNKNOWN),
    ],
)
def test_version_is_looked_at_before_the_id_and_the_id_before_the_rest(other: Introduction | None, code: Code) -> None:
    assert US.judged(other) is code


@pytest.mark.parametrize("size", [0, -1, 1 << 20])
def test_nobody_introduces_himself_at_such_length(size: int) -> None:
    answerer = Answerer(US.judged)
    answerer.feed(SAID[: SAID.index(struct.pack("<i", 99991))])

    with pytest.raises(NotParaViewError):
        answerer.feed(struct.pack("<iii", 99991, 4, size))


@pytest.mark.parametrize("number", [-7, 6, 1 << 30])
def test_a_code_that_nobody_knows_is_a_no(number: int) -> None:
    caller = Caller(US)

    caller.feed(HEARD[:-4] + struct.pack("<i", number))

    assert caller.code is Code.UNKNOWN
