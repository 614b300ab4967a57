"""JPEG by libjpeg-turbo: the picture on the way where the line is ample."""

from __future__ import annotations

import simplejpeg

from pvlink.streamer.encoders.pixels import Encoded, Pixels, upright
from pvlink.streamer.encoders.scaling import shrunk
from pvlink.streamer.forms import Form


class Jpeg:
    """4:2:0 without alpha, straight from RGBX: 1.7 ms at 720p, 3.4 ms at 1080p."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def encode(self, pixels: Pixels, *, key: bool) -> Encoded:
        rows = upright(shrunk(pixels, self._form.shrink))
        data: bytes = simplejpeg.encode_jpeg(rows, self._form.quality, "RGBX", "420", fastdct=True)
        return Encoded(data, rows.shape[1], rows.shape[0])

    def close(self) -> None:
        """Keeps nothing."""
