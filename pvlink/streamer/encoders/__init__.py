"""The family of encoders: one small file per codec, one table."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from pvlink.protocol import Codec
from pvlink.streamer.encoders.jpeg import Jpeg
from pvlink.streamer.encoders.png import Png

# Height, width, RGBA; bottom row first, as OpenGL hands it out; alpha means nothing. May be read-only.
Pixels = npt.NDArray[np.uint8]


class Encoder(Protocol):
    """Turns pixels into one self-contained picture, top row first. Called from several threads at once."""

    def encode(self, pixels: Pixels) -> bytes: ...


ENCODERS: dict[Codec, Encoder] = {"jpeg": Jpeg(), "png": Png()}
