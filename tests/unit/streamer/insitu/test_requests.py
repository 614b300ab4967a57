"""What the streamer makes of a question that is none: its asker hears so, and nothing ends of it."""

from __future__ import annotations

import pytest

from pvlink.streamer.control_port import _parsed

pytestmark = pytest.mark.insitu

STARTS = b'{"id": 7, "op": "insitu-order", "order": '


@pytest.mark.parametrize(
    "order",
    [b"NaN", b'{"time": NaN}', b'{"time": -Infinity}', b'{"then": "\\ud800"}', b"5"],
)
def test_what_json_has_no_word_for_is_answered(order: bytes) -> None:
    request = _parsed(STARTS + order + b"}")
    assert (request.id, request.op) == (7, "invalid")
    assert request.wrong


@pytest.mark.parametrize(
    "said",
    [
        b"", b"{", b"null", b"[]", b"7", b'"x"', b"\xff", b'{"id": "\xff"}', b"[" * 50_000, b'{"id":' * 50_000,
        b'{"id": "seven", "op": NaN}', b'{"op": NaN}', b"9" * 5000,
    ],
)  # fmt: skip
def test_whoever_cannot_be_answered_by_number_disturbs_nobody(said: bytes) -> None:
    request = _parsed(said)
    assert (request.id, request.op) == (-1, "invalid")
    assert request.wrong


def test_what_makes_sense_is_as_it_was() -> None:
    request = _parsed(STARTS + b'{"do": "until", "time": 1.5}}')
    assert (request.id, request.op, request.wrong) == (7, "insitu-order", "")
    assert request.order == {"do": "until", "time": 1.5}
