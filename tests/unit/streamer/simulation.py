"""A session in a clock of its own: engine, encoders and a line to each viewer, with the real pacer between them."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from pvlink.streamer.acts import Act, Encode, Free, Send, Want
from pvlink.streamer.clients import Client
from pvlink.streamer.encoders.pixels import Encoded
from pvlink.streamer.forms import STILL, Form, nominal
from pvlink.streamer.pacer import Pacer

ALL = frozenset({"jpeg", "png", "h264"})
MEGABIT = 125_000.0
# What system and relay take in before they say that the line is full.
BUFFER = 128 << 10
# What encoders take.
SECONDS_A_PIXEL = {"jpeg": 2.5e-9, "png": 4e-9, "h264": 5e-9}
# A frame that needs no other is so much larger.
KEY = 1.4


@dataclass
class Wire:
    """To one viewer: first in, first out, as fast as `rate` says at the moment."""

    # Bytes a second at a time.
    rate: Callable[[float], float]
    # Seconds there and back of an empty message.
    round_trip: float
    # What the viewer needs to decode and paint.
    shown: float = 0.018
    free_at: float = 0.0

    def carry(self, size: int, now: float) -> tuple[float, float]:
        """When the last byte has left, and when the viewer has it."""
        at, left = max(now, self.free_at), float(size)
        while left > 0:
            # In steps: the rate may change meanwhile.
            part = min(left, self.rate(at) * 0.005)
            at += part / self.rate(at)
            left -= part
        self.free_at = at
        return at, at + self.round_trip / 2


@dataclass(frozen=True)
class Seen:
    """One frame on one viewer's screen."""

    at: float
    # Since the engine began to render it.
    age: float
    form: Form
    size: int


@dataclass
class Simulation:
    """`render`: seconds a frame takes; `heavy`: how its frames compare with the table of forms."""

    render: float = 0.025
    pixels: int = 1280 * 720
    heavy: float = 1.0
    # Of moving frames; the last one before `until` is full.
    until: float = float("inf")
    now: float = 0.0
    pacer: Pacer[float] = field(default_factory=Pacer)
    wires: dict[str, Wire] = field(default_factory=dict)
    seen: dict[str, list[Seen]] = field(default_factory=dict)
    # When, in which form, and whether it needs no other.
    encoded: list[tuple[float, Form, bool]] = field(default_factory=list)
    # The same by the number of the frame.
    orders: list[tuple[int, Form, bool]] = field(default_factory=list)
    _rests: bool = False
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    def join(self, name: str, wire: Wire, codecs: frozenset[str] = ALL) -> Client:
        client = Client(name, codecs, 100, 100)
        client.rate.line.round_trip = wire.round_trip
        self.wires[name] = wire
        self.seen[name] = []
        self.pacer.clients.add(client)
        self._decide()
        return client

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self.now, _, happen = heapq.heappop(self._events)
            happen()
            self._decide()
        self.now = end

    def ages(self, name: str, since: float = 0.0, until: float = float("inf")) -> list[float]:
        return sorted(seen.age for seen in self.seen[name] if since <= seen.at < until and seen.form != STILL)

    def rate(self, name: str, since: float, until: float) -> float:
        return len(self.ages(name, since, until)) / (until - since)

    def _after(self, seconds: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), happen))

    def _decide(self) -> None:
        for act in self.pacer.decide(self.now):
            self._do(act)
        wake = self.pacer.wake_at(self.now)
        if wake is not None:
            self._after(wake - self.now, lambda: None)

    def _do(self, act: Act[float]) -> None:
        match act:
            case Want():
                began = self.now
                full = began + self.render >= self.until

                def rendered() -> None:
                    # Then it rests.
                    if not self._rests:
                        self._rests = full
                        self.pacer.frame(began, full, self.now, pixels=self.pixels, interval=self.render)

                self._after(self.render, rendered)
            case Encode():
                self._encode(act)
            case Send(client, picture):
                self._send(client, picture.order, picture.content, picture.form, len(picture.encoded.data))
            case Free():
                pass

    def _encode(self, act: Encode[float]) -> None:
        size = int(nominal(act.form) * self.pixels * self.heavy * (KEY if act.key and act.form.video else 1.0))
        self.encoded.append((self.now, act.form, act.key))
        self.orders.append((act.held.order, act.form, act.key))
        done = Encoded(bytes(size), 100, 100, act.key)
        took = SECONDS_A_PIXEL[act.form.codec] * self.pixels
        self._after(took, lambda: self.pacer.encoded(act.held, act.form, done, took * 1e3))

    def _send(self, name: str, order: int, began: float, form: Form, size: int) -> None:
        wire = self.wires[name]
        left, there = wire.carry(size, self.now)
        # The writer is done when all but what buffers hold is on the line.
        self._after(max(0.0, left - self.now - BUFFER / wire.rate(self.now)), lambda: self.pacer.written(name))
        shown = there + wire.shown
        self.seen[name].append(Seen(shown, shown - began, form, size))
        back = shown + wire.round_trip / 2 - self.now

        def confirmed() -> None:
            self.pacer.drawn(name, order, self.now, wire.shown)

        self._after(back, confirmed)
