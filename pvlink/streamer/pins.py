"""What somebody has chosen for a view's moving frames; none: decided from what is measured."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from pvlink.protocol import Codec
from pvlink.streamer.forms import LADDERS, STILL, Form

# What 1 and 100 mean as a video's quantiser.
_QUANTISERS: dict[Codec, tuple[int, int]] = {"h264": (48, 14), "vp9": (63, 16), "av1": (62, 16)}


class Pins(Struct, forbid_unknown_fields=True, frozen=True):
    codec: Codec | None = None
    # 1 to 100, whatever the codec.
    quality: Annotated[int, Meta(ge=1, le=100)] | None = None
    # Frames a second that the size of moving frames gives way to.
    rate: Annotated[float, Meta(ge=1.0, le=60.0)] | None = None
    # Part of each side that moving frames are drawn at.
    scale: Annotated[float, Meta(ge=0.25, le=1.0)] | None = None

    def form(self, codec: Codec) -> Form | None:
        """The one form that this codec may have; none if any of its ladder."""
        if codec == STILL.codec or self.quality is None:
            return None
        if codec not in _QUANTISERS:
            return Form(codec, self.quality)
        worst, best = _QUANTISERS[codec]
        return Form(codec, round(worst + (best - worst) * (self.quality - 1) / 99))

    def ladder(self, codec: Codec) -> tuple[Form, ...]:
        form = self.form(codec)
        return (STILL,) if codec == STILL.codec else tuple(LADDERS[codec]) if form is None else (form,)


# Nothing was chosen.
AUTO: Final = Pins()
