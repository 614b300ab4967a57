"""What somebody chooses for a view, checked where it is said."""

from __future__ import annotations

from typing import Any

import pytest

from pvlink.errors import OptionError
from pvlink.pinned import CODECS, OPTIONS, pins
from pvlink.streamer.encoders import ENCODERS
from pvlink.streamer.pins import Pins

pytestmark = pytest.mark.speed


def test_what_is_chosen_is_handed_on_and_auto_is_nothing() -> None:
    chosen = {"codec": "h264", "quality": 70, "rate": 20, "scale": 0.5}
    assert pins(chosen) == chosen
    assert pins(dict.fromkeys(OPTIONS, "auto")) == dict.fromkeys(OPTIONS, None)


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("codec", "gif", "h264"),
        ("quality", 0, "1 to 100"),
        ("quality", 101, "1 to 100"),
        ("quality", 50.5, "whole"),
        ("quality", True, "whole"),
        ("rate", 0.5, "1 to 60"),
        ("rate", "fast", "'auto'"),
        ("scale", 0.1, "0.25"),
        ("scale", 2, "0.25"),
    ],
)
def test_what_cannot_be_is_said_with_what_can(option: str, value: Any, word: str) -> None:
    with pytest.raises(OptionError, match=option) as raised:
        pins({option: value})
    assert word in str(raised.value)


def test_both_sides_know_the_same_codecs_and_options() -> None:
    assert set(CODECS) == set(ENCODERS)
    assert set(OPTIONS) == set(Pins.__struct_fields__)
