"""In which forms a frame can be sent, and what each weighs: viewers of one form share its encoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pvlink.protocol import Codec

# How much one frame says about the next.
SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Form:
    """Frames of one form are the same bytes for everybody."""

    codec: Codec
    # As the encoder counts it: JPEG's 1 to 100, or a video's quantiser, where less is better. 0: without loss.
    quality: int = 0
    # What the sides are divided by.
    shrink: int = 1

    @property
    def video(self) -> bool:
        return self.codec in VIDEOS


STILL: Final = Form("png")
# From the best to the smallest, and the bytes a pixel of the view costs in each: medians of moving surfaces. What a
# scene really takes is learnt from its first frames; this says how much less the next step takes.
LADDERS: Final[dict[Codec, dict[Form, float]]] = {
    "jpeg": {
        Form("jpeg", 80): 0.095,
        Form("jpeg", 60): 0.065,
        Form("jpeg", 40): 0.048,
        Form("jpeg", 25): 0.036,
        Form("jpeg", 45, 2): 0.018,
        Form("jpeg", 25, 2): 0.012,
    },
    "h264": {
        Form("h264", 20): 0.052,
        Form("h264", 23): 0.036,
        Form("h264", 26): 0.025,
        Form("h264", 29): 0.0175,
        Form("h264", 32): 0.0125,
        Form("h264", 35): 0.0088,
        Form("h264", 32, 2): 0.0045,
        Form("h264", 36, 2): 0.0028,
        Form("h264", 40, 2): 0.0018,
    },
    "vp9": {
        Form("vp9", 28): 0.030,
        Form("vp9", 36): 0.021,
        Form("vp9", 44): 0.0145,
        Form("vp9", 52): 0.0095,
        Form("vp9", 44, 2): 0.0048,
        Form("vp9", 54, 2): 0.0028,
    },
    "av1": {
        Form("av1", 30): 0.035,
        Form("av1", 38): 0.024,
        Form("av1", 46): 0.016,
        Form("av1", 54): 0.010,
        Form("av1", 46, 2): 0.0052,
        Form("av1", 56, 2): 0.0030,
    },
}
# The quickest to encode first; a browser without the first may have the next.
VIDEOS: Final[tuple[Codec, ...]] = ("h264", "av1", "vp9")
BEST: Final = next(iter(LADDERS["jpeg"]))
# Seconds a pixel costs to encode, until it is known on this machine: medians of a processor that has other work, too.
_COSTS: Final[dict[Codec, float]] = {"jpeg": 3e-9, "png": 7e-9, "h264": 7e-9, "av1": 10e-9, "vp9": 20e-9}
# Of surfaces before a background of one colour.
_STILL_WEIGHT = 0.15


class Weights:
    """What the frames of one view weigh, learnt from those that were encoded."""

    def __init__(self) -> None:
        # Bytes a pixel.
        self._learnt: dict[Form, float] = {}
        # How a codec's frames of this view compare with the table, in whatever form the last one was.
        self._ratios: dict[Codec, float] = {}
        # Seconds a pixel.
        self._costs = dict(_COSTS)

    def took(self, form: Form, seconds: float, pixels: int) -> None:
        """To encode one."""
        known = self._costs[form.codec]
        # The first one of a video opens its encoder: that is not what frames cost.
        cost = min(4 * known, seconds / max(1, pixels))
        self._costs[form.codec] += SHARE * (cost - known)

    def seconds(self, form: Form, pixels: int) -> float:
        """To encode the next one."""
        return self._costs[form.codec] * pixels

    def learn(self, form: Form, size: int, pixels: int) -> None:
        weight = size / max(1, pixels)
        former = self._learnt.get(form)
        self._learnt[form] = weight if former is None else former + SHARE * (weight - former)
        self._ratios[form.codec] = self._learnt[form] / nominal(form)

    def of(self, form: Form, pixels: int) -> float:
        """Bytes of the next frame, as far as they can be known.

        What was learnt of another form counts as long as the table holds between the two; what was learnt of this one
        may be of minutes ago, when the scene was another.
        """
        ratio = self._ratios.get(form.codec)
        if ratio is None:
            # Whatever is hard for one codec is hard for all.
            ratio = next(iter(self._ratios.values()), 1.0)
        return max(200.0, ratio * nominal(form) * pixels)


def nominal(form: Form) -> float:
    """Bytes a pixel, as the tables have them."""
    ladder = LADDERS.get(form.codec)
    if ladder is None:
        return _STILL_WEIGHT
    # One that somebody has chosen weighs what the nearest step does.
    return ladder.get(form) or ladder[min(ladder, key=lambda step: (step.shrink, abs(step.quality - form.quality)))]
