"""The streamer as a process: real sockets, real shared memory, a fake engine."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import stat
import struct
import subprocess
import time
from collections.abc import Coroutine
from typing import Any

import msgspec
import numpy as np
import pytest
import simplejpeg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pvlink.protocol import PROTOCOL_VERSION, Drawn, Input, InputEvent, Join, Ping, Size, ViewState, Visible
from tests.unit.streamer.fake_engine import picture
from tests.unit.streamer.harness import Kernel, Viewer, until


def run(work: Coroutine[Any, Any, None]) -> None:
    """Not asyncio.run, which would drop the loop that pytest-asyncio keeps for the other tests."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


def process(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command)


async def ready(kernel: Kernel) -> None:
    await until(kernel.path.exists)


async def test_a_viewer_sees_the_view_at_once_and_sharp_when_it_rests(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine()
    viewer = await Viewer.watching(kernel.path)

    await until(lambda: len(viewer.frames) >= 2)
    first, still = viewer.frames[:2]

    assert viewer.joined is not None
    assert viewer.joined.state == ViewState("live")
    assert (first.codec, first.still, still.codec, still.still) == ("jpeg", False, "png", True)
    assert 0.1 < viewer.arrived[1] - viewer.arrived[0] < 0.4
    shown = np.asarray(Image.open(io.BytesIO(still.data)))
    assert np.array_equal(shown, picture(1, 320, 240)[::-1, :, :3])
    quick = simplejpeg.decode_jpeg(first.data).astype(int)
    assert abs(quick - shown).mean() < 3
    assert still.camera is not None
    assert still.camera.position == [0.0, 0.0, 5.0]

    await asyncio.sleep(0.4)
    assert len(viewer.frames) == 2
    await viewer.close()
    await until(lambda: engine.saw("unwatch"))
    engine.die()


async def test_every_frame_of_an_animation_comes_and_every_slot_is_freed_once(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine(render=0.002)
    viewer = await Viewer.watching(kernel.path)
    await until(lambda: viewer.frames)

    engine.change(frames=60)
    await until(lambda: engine.frames >= 61 and viewer.frames[-1].still)

    ids = [frame.id for frame in viewer.frames if frame.codec == "jpeg"]
    assert ids == sorted(set(ids))
    assert len(ids) >= 55
    held = engine.filled - engine.freed
    assert held.total() == 1  # the newest, for whoever comes next
    assert not engine.freed - engine.filled
    await viewer.close()
    engine.die()


async def test_a_second_viewer_gets_the_newest_frame_without_a_rendering(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine()
    first = await Viewer.watching(kernel.path)
    await until(lambda: first.frames and first.frames[-1].still)

    second = await Viewer.watching(kernel.path)
    await until(lambda: second.frames)

    assert second.frames[0].still
    assert engine.frames == 1
    await first.close()
    await second.close()
    engine.die()


async def test_a_stalled_viewer_costs_the_other_nothing(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine(render=0.005)
    healthy = await Viewer.watching(kernel.path, width=1280, height=720)

    async def kept() -> float:
        """Which share of what was rendered this viewer gets: no matter how busy the machine is."""
        shown, rendered = len(healthy.frames), engine.frames
        await until(lambda: len(healthy.frames) >= shown + 60, 30)
        return (len(healthy.frames) - shown) / (engine.frames - rendered)

    engine.change(frames=10_000)
    assert await kept() >= 0.9
    stalled = await Viewer.watching(kernel.path, width=1280, height=720)
    stalled.stall()
    memory = kernel.rss()
    assert await kept() >= 0.9
    assert await kept() >= 0.9
    assert kernel.rss() - memory < 20_000
    assert len(stalled.frames) <= 2
    await stalled.close()
    await healthy.close()
    engine.die()


async def test_a_viewer_that_confirms_nothing_gets_its_credits_and_no_more(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine()
    viewer = await Viewer.connect(kernel.path)
    viewer.confirms = False
    await viewer.join()
    engine.change(frames=20)
    await asyncio.sleep(0.4)
    assert len(viewer.frames) == 2

    await viewer.call(Drawn(viewer.frames[-1].id))
    await until(lambda: len(viewer.frames) > 2)
    await viewer.close()
    engine.die()


async def test_input_reaches_the_engine_merged_and_is_answered_by_a_frame(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine(render=0.05)
    viewer = await Viewer.watching(kernel.path)
    await viewer.call(Input(1, [InputEvent("down", 0.5, 0.5)]))
    for seq in range(2, 40):
        await viewer.call(Input(seq, [InputEvent("move", seq / 100, 0.5)]))
    await viewer.call(Input(40, [InputEvent("up", 0.4, 0.5)]))

    assert viewer.joined is not None
    name = viewer.joined.client
    await until(lambda: viewer.frames and viewer.frames[-1].inputs.get(name) == 40)
    kinds = [event["type"] for event in engine.events]
    assert kinds[0] == "down"
    assert kinds[-1] == "up"
    assert 1 <= kinds.count("move") < 38
    await viewer.close()
    engine.die()


async def test_nobody_watches_nothing_is_rendered(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine()
    viewer = await Viewer.watching(kernel.path, width=200, height=100)
    await until(lambda: viewer.frames)
    await viewer.call(Size(300, 150))
    await until(lambda: viewer.frames[-1].width == 300)
    await viewer.call(Visible(False))
    await until(lambda: engine.saw("unwatch"))
    before = engine.frames
    engine.change(frames=3)
    await asyncio.sleep(0.2)
    assert engine.frames == before

    await viewer.call(Visible(True))
    await until(lambda: engine.frames > before)
    await viewer.close()
    engine.die()


async def test_at_rest_it_sleeps(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine()
    viewer = await Viewer.watching(kernel.path)
    await until(lambda: viewer.frames and viewer.frames[-1].still)
    await asyncio.sleep(0.2)
    wakeups, cpu = kernel.switches(), kernel.cpu()
    await asyncio.sleep(2)
    assert kernel.switches() - wakeups <= 3
    assert kernel.cpu() - cpu <= 0.02
    await viewer.close()
    engine.die()


async def test_a_notice_stands_below_live_views_until_it_is_taken_back(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine()
    viewer = await Viewer.watching(kernel.path)
    await until(lambda: viewer.frames)
    await kernel.ask("notice", message="The job ends in 3 min.")
    await until(lambda: viewer.states[-1:] == [ViewState("live", "The job ends in 3 min.")])
    late = await Viewer.watching(kernel.path)
    assert late.joined is not None
    assert late.joined.state == ViewState("live", "The job ends in 3 min.")
    # What is worse is said first.
    engine.send({"op": "busy", "message": "Contour", "progress": 0.25})
    await until(lambda: viewer.states[-1].message == "Contour")
    engine.send({"op": "idle"})
    await until(lambda: viewer.states[-1].message == "The job ends in 3 min.")
    await kernel.ask("notice", message="")
    await until(lambda: viewer.states[-1] == ViewState("live"))
    for each in (viewer, late):
        await each.close()
    engine.die()


async def test_when_the_engine_dies_the_viewers_keep_the_picture_and_are_told(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine()
    viewer = await Viewer.watching(kernel.path)
    await until(lambda: viewer.frames)
    engine.send({"op": "busy", "message": "Contour", "progress": 0.25})
    await until(lambda: ViewState("busy", "Contour", 0.25) in viewer.states)
    engine.die()
    await until(lambda: viewer.states[-1].state == "lost")
    assert "pvlink.session().restart()" in viewer.states[-1].message

    await kernel.ask("engine-ended", message="ParaView was killed by signal 9.")
    await until(lambda: viewer.states[-1].message == "ParaView was killed by signal 9.")
    late = await Viewer.watching(kernel.path)
    assert late.joined is not None
    assert late.joined.state.state == "lost"
    await until(lambda: late.frames)

    answer, data = await kernel.ask("snapshot", view="1", timeout=5)
    assert (answer["width"], answer["height"], data[:4]) == (320, 240, b"\x89PNG")
    again = await kernel.engine()
    await until(lambda: viewer.states[-1].state == "live")
    for one in (viewer, late):
        await one.close()
    again.die()


async def test_a_cell_is_worth_a_word_only_if_it_lasts(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine()
    viewer = await Viewer.watching(kernel.path)
    await until(lambda: viewer.frames)
    engine.send({"op": "busy", "message": "A short cell.", "after": 0.2})
    engine.send({"op": "idle"})
    engine.send({"op": "busy", "message": "A long cell.", "after": 0.2})
    await until(lambda: viewer.states and viewer.states[-1] == ViewState("busy", "A long cell."))
    engine.send({"op": "idle"})
    await until(lambda: viewer.states[-1].state == "live")
    assert "A short cell." not in [state.message for state in viewer.states]
    await viewer.close()
    engine.die()


async def test_where_vtk_draws_nobody_is_told_of_paraview(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine()
    engine.send({"op": "hello", "pid": 1, "name": "VTK 9.7.2", "kind": "vtk"})
    viewer = await Viewer.watching(kernel.path)
    await until(lambda: viewer.frames)
    engine.die()
    await until(lambda: viewer.states and viewer.states[-1].state == "lost")
    assert viewer.states[-1].message.startswith("The VTK process ended.")
    await viewer.close()


async def test_views_that_are_not_there(kernel: Kernel) -> None:
    await ready(kernel)
    early = await Viewer.watching(kernel.path, "7")
    assert early.joined is not None
    assert early.joined.state.state == "busy"
    engine = await kernel.engine(views=("1",))
    await until(lambda: early.states and early.states[-1].state == "gone")
    engine.send({"op": "view", "view": "7"})
    await until(lambda: early.states[-1].state == "live")
    engine.send({"op": "gone", "view": "7", "message": "Deleted."})
    await until(lambda: early.states[-1] == ViewState("gone", "Deleted."))
    await early.close()
    engine.die()


async def test_nonsense_from_the_engine_harms_nobody(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine()
    viewer = await Viewer.watching(kernel.path)
    await until(lambda: viewer.frames)
    for nonsense in (b"{", b"\xff\xfe", b"[]", b'{"op":"frame"}', b'{"op":"sing"}', b'{"op":"pool","view":"1"}'):
        engine.send(nonsense)
    small = os.memfd_create("small")
    engine.send({"op": "pool", "view": "1", "pool": 9, "width": 8000, "height": 8000, "slots": 3}, (small,))
    engine.send({"op": "pool", "view": "1", "pool": 9, "width": -1, "height": 1, "slots": 3}, (small, small, small))
    os.close(small)
    before = kernel.descriptors()
    engine.change(frames=5)
    await until(lambda: viewer.frames[-1].id >= 6)
    assert kernel.descriptors() <= before
    await viewer.close()
    engine.die()


async def test_snapshot_without_a_viewer_renders_one_at_the_engines_size(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine(render=0.05)
    answer, data = await kernel.ask("snapshot", view="1", timeout=5)
    assert (answer["ok"], answer["width"], answer["height"]) == (True, 320, 240)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), picture(1, 320, 240)[::-1, :, :3])
    assert engine.saw("watch")[0]["width"] == 0
    await until(lambda: engine.saw("unwatch"))
    # Nobody watched since: the next one is a new rendering.
    await kernel.ask("snapshot", view="1", timeout=5)
    assert engine.frames == 2

    refused, _ = await kernel.ask("snapshot", view="no such", timeout=5)
    assert refused == {"ok": False, "error": "ParaView has no view no such."}
    engine.die()


async def test_stats_and_requests_that_make_no_sense(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine(render=0.01)
    viewer = await Viewer.watching(kernel.path)
    engine.change(frames=20)
    await until(lambda: viewer.frames and viewer.frames[-1].still)
    answer, _ = await kernel.ask("stats", view="1")
    stats = answer["stats"]
    assert stats["clients"] == 1
    assert stats["frames"] >= 15
    assert stats["frames_per_s"] > 5
    assert 9 < stats["render_ms"]["p50"] < 60
    assert stats["decode_ms"]["p50"] == 1.5
    assert stats["encode_ms"]["p95"] >= stats["encode_ms"]["p50"] > 0

    answer, _ = await kernel.ask("sing", view="1")
    assert not answer["ok"]
    answer, _ = await kernel.ask("stats", view=[])
    assert not answer["ok"]
    assert "view" in answer["error"]
    await viewer.close()
    engine.die()


async def test_when_the_kernel_goes_everything_goes(kernel: Kernel) -> None:
    await ready(kernel)
    # An engine that does not listen to SIGTERM.
    stubborn = process("/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
    engine = await kernel.engine(pid=stubborn.pid)
    viewer = await Viewer.watching(kernel.path)
    stalled = await Viewer.watching(kernel.path)
    stalled.stall()
    await until(lambda: viewer.frames)
    began = time.monotonic()
    await asyncio.to_thread(kernel.end)
    assert time.monotonic() - began < 3
    assert stubborn.wait(1) == -signal.SIGKILL
    assert not kernel.path.exists()
    await until(lambda: viewer.states and viewer.states[-1].state == "ended")
    for one in (viewer, stalled):
        await one.close()
    engine.die()


async def test_stop_answers_and_leaves_the_engine_to_the_kernel(kernel: Kernel) -> None:
    await ready(kernel)
    with process("sleep", "60") as patient:
        engine = await kernel.engine(pid=patient.pid)
        assert (await kernel.ask("stop"))[0] == {"ok": True}
        assert await asyncio.to_thread(kernel.process.wait, 3) == 0
        assert not kernel.path.exists()
        assert patient.poll() is None
        patient.kill()
        engine.die()


async def test_interrupts_are_for_the_kernel(kernel: Kernel) -> None:
    await ready(kernel)
    kernel.process.send_signal(signal.SIGINT)
    engine = await kernel.engine()
    assert stat.S_IMODE(kernel.path.stat().st_mode) == 0o600
    kernel.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(kernel.process.wait, 3) == 0
    assert not kernel.path.exists()
    engine.die()


async def test_what_is_refused_is_refused_in_a_sentence(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine()
    viewer = await Viewer.connect(kernel.path)
    await viewer.enter(await viewer.grant())
    assert "Join a view first" in (await viewer.call(Size(10, 10)))["error"]["message"]
    assert "another view" in (await viewer.call(Join(PROTOCOL_VERSION, "2", 10, 10, ["jpeg"])))["error"]["message"]
    old = await viewer.call(Join(0, "1", 10, 10, ["jpeg"]))
    assert "version 0" in old["error"]["message"]
    assert "Install the same pvlink" in old["error"]["message"]
    blind = await viewer.call(Join(PROTOCOL_VERSION, "1", 10, 10, ["tiff"]))
    assert "JPEG" in blind["error"]["message"]
    for method in ("application.exit", "application.exit.later", "pvlink.sing"):
        assert (await viewer.ask(method))["error"]["message"] == "There is no such method."
    wrong = await viewer.ask("pvlink.size", {"width": "wide", "height": 1, "extra": object.__name__})
    assert "error" in wrong["error"]["message"]
    assert "Traceback" not in str(wrong)
    assert "wide" not in str(wrong)
    whole = await viewer.ask("pvlink.ping", {"time": 3})
    assert whole["result"] == {"time": 3.0}
    await viewer.close()
    engine.die()


async def test_a_viewer_that_asks_and_never_reads_is_cut_off(kernel: Kernel) -> None:
    await ready(kernel)
    engine = await kernel.engine()
    viewer = await Viewer.watching(kernel.path)
    viewer.stall()
    ping = {"wslink": "1.0", "id": "x" * 250, "method": "pvlink.ping", "args": [{"time": 1.0}]}

    async def flood() -> None:
        for _ in range(20_000):
            await viewer.send(ping)

    # It is read at 300 messages a second; 256 answers that it does not take are enough.
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(flood(), 20)
    assert kernel.rss() < 150_000
    healthy = await Viewer.watching(kernel.path)
    await until(lambda: healthy.frames)
    await viewer.close()
    await healthy.close()
    engine.die()


HEADER = st.builds(struct.pack, st.just("<III"), *(st.integers(0, 2**32 - 1) for _ in range(3)))
MESSAGE = st.recursive(
    st.none() | st.integers(-(2**31), 2**32) | st.floats() | st.text(max_size=9) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


def whole(message: object) -> bytes:
    text = msgspec.msgpack.encode(message)
    return struct.pack("<III", 1, 0, len(text)) + text


CALL = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["rpc:c0:1", "system:c0:0", ":", ""]) | MESSAGE,
        "method": st.sampled_from(["pvlink.join", "pvlink.input", "pvlink.drawn", "wslink.hello", "pvlink.size"])
        | MESSAGE,
        "args": st.lists(MESSAGE, max_size=2) | MESSAGE,
    }
)
GARBAGE = st.binary(max_size=64) | st.builds(lambda a, b: a + b, HEADER, st.binary(max_size=64)) | MESSAGE.map(whole)


def test_garbage_kills_no_streamer(kernel: Kernel) -> None:
    async def throw(pieces: list[bytes], hello: bool) -> None:
        viewer = await Viewer.connect(kernel.path)
        if hello:
            await viewer.enter(await viewer.grant())
        try:
            for piece in pieces:
                await viewer.ws.send_bytes(piece)
        except ConnectionError:
            pass  # It has had enough of us, which is right.
        await viewer.close()

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(GARBAGE | CALL.map(whole), max_size=6), st.booleans())
    def fuzz(pieces: list[bytes], hello: bool) -> None:
        run(throw(pieces, hello))

    async def fine() -> None:
        viewer = await Viewer.watching(kernel.path)
        assert (await viewer.call(Ping(2.0)))["result"] == {"time": 2.0}
        await viewer.close()

    run(ready(kernel))
    fuzz()
    run(fine())
    assert kernel.process.poll() is None
    assert "Traceback" not in kernel.end()
