"""What encoders take and what they give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Height, width, RGBA; bottom row first, as OpenGL hands it out; alpha means nothing. May be read-only.
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Encoded:
    """One frame, top row first."""

    data: bytes
    width: int
    height: int
    # Whether it can be decoded by itself, and what a video's decoder is told (RFC 6381).
    key: bool = True
    config: str = ""


def upright(pixels: Pixels) -> Pixels:
    """Top row first: no encoder here takes rows in the other order. 0.2 ms at 720p, 0.5 ms at 1080p."""
    return np.ascontiguousarray(pixels[::-1])
