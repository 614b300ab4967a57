"""JPEG by libjpeg-turbo: the picture on the way."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import simplejpeg


class Jpeg:
    """4:2:0 without alpha, straight from RGBX.

    simplejpeg offers no bottom-up flag and refuses a negative stride. Turning the rows over is a plain row copy:
    0.2 ms at 720p and 0.5 ms at 1080p, beside 1.7 and 3.4 ms for the encoding itself.
    """

    def __init__(self, quality: int = 80) -> None:
        self.quality = quality

    def encode(self, pixels: npt.NDArray[np.uint8]) -> bytes:
        upright = np.ascontiguousarray(pixels[::-1])
        data: bytes = simplejpeg.encode_jpeg(upright, self.quality, "RGBX", "420", fastdct=True)
        return data
