"""The family of encoders: one small file per kind, one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pvlink.protocol import Codec
from pvlink.streamer.encoders.jpeg import Jpeg
from pvlink.streamer.encoders.pixels import Encoded, Pixels
from pvlink.streamer.encoders.png import Png
from pvlink.streamer.encoders.video import H264, Av1, Vp9
from pvlink.streamer.forms import Form


class Encoder(Protocol):
    """Encodes the frames of one form, one after the other. They may change their size."""

    def encode(self, pixels: Pixels, *, key: bool) -> Encoded:
        """`key`: this one must need no other."""

    def close(self) -> None: ...


# A video's encoder holds what its next frame is the difference to: each viewer's form has one of its own.
ENCODERS: dict[Codec, Callable[[Form], Encoder]] = {"jpeg": Jpeg, "png": Png, "h264": H264, "vp9": Vp9, "av1": Av1}
