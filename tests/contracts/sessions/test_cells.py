"""What a cell hears of a session, and what a view says while a cell runs."""

from __future__ import annotations

import math
import time

import pytest

from tests.contracts.sessions.room import Room
from tests.integration.household import until

pytestmark = pytest.mark.ways

# Python of the kernel's own, that nothing but an interrupt ends.
FOREVER = "open('begun', 'w').close()\nimport time\nwhile True: time.sleep(0.01)"


def begin(room: Room, code: str) -> str:
    """Send a cell and wait until its first line has run."""
    begun = room.directory / "begun"
    begun.unlink(missing_ok=True)
    cell = room.send(code)
    until(begun.exists, 15)
    return cell


def test_what_the_library_says_appears_in_the_cell(room: Room) -> None:
    room.until_said(room.kind.complain, "/nowhere.vtp")


def test_an_error_in_a_callback_is_seen_and_costs_nothing_else(room: Room) -> None:
    room.do("def callback(*_):\n    raise ValueError('mine')")
    room.show()
    room.until_said(f"{room.kind.observe}\n{room.kind.render}", "ValueError", "mine")
    assert room.value("1 + 1") == 2


def test_hands_move_the_view_while_a_cell_runs(room: Room) -> None:
    with room.watch() as viewer:
        before = viewer.still().camera
        cell = begin(room, FOREVER)
        try:
            viewer.send(viewer.at("down", 160, 120))
            moved = viewer.send(viewer.at("move", 190, 130))
            after = viewer.answered(moved, 1.5).camera
        finally:
            shown = room.until_idle(cell, interrupt_after=0.01)
        assert shown.error is not None
        assert before is not None
        assert after is not None
        assert math.dist(before.position, after.position) > 0


def test_a_view_whose_hands_must_wait_says_so(room: Room) -> None:
    """Either it answers, or it says why not; and afterwards it does what was asked."""
    with room.watch() as viewer:
        viewer.still()
        cell = begin(room, FOREVER)
        try:
            viewer.send(viewer.at("down", 160, 120))
            moved = viewer.send(viewer.at("move", 190, 130))
            answer = viewer.client

            def heard() -> bool:
                said = viewer.states[-1:] and viewer.states[-1].state == "busy"
                return bool(said) or any(frame.inputs.get(answer, 0) >= moved for frame in viewer.frames)

            viewer.until(heard, 3.0)
        finally:
            room.until_idle(cell, interrupt_after=0.01)
        viewer.answered(moved)
        viewer.until(lambda: not viewer.states or viewer.states[-1].state == "live")


def test_a_long_call_of_the_library_is_said_to_whoever_waits(room: Room) -> None:
    with room.watch() as viewer:
        viewer.still()
        cell = begin(room, f"open('begun', 'w').close()\n{room.kind.work}")
        viewer.send(viewer.at("down", 160, 120))
        moved = 0.0

        def told() -> bool:
            # What came in before the long call began is answered: somebody must wait in it.
            nonlocal moved
            if time.monotonic() - moved > 0.2:
                moved = time.monotonic()
                viewer.send(viewer.at("move", 160 + int(moved * 5) % 30, 130))
            return any(state.state == "busy" for state in viewer.states)

        viewer.until(told, 5.0)
        assert room.until_idle(cell).error is None
        viewer.until(lambda: viewer.states[-1].state == "live")


def test_an_interrupt_ends_the_cell_and_nothing_else(room: Room) -> None:
    with room.watch() as viewer:
        before = viewer.still()
        cell = begin(room, f"open('begun', 'w').close()\nwhile True:\n    {room.kind.change}\n    {room.kind.render}")
        began = time.monotonic()
        shown = room.until_idle(cell, interrupt_after=0.3)
        assert shown.error is not None
        assert shown.error[0] == "KeyboardInterrupt"
        assert time.monotonic() - began < 5
        viewer.quiet(0.4)
        viewer.drag([(160, 120), (190, 130), (200, 135)])
        assert viewer.still(before.id).camera != before.camera
        assert room.value("1 + 1") == 2
