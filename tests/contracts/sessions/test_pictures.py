"""A view in a cell: its first picture, its size, what changes it, who sees it."""

from __future__ import annotations

import base64

import psutil
import pytest

from tests.contracts.sessions.room import SIZE, Room
from tests.integration.household import descriptors, household
from tests.integration.scenes import difference, pixels

pytestmark = pytest.mark.ways

LIVE = "application/vnd.pvlink.view+json"
WIDGET = "application/vnd.jupyter.widget-view+json"


def shown_by(room: Room, code: str) -> dict[str, object]:
    """The one message with a live view among what a cell shows."""
    (found,) = [data for _, data in room.do(code).data if LIVE in data]
    return found


def test_a_displayed_view_is_a_picture_and_alive(room: Room) -> None:
    data = shown_by(room, "display(pvlink.show(view))")
    picture = pixels(base64.b64decode(str(data["image/png"])))
    assert WIDGET in data
    assert picture.shape == (*reversed(SIZE), 3)
    assert picture.std() > 5


def test_the_object_itself_can_be_displayed(room: Room) -> None:
    assert WIDGET in shown_by(room, "display(view)")
    assert WIDGET in shown_by(room, "view")


def test_the_first_picture_is_the_screenshot_and_what_a_viewer_sees(room: Room) -> None:
    data = shown_by(room, "widget = pvlink.show(view); display(widget)")
    first = pixels(base64.b64decode(str(data["image/png"])))
    room.do("widget.screenshot('screenshot.png')")
    screenshot = pixels((room.directory / "screenshot.png").read_bytes())
    assert difference(first, screenshot) == ""
    with room.watch(room.value("widget.view")) as viewer:
        assert difference(first, pixels(viewer.still().data)) == ""


def test_show_says_how_big_the_cell_is(room: Room) -> None:
    facts = shown_by(room, "display(pvlink.show(view, width=480, height='20em'))")[LIVE]
    assert isinstance(facts, dict)
    assert (facts["width"], facts["height"]) == ("480px", "20em")


def test_a_change_is_seen_without_asking_for_it(room: Room) -> None:
    with room.watch() as viewer:
        before = viewer.still()
        room.do(room.kind.change)
        after = viewer.still(before.id)
        assert difference(pixels(before.data), pixels(after.data)) != ""


def test_a_loop_is_seen_while_it_runs(room: Room) -> None:
    with room.watch() as viewer:
        viewer.still()
        before = len(viewer.frames)
        cell = room.send(
            "import time\nfor step in range(10):\n"
            f"    {room.kind.change}\n    {room.kind.render}\n    time.sleep(0.05)\n"
            "seen_by_now = widget.stats"
        )
        room.until_idle(cell)
        # The last one may be seen after the cell.
        assert len(viewer.frames) - before >= 5


def test_a_viewer_gives_the_view_its_size(room: Room) -> None:
    with room.watch() as viewer:
        viewer.still()
        viewer.resize(401, 203)
        viewer.until(lambda: (viewer.frames[-1].width, viewer.frames[-1].height) == (401, 203))
        assert room.value(room.kind.size) == [401, 203]


def test_two_viewers_see_the_same(room: Room) -> None:
    view = room.show()
    with room.watch(view) as one, room.watch(view) as other:
        one.still()
        last = other.still()
        one.drag([(160, 120), (180, 130), (200, 150)])
        other.until(lambda: other.frames[-1].camera != last.camera)
        one.quiet(0.4)
        assert difference(pixels(one.still().data), pixels(other.still().data)) == ""


def test_stats_count_what_was_sent(room: Room) -> None:
    with room.watch() as viewer:
        viewer.still()
        before = room.value("widget.stats")
        viewer.drag([(160, 120), (180, 130), (200, 150)])
        viewer.quiet(0.4)
        after = room.value("widget.stats")
        assert before["clients"] == after["clients"] == 1
        assert after["frames"] >= before["frames"] + 2
        assert after["render_ms"]["p50"] > 0


def test_a_view_that_was_deleted_says_so(room: Room) -> None:
    with room.watch() as viewer:
        viewer.still()
        room.do(room.kind.delete)
        viewer.until(lambda: viewer.states and viewer.states[-1].state == "gone", 2.0)
        assert "was deleted" in viewer.states[-1].message
    name, message = room.failure("display(widget)")
    assert name == "ViewError"
    assert "was deleted" in message or "was closed" in message


def test_thirty_displays_of_a_view_cost_what_one_costs(room: Room) -> None:
    def cost() -> tuple[int, list[str], list[int]]:
        widgets = room.value("(__import__('gc').collect(), len(__import__('ipywidgets').widgets.widget._instances))[1]")
        at_home = household(room.directory)
        others = [pid for pid in at_home if pid != room.pid and psutil.pid_exists(pid)]
        return widgets, sorted(at_home.values()), sorted(descriptors(pid) for pid in others)

    for _ in range(3):
        room.do("display(view)")
    before = cost()
    for _ in range(30):
        room.do("display(view)")
    assert cost() == before
