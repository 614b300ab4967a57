"""The end of a session, and its return, whoever has ended it and how."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.contracts.sessions.room import Room
from tests.integration.household import children, household, listeners, until
from tests.integration.scenes import difference, pixels

pytestmark = pytest.mark.ways


def streamer(room: Room) -> int:
    return int(room.value("pvlink.session()._streamer.pid"))


def shared_memory() -> set[str]:
    return {path.name for path in Path("/dev/shm").iterdir() if "pvlink" in path.name}


def test_a_killed_streamer_is_brought_back_and_the_objects_are_untouched(room: Room) -> None:
    view = room.show()
    with room.watch(view) as viewer:
        before = viewer.still()
        os.kill(streamer(room), signal.SIGKILL)
        viewer.until_closed()
    name, message = room.failure("widget.screenshot()")
    assert name == "StreamerLost"
    assert "pvlink.session().restart()" in message
    room.do("pvlink.session().restart()")
    with room.watch(view) as viewer:
        assert difference(pixels(before.data), pixels(viewer.still().data)) == ""
        viewer.drag([(160, 120), (190, 130), (200, 135)])


def engine(room: Room) -> int:
    """Of the process that draws, which is not the kernel's."""
    pid = int(room.value("getattr(pvlink.session(), 'about', {}).get('pid', 0)"))
    assert pid, "the kernel itself draws"
    return pid


def test_a_killed_engine_comes_back_with_its_pipeline(room: Room) -> None:
    view = room.show()
    pid = engine(room)
    room.do("session.desk.save()")
    with room.watch(view) as viewer:
        before = viewer.still()
        os.kill(pid, signal.SIGKILL)
        viewer.until(lambda: viewer.states and viewer.states[-1].state == "lost")
        assert "pvlink.session().restart()" in viewer.states[-1].message
        room.do("pvlink.session().restart()")
        after = viewer.still(before.id, 3.0)
        assert difference(pixels(before.data), pixels(after.data)) == ""


def test_a_killed_engine_does_not_cost_the_kernel(room: Room) -> None:
    room.show()
    room.do("kept = 41")
    os.kill(engine(room), signal.SIGKILL)
    room.do("pvlink.session().restart()")
    assert room.value("kept + 1") == 42
    room.do(room.kind.start, room.kind.scene, "pvlink.show(view).screenshot()")


def test_stop_leaves_nothing_and_another_session_can_follow(room: Room) -> None:
    before = shared_memory()
    # A kernel that draws by itself may need an X server as long as it lives: windows outlive everything.
    own = ["Xvfb"] if room.kind.inside else []
    room.show()
    first = room.value("pvlink.session().id")
    room.do("widget.screenshot(); pvlink.stop(); pvlink.stop()")
    until(lambda: [name for name in children(room.pid) if name not in own] == [])
    assert listeners(room.directory) == []
    assert {pid for pid, name in household(room.directory).items() if name not in own} == {room.pid}
    assert shared_memory() <= before
    room.do(room.kind.start, room.kind.scene)
    room.show()
    assert room.value("pvlink.session().id") != first


def test_a_killed_kernel_leaves_nothing(room: Room) -> None:
    view = room.show()
    with room.watch(view) as viewer:
        viewer.still()
        others = [psutil.Process(pid) for pid in household(room.directory) if pid != room.pid]
        assert others
        room.kill()
        viewer.until_closed()
    until(lambda: not any(other.is_running() and other.status() != psutil.STATUS_ZOMBIE for other in others))
    until(lambda: not household(room.directory))
    until(lambda: listeners(room.directory) == [])
