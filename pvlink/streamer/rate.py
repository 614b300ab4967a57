"""How one viewer is sent its frames: in which form, and how many at a time.

The newest frame should arrive as early as the line allows, so nothing may wait on the way: what is under way at once
is what the line holds, and a frame is as big as the line takes in the time between two of them. On a fast line that is
a JPEG, which is encoded and decoded soonest; on one where a video is there sooner, a video. No clock in here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from pvlink.streamer.forms import BEST, LADDERS, STILL, VIDEOS, Form, Weights
from pvlink.streamer.line import Line
from pvlink.streamer.pins import AUTO, Pins

# Frames a second that the best forms give way to: a little above the 30 that are promised, for frames are not all
# equal. On a thin line fewer frames that show something are better than many blurred ones, so each further step down
# is worth fewer of them; halving the picture comes last.
TARGET, THIN, HALVED = 36.0, 14.0, 10.0
# Steps of a ladder that are worth the full target.
GOOD = 3
# No screen shows more.
MOST = 60.0
# How much of the line frames may fill: what is above leaves no room for one that is bigger than expected.
FILL = 0.65
# A form that has been right so far stays until it needs more than this.
FULL = 0.9
# JPEGs are left for a video of which there are so many more, or that is there so much sooner (as parts, and in
# seconds); back to them as soon as they are as good.
SOONER, MARGIN, ALIKE = 0.8, 0.004, 0.95
# A better form must have been possible for so long, in seconds: each change costs a frame that needs no other.
PATIENCE = 0.4
# A round trip that is not within one building, nor of a busy machine, in seconds.
FAR = 0.03
# One that is within one machine, or between two that stand side by side.
NEAR = 0.006
# Frames under way at once: one is decoded and painted while the next is coming. No line here needs more than twelve.
FEWEST, LARGEST = 2, 12
# A frame that waited so long (seconds) behind others was too early: one less under way, by and by; and back, slowly.
WAITED, LESS, MORE = 0.012, 0.4, 0.08
# A still without loss may take so long on its way without anybody noticing (seconds), and is put off so long at most.
SOON, LATEST = 0.25, 1.5

_Weigh: TypeAlias = Callable[[Form], float]


def _worths(ladder: list[Form]) -> dict[Form, float]:
    """How many frames a second each step gives way to."""
    whole = [form for form in ladder if form.shrink == 1]
    step = (TARGET - THIN) / max(1, len(whole) - GOOD)
    worths = {form: TARGET - step * max(0, below - GOOD + 1) for below, form in enumerate(whole)}
    return {form: worths.get(form, HALVED) for form in ladder}


_WORTH = {form: worth for ladder in LADDERS.values() for form, worth in _worths(list(ladder)).items()}
_WORTH[STILL] = TARGET


@dataclass(slots=True)
class Rate:
    """Decides for one viewer."""

    codecs: frozenset[str]
    pins: Pins = AUTO
    line: Line = field(default_factory=Line)
    form: Form = BEST
    window: int = FEWEST
    # Seconds after its arrival that a full frame is sent without loss; this on top of what is usual.
    putting_off: float = 0.0
    # From the arrival of a frame to its confirmation, decoded and painted.
    _shown: float = 0.02
    # How many fewer are under way than the line alone would hold: the browser, or this machine, is what is full.
    _fewer: float = 0.0
    # Since when a better form would fit.
    _better_since: float | None = None

    def __post_init__(self) -> None:
        self.form = self.fallback

    @property
    def fallback(self) -> Form:
        """What every browser decodes."""
        return self._pictures()[0]

    def pin(self, pins: Pins) -> None:
        self.pins = pins
        self.form = self._first()

    def drawn(self, order: int, now: float, shown: float) -> None:
        """`shown`: how long the viewer took to decode and paint it, in seconds."""
        self.line.arrived(order, now - shown)
        waited = self.line.queue > WAITED
        self._fewer = max(0.0, min(LARGEST - FEWEST, self._fewer + (LESS if waited else -MORE)))
        self._shown += 0.2 * (min(shown, 0.5) - self._shown)

    def choose(self, now: float, weights: Weights, pixels: int, interval: float) -> Form:
        """The form of the next frame. `interval`: what the engine needs for one, in seconds."""
        rate = self.line.rate
        weigh = partial(weights.of, pixels=pixels)
        # Faster than they are made nobody needs them.
        made = 1.0 / interval if interval > 0.0 else MOST
        if rate is None:
            self.form = self._first()
        else:
            cost = partial(weights.seconds, pixels=pixels)
            self._adapt(self._ladder(rate, weigh, cost, made), rate, weigh, made, now)
        length = 0.0 if rate is None else weigh(self.form) / rate
        self._open(length, interval, weights.seconds(self.form, pixels))
        # A still is a big one, and what moves after it stands behind it.
        still = 0.0 if rate is None else weigh(STILL) / rate
        self.putting_off = 0.0 if still <= SOON else min(LATEST, still)
        return self.form

    def report(self) -> dict[str, object]:
        """What this viewer is sent and why, for people."""
        rate = self.line.rate
        return {
            "codec": self.form.codec,
            "quality": self.form.quality,
            "shrink": self.form.shrink,
            "under_way": self.window,
            "line_mbit_per_s": None if rate is None else rate * 8e-6,
            "round_trip_ms": self.line.round_trip * 1e3,
            "queue_ms": self.line.queue * 1e3,
        }

    def _first(self) -> Form:
        """As long as nothing is known: a line that is far is seldom a fast one."""
        videos, pinned = self._videos(), self._pinned()
        if pinned or (videos and self.line.round_trip > FAR):
            ladder = pinned or videos
            return ladder[len(ladder) // 3]
        return self.fallback

    def _adapt(self, ladder: tuple[Form, ...], rate: float, weigh: _Weigh, made: float, now: float) -> None:
        """At once where the present form is too big, after a while where a better one would do."""
        fits = [form for form in ladder if weigh(form) * min(made, _WORTH.get(form, TARGET)) <= FILL * rate]
        wanted = fits[0] if fits else ladder[-1]
        holds = weigh(self.form) * min(made, _WORTH.get(self.form, TARGET)) <= FULL * rate
        # Between "fits" and "is full" it is left as it is.
        if wanted == self.form or (holds and self.form in ladder and ladder.index(wanted) > ladder.index(self.form)):
            self._better_since = None
        elif not holds or (self._better_since is not None and now - self._better_since >= PATIENCE):
            self.form, self._better_since = wanted, None
        elif self._better_since is None:
            self._better_since = now

    def _ladder(self, rate: float, weigh: _Weigh, cost: _Weigh, made: float) -> tuple[Form, ...]:
        """JPEGs or a video; `cost` is what encoding a frame takes."""
        pictures, videos = self._pictures(), self._videos()
        if pinned := self._pinned():
            return pinned
        if not videos or "jpeg" not in self.codecs:
            return videos or pictures

        def frames(form: Form) -> float:
            """That can be had in a second: of the engine, the encoder and the line."""
            return min(made, TARGET, 1.0 / cost(form), FILL * rate / weigh(form))

        def arrival(form: Form) -> float:
            return cost(form) + weigh(form) / rate

        picture, video = pictures[0], videos[min(GOOD, len(videos)) - 1]
        if self.form.codec != picture.codec:
            stay = frames(picture) < ALIKE * frames(video) or arrival(video) < arrival(picture)
            return videos if stay else pictures
        leave = frames(picture) < SOONER * frames(video) or (
            frames(picture) * ALIKE < frames(video) and arrival(video) < SOONER * arrival(picture) - MARGIN
        )
        return videos if leave else pictures

    def _open(self, length: float, interval: float, encoding: float) -> None:
        between = max(length, interval, encoding, 1.0 / MOST)
        under_way = (interval + encoding + self.line.round_trip + length + self._shown) / between
        # Over a distance a gap costs a frame. Nearby one frame too many is one that waits.
        whole = math.ceil(under_way) if self.line.round_trip > NEAR else int(under_way)
        self.window = max(FEWEST, min(LARGEST, whole - int(self._fewer)))

    def _pictures(self) -> tuple[Form, ...]:
        return self.pins.ladder("jpeg") if "jpeg" in self.codecs else (STILL,)

    def _videos(self) -> tuple[Form, ...]:
        return next((self.pins.ladder(codec) for codec in VIDEOS if codec in self.codecs), ())

    def _pinned(self) -> tuple[Form, ...]:
        """Of the codec that was chosen, if this viewer decodes it."""
        codec = self.pins.codec
        return self.pins.ladder(codec) if codec is not None and codec in self.codecs else ()
