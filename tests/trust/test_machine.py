"""A controller that says anything in any order: the streamer lives, and somebody else's pictures keep coming.

A hypothesis state machine against a real streamer, beside a second one that nobody disturbs: what the machine's load
costs, it costs both.
"""

from __future__ import annotations

import asyncio
import struct
import tempfile
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from pvlink.protocol import PROTOCOL_VERSION, Ping
from tests.chaos.crowd import Onlooker
from tests.chaos.figures import note
from tests.trust.messages import anything, foreign, nearly_valid, valid
from tests.unit.streamer.harness import Kernel, Viewer, until

pytestmark = [
    pytest.mark.trust,
    # The strategies hold the whole protocol; how long they would be in print is nobody's business.
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]

T = TypeVar("T")
CONTROLLERS = 3
# Fewer than a viewer may ask without reading the answers.
MOST = 12
# What a controller asks for rightly it gets: a picture a hundred times as big is another test's.
SMALL = st.integers(1, 500)
SIZES = st.fixed_dictionaries({"width": SMALL, "height": SMALL})
JOINS = st.fixed_dictionaries(
    {
        "protocol": st.just(PROTOCOL_VERSION),
        "view": st.sampled_from(["1", "1", "2", "no such view"]),
        "width": SMALL,
        "height": SMALL,
        "codecs": st.sampled_from([["jpeg", "png"], ["png"], ["jpeg"], ["h264"]]),
    },
    optional={"visible": st.booleans()},
)
MESSAGES = st.one_of(valid(join=JOINS, size=SIZES), valid(join=JOINS, size=SIZES), nearly_valid(), foreign())
U32 = st.sampled_from([0, 1, 11, 12, 100, 1 << 20, (1 << 20) + 1, 1 << 31, (1 << 32) - 1])


class House:
    """A streamer with an engine that never rests, and somebody who looks on."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="pv")
        self.kernel = Kernel(Path(self._directory.name))

    async def open(self) -> None:
        await until(self.kernel.path.exists)
        self.engine = await self.kernel.engine(render=0.05)
        self.engine.change(frames=10_000_000)
        self.onlooker = await Onlooker.watching(self.kernel.path)
        await until(lambda: len(self.onlooker.seen) > 20)
        self.memory = self.kernel.rss()

    async def close(self) -> str:
        """The streamer's log."""
        await self.onlooker.close()
        self.engine.die()
        log = self.kernel.end()
        self._directory.cleanup()
        return log


class Stage:
    """Two houses, and a loop that lives as long as they do."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._log: str | None = None
        self.noisy, self.quiet = House(), House()
        for house in (self.noisy, self.quiet):
            self.do(house.open())
        # Messages and broken frames.
        self.sent = 0
        # Connections that the streamer ended, as it should.
        self.shown_out = 0

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def close(self) -> str:
        """The log of the one that was disturbed. May be called twice."""
        if self._log is None:
            self._log = self.do(self.noisy.close())
            self.do(self.quiet.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
        return self._log


class Controllers(RuleBasedStateMachine):
    """Up to three of them at a time; one that was shown out comes again."""

    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        self.viewers: dict[int, Viewer] = {}

    @initialize()
    def come(self) -> None:
        self.say(0, [])

    @rule(who=st.integers(0, CONTROLLERS - 1), messages=st.lists(MESSAGES, min_size=1, max_size=MOST))
    def say(self, who: int, messages: list[Any]) -> None:
        self.send(who, [message.wire for message in messages])

    @rule(who=st.integers(0, CONTROLLERS - 1), sizes=st.lists(SIZES, min_size=1, max_size=4))
    def resize(self, who: int, sizes: list[Any]) -> None:
        self.send(who, [{"id": "rpc:c0:s", "method": "pvlink.size", "args": [size]} for size in sizes])

    @rule(who=st.integers(0, CONTROLLERS - 1), shown=st.lists(st.booleans(), min_size=1, max_size=4))
    def hide(self, who: int, shown: list[bool]) -> None:
        self.send(who, [{"id": "rpc:c0:v", "method": "pvlink.visible", "args": [{"visible": each}]} for each in shown])

    @rule(who=st.integers(0, CONTROLLERS - 1), number=st.integers(1, 60))
    def drag(self, who: int, number: int) -> None:
        moves = [{"type": "move", "x": step / number, "y": 0.5} for step in range(number)]
        for seq, move in enumerate(moves[:MOST]):
            events = [move] if seq else moves
            self.send(who, [{"id": "rpc:c0:m", "method": "pvlink.input", "args": [{"seq": seq, "events": events}]}])

    @rule(who=st.integers(0, CONTROLLERS - 1), whole=anything())
    def say_what_is_no_call(self, who: int, whole: Any) -> None:
        self.send(who, [whole, {"id": whole}, {"id": "rpc:c0:1", "method": whole, "args": [whole]}])

    @rule(
        who=st.integers(0, CONTROLLERS - 1), depth=st.sampled_from([10, 500, 1500, 100_000]), kind=st.sampled_from("lm")
    )
    def nest(self, who: int, depth: int, kind: str) -> None:
        deep = (b"\x91" if kind == "l" else b"\x81\xa1x") * depth + b"\xc0"
        call = msgspec.msgpack.encode({"id": "rpc:c0:d", "method": "pvlink.size", "args": []})[:-1] + b"\x91" + deep
        self.chunks(who, [(7, 0, len(each), each) for each in (deep, call)])

    @rule(who=st.integers(0, CONTROLLERS - 1), data=st.binary(max_size=60), text=st.booleans())
    def rave(self, who: int, data: bytes, text: bool) -> None:
        self.raw(who, [data.decode("latin-1") if text else data])

    @rule(
        who=st.integers(0, CONTROLLERS - 1),
        headers=st.lists(st.tuples(U32, U32, U32), min_size=1, max_size=6),
        data=st.binary(max_size=40),
    )
    def chop(self, who: int, headers: list[tuple[int, int, int]], data: bytes) -> None:
        """Chunks that belong to nothing."""
        self.chunks(who, [(*header, data) for header in headers])

    @rule(who=st.integers(0, CONTROLLERS - 1), message=MESSAGES, cut=st.floats(0, 1), number=st.integers(0, 9))
    def say_half(self, who: int, message: Any, cut: float, number: int) -> None:
        """The beginning of a message whose end never comes, or comes under another name."""
        text = msgspec.msgpack.encode(message.wire)
        at = int(len(text) * cut)
        self.chunks(who, [(number, 0, len(text), text[:at]), (number + number % 2, at, len(text), text[at:])])

    @rule(who=st.integers(0, CONTROLLERS - 1), size=st.sampled_from([1 << 16, (1 << 20) - 12, 1 << 20, (1 << 20) + 13]))
    def say_much(self, who: int, size: int) -> None:
        self.chunks(who, [(1, 0, size, bytes(size))])

    @rule(who=st.integers(0, CONTROLLERS - 1), how=st.sampled_from(["abort", "goodbye"]))
    def leave(self, who: int, how: str) -> None:
        if viewer := self.viewers.pop(who, None):
            if how == "goodbye":
                self.stage.do(_goodbye(viewer))
            self.stage.do(viewer.close())

    def teardown(self) -> None:
        for viewer in self.viewers.values():
            self.stage.do(viewer.close())
        assert self.stage.noisy.kernel.process.poll() is None
        assert self.stage.do(self.stage.noisy.onlooker.call(Ping(1.0)))["result"] == {"time": 1.0}

    # How it is sent.

    def send(self, who: int, messages: list[Any]) -> None:
        self.chunks(who, [(5, 0, len(each), each) for each in map(msgspec.msgpack.encode, messages)])

    def chunks(self, who: int, chunks: list[tuple[int, int, int, bytes]]) -> None:
        self.raw(who, [struct.pack("<III", *header) + data for *header, data in chunks])

    def raw(self, who: int, frames: list[bytes | str]) -> None:
        self.stage.sent += len(frames)
        self.stage.do(self._raw(who, frames))

    async def _raw(self, who: int, frames: list[bytes | str]) -> None:
        viewer = self.viewers.get(who)
        if viewer is not None and viewer.ws.closed:
            self.stage.shown_out += 1
            await self.viewers.pop(who).close()
            viewer = None
        if viewer is None:
            viewer = self.viewers[who] = await Controller.watching(self.stage.noisy.kernel.path)
        with suppress(ConnectionError):
            for frame in frames:
                await (viewer.ws.send_str(frame) if isinstance(frame, str) else viewer.ws.send_bytes(frame))


class Controller(Onlooker):
    """Does not wonder at what it hears, for it has asked strange things."""

    async def _read(self) -> None:
        with suppress(KeyError, TypeError):
            await super()._read()
        # What follows is read and thrown away.
        async for _ in self.ws:
            pass


async def _goodbye(viewer: Viewer) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            await viewer.ws.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    Controllers.stage = Stage()
    yield Controllers.stage
    Controllers.stage.close()
    del Controllers.stage


def disturb(stage: Stage, count: int, random: bool) -> None:
    """Runs the machine until so much was sent."""
    began = time.monotonic()
    how = settings(
        max_examples=max(1, count // 60),
        stateful_step_count=25,
        derandomize=not random,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    while stage.sent < count:
        run_state_machine_as_test(Controllers, settings=how)
    took = time.monotonic() - began
    noisy, quiet = (house.onlooker.since(began) for house in (stage.noisy, stage.quiet))
    # All have left; what they began and did not end has gone with them.
    stage.do(until(lambda: _grown(stage) < 20_000))
    lives = stage.noisy.kernel.process.poll() is None
    silence, grown = stage.noisy.onlooker.silence, _grown(stage)
    facts = {"shown_out": stage.shown_out, "frames": [noisy, quiet], "silence_s": silence, "grown_kb": grown}
    log = stage.close()
    note("a controller that says anything", sent=stage.sent, took_s=took, **facts)
    assert lives
    assert noisy >= 0.95 * quiet, facts
    assert quiet > 20
    assert stage.shown_out > 0
    # What goes wrong has a number and a line; a trace would mean that nobody had thought of it.
    assert "Traceback" not in log
    assert " CRITICAL " not in log


def _grown(stage: Stage) -> int:
    return stage.noisy.kernel.rss() - stage.noisy.memory


def test_a_controller_that_says_anything_harms_nobody_else(stage: Stage) -> None:
    disturb(stage, 800, random=False)


@pytest.mark.soak
def test_a_controller_that_says_anything_ten_thousand_times(stage: Stage) -> None:
    disturb(stage, 10_000, random=True)
