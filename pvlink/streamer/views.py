"""One view at work: does what its pacer decides, and keeps its figures."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import count

from pvlink.protocol import Drawn, Frame, Join, Role, Size, Undecodable, ViewState
from pvlink.streamer.acts import Act, Encode, Free, Held, Picture, Send, Unwatch, Want, Watch
from pvlink.streamer.clients import Client
from pvlink.streamer.encoders import ENCODERS, Encoder
from pvlink.streamer.encoders.pixels import Encoded
from pvlink.streamer.engine_port import EnginePort
from pvlink.streamer.forms import STILL, Form
from pvlink.streamer.frames import Shot
from pvlink.streamer.pacer import Pacer
from pvlink.streamer.pins import AUTO, Pins
from pvlink.streamer.stats import Stats

# How long a snapshot waits for a newer frame of a view that nobody watched, before it takes the last one.
STALE_SECONDS = 1.0
# Encoders of videos that are kept for viewers who come back to a form: each holds some pictures.
MOST_ENCODERS = 4
log = logging.getLogger(__name__)


class NoPictureError(Exception):
    """There is no full frame, and none came in time."""


@dataclass(slots=True)
class Rim:
    """What a view acts with."""

    executor: Executor
    send: Callable[[str, Frame], None]
    # The engine of the moment; none before it started and after it ended.
    port: EnginePort | None = None

    def tell(self, message: dict[str, object]) -> None:
        """The engine, if there is one."""
        if self.port is not None:
            self.port.tell(message)


class View:
    """One view, its viewers and its frames."""

    def __init__(self, name: str, rim: Rim) -> None:
        self.name = name
        self.stats = Stats()
        # Why there is no such view; none while the engine has it.
        self.gone: ViewState | None = None
        self._rim = rim
        self._loop = asyncio.get_running_loop()
        self._pacer: Pacer[Shot] = Pacer()
        self._timer: asyncio.TimerHandle | None = None
        self._snapshots: dict[str, asyncio.Future[Picture[Shot]]] = {}
        self._numbers = count(1)
        self._pins = AUTO
        # The one that was used last is last.
        self._encoders: dict[Form, Encoder] = {}

    def __len__(self) -> int:
        """How many viewers it has."""
        return len(self._pacer.clients)

    def join(self, name: str, join: Join, role: Role, round_trip: float = 0.0) -> None:
        codecs = frozenset(join.codecs) & ENCODERS.keys()
        client = Client(name, codecs, join.width, join.height, join.visible, role)
        client.rate.line.round_trip = round_trip
        client.rate.pin(self._pins)
        self._pacer.clients.add(client)
        self.act()

    def leave(self, name: str) -> None:
        self._pacer.clients.remove(name)
        self.act()
        if not len(self._pacer.clients):
            for form in list(self._encoders):
                self._close_encoder(form)

    def pin(self, pins: Pins) -> None:
        """For all who watch, and will."""
        self._pins = pins
        self._pacer.pinned(pins)
        self.act()

    def resize(self, name: str, size: Size) -> None:
        if client := self._pacer.clients.get(name):
            client.width, client.height = size.width, size.height
            self.pressed(name)

    def pressed(self, name: str) -> None:
        self._pacer.clients.touch(name)
        self.act()

    def visible(self, name: str, visible: bool) -> None:
        self._pacer.visible(name, visible)
        self.act()

    def drawn(self, name: str, drawn: Drawn) -> None:
        if self._pacer.drawn(name, drawn.frame, self._loop.time(), (drawn.decode_ms + drawn.paint_ms) / 1e3):
            self.stats.measured("decode", drawn.decode_ms)
            self.stats.measured("paint", drawn.paint_ms)
            if drawn.input_ms:
                self.stats.measured("input", drawn.input_ms)
            self.act()

    def undecodable(self, name: str, frame: Undecodable) -> None:
        if self._pacer.undecodable(name, frame.frame, frame.codec, self._loop.time()):
            log.warning("viewer %s cannot decode %s; it gets something else", name, frame.codec)
            self.act()

    def refresh(self, name: str) -> None:
        self._pacer.lost_place(name)
        self.act()

    def written(self, name: str, milliseconds: float) -> None:
        self.stats.measured("send", milliseconds)
        self._pacer.written(name)
        self.act()

    def shot(self, shot: Shot) -> None:
        """A frame of the engine."""
        self.stats.measured("render", shot.facts.render_ms)
        self.stats.measured("readback", shot.facts.readback_ms)
        interval = (shot.facts.render_ms + shot.facts.readback_ms) / 1e3
        pixels = shot.width * shot.height
        self._pacer.frame(shot, shot.facts.full, self._loop.time(), pixels=pixels, interval=interval)
        self.act()

    def begin(self) -> None:
        """An engine has this view."""
        self.gone = None
        self._pacer.engine_changed()
        self.act()

    def engine_ended(self) -> None:
        self._pacer.settle()
        self.act()

    def close(self, gone: ViewState) -> None:
        """The view was deleted: its memory is given back, those who wait are told."""
        self.gone = gone
        self._pacer.close()
        for waiting in self._snapshots.values():
            if not waiting.done():
                waiting.set_exception(NoPictureError(gone.message))
        self.act()

    async def snapshot(self, patience: float, busy: Callable[[], bool], since: float) -> tuple[int, int, bytes]:
        """Width, height and PNG of the newest full frame; waits for one like a viewer.

        With `since` (Unix time) the engine was told then that it has something new to draw: a frame from before is the
        answer only when patience is at its end.
        """
        name = f"snapshot-{next(self._numbers)}"
        newest = self._pacer.newest
        if newest is not None and newest.content.facts.time < since:
            self._pacer.expect_newer()
        waiting = self._snapshots[name] = self._loop.create_future()
        self._pacer.clients.add(Client(name, frozenset({"png"}), only_full=True))
        self.act()
        deadline = self._loop.time() + patience
        try:
            while not waiting.done() and (left := deadline - self._loop.time()) > 0:
                await asyncio.wait([waiting], timeout=min(left, STALE_SECONDS))
                # An engine that is idle and says nothing has nothing newer.
                over = self._loop.time() >= deadline
                if not waiting.done() and (over or (not since and not busy())):
                    self._pacer.settle()
                    self.act()
                    if over:
                        await asyncio.wait([waiting], timeout=STALE_SECONDS)
            if not waiting.done():
                raise NoPictureError(f"No full picture of view {self.name} came within {patience:g} s.")
            picture = waiting.result()
            return picture.content.width, picture.content.height, picture.encoded.data
        finally:
            del self._snapshots[name]
            waiting.cancel()
            self.leave(name)

    def report(self) -> dict[str, object]:
        viewers = [client.rate.report() for client in self._pacer.clients.visible() if not client.only_full]
        return {**self.stats.report(self._loop.time(), len(self)), "viewers": viewers}

    # What the pacer decided.

    def act(self) -> None:
        for act in self._pacer.decide(self._loop.time()):
            self._do(act)
        if self._timer is not None:
            self._timer.cancel()
        wake = self._pacer.wake_at(self._loop.time())
        self._timer = None if wake is None else self._loop.call_at(wake, self.act)

    def _do(self, act: Act[Shot]) -> None:
        port = self._rim.port
        match act:
            case Free(held):
                held.content.free()
            case Encode(held, form, key):
                self._encode(held, form, key)
            case Send(client, picture):
                self._send(client, picture)
            case Watch(width, height) if port is not None:
                port.watch(self.name, width, height, self._pins)
            case Unwatch() if port is not None:
                port.unwatch(self.name)
            case Want() if port is not None:
                port.want(self.name)

    def _encode(self, held: Held[Shot], form: Form, key: bool) -> None:
        encoder = self._encoder(form)
        job = self._loop.run_in_executor(self._rim.executor, _encode, encoder, held.content, key)

        def done(job: asyncio.Future[tuple[Encoded, float]]) -> None:
            if job.cancelled():
                return
            if error := job.exception():
                log.error("encoding a frame of view %s as %s failed", self.name, form.codec, exc_info=error)
                self._pacer.encoded(held, form, None, 0.0)
            else:
                encoded, encode_ms = job.result()
                self.stats.measured("encode", encode_ms)
                self._pacer.encoded(held, form, encoded, encode_ms)
            self.act()

        job.add_done_callback(done)

    def _encoder(self, form: Form) -> Encoder:
        if not form.video:
            return ENCODERS[form.codec](form)
        encoder = self._encoders.pop(form, None)
        if encoder is None:
            encoder = ENCODERS[form.codec](form)
            if len(self._encoders) >= MOST_ENCODERS:
                self._close_encoder(next(iter(self._encoders)))
        self._encoders[form] = encoder
        return encoder

    def _close_encoder(self, form: Form) -> None:
        """In its own time: it may be at work, and one that is asked for again begins a new video."""
        encoder = self._encoders.pop(form)
        # A session that ends has no threads left, and lets go of all its memory anyway.
        with contextlib.suppress(RuntimeError):
            self._rim.executor.submit(encoder.close)

    def _send(self, client: str, picture: Picture[Shot]) -> None:
        if waiting := self._snapshots.get(client):
            if not waiting.done():
                waiting.set_result(picture)
            return
        facts = picture.content.facts
        now = self._loop.time()
        wait_ms = max(0.0, (now - picture.arrived) * 1e3 - picture.encode_ms)
        if picture.form != STILL:
            # It waits on purpose.
            self.stats.measured("wait", wait_ms)
        self.stats.sent(picture.order, len(picture.encoded.data), now)
        frame = Frame(
            id=picture.order,
            codec=picture.form.codec,
            width=picture.encoded.width,
            height=picture.encoded.height,
            still=picture.full and picture.form == STILL,
            time=facts.time,
            inputs=facts.inputs,
            camera=facts.camera,
            render_ms=facts.render_ms,
            readback_ms=facts.readback_ms,
            wait_ms=wait_ms,
            encode_ms=picture.encode_ms,
            key=picture.encoded.key,
            config=picture.encoded.config,
            data=picture.encoded.data,
        )
        self._rim.send(client, frame)


def _encode(encoder: Encoder, shot: Shot, key: bool) -> tuple[Encoded, float]:
    began = time.perf_counter()
    encoded = encoder.encode(shot.pixels, key=key)
    return encoded, (time.perf_counter() - began) * 1e3
