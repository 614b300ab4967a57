"""Smaller pictures for lines that cannot take whole ones."""

from __future__ import annotations

import numpy as np

from pvlink.streamer.encoders.pixels import Pixels


def shrunk(pixels: Pixels, by: int) -> Pixels:
    """Each side divided, at least one pixel long; by the mean, for single pixels would flicker."""
    if by == 1:
        return pixels
    # Only where it is needed: it takes 0.1 s.
    from av import VideoFrame

    height, width = (max(1, side // by) for side in pixels.shape[:2])
    frame = VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), "rgba")
    small: Pixels = np.asarray(frame.reformat(width, height, "rgba", interpolation="AREA").to_ndarray(), np.uint8)
    return small
