"""PyVista's plotters as live views: what their users have put into them answers to hands."""

from __future__ import annotations

import base64
import importlib
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.own_kernel import MIME, OwnKernel
from tests.integration.scenes import difference, pixels
from tests.integration.watcher import Watcher

pytestmark = pytest.mark.ways

ROOT = Path(__file__).parents[2]
WIDTH, HEIGHT = 400, 300
FIRST = """\
import gc, json, time, pyvista as pv, pvlink
said = []
plain = lambda what: json.dumps(what, default=lambda other: other.tolist())
"""


@pytest.fixture(scope="module")
def cells(vtk_python: str) -> Iterator[OwnKernel]:
    with OwnKernel(vtk_python, FIRST) as kernel:
        yield kernel


Open = Callable[[str], Watcher]


@pytest.fixture
def plotter(cells: OwnKernel) -> Iterator[Open]:
    """Makes a plotter `pl` by these lines, shows it, and watches it."""
    watching: list[Watcher] = []

    def show(lines: str) -> Watcher:
        view = cells.show(f"said.clear()\npl = pv.Plotter()\n{lines}\npl.show()")
        watching.append(cells.watch(view, WIDTH, HEIGHT))
        watching[0].still()
        return watching[0]

    yield show
    for watcher in watching:
        watcher.close()


def click(watcher: Watcher, x: int, y: int) -> None:
    watcher.send(watcher.at("move", x, y), watcher.at("down", x, y), watcher.at("up", x, y))


def plain(cells: OwnKernel, expression: str) -> Any:
    """A value that may have numpy's numbers in it."""
    return json.loads(cells.value(f"plain({expression})"))


def changed(before: Any, after: Any) -> bool:
    return bool(difference(pixels(before.data), pixels(after.data)))


def heard(cells: OwnKernel, watcher: Watcher, patience: float = 15.0) -> list[Any]:
    """What the user's callback has noted, once it has."""
    found: list[Any] = []

    def look() -> bool:
        found[:] = plain(cells, "said")
        return bool(found)

    watcher.until(look, patience)
    return found


def test_a_plotter_turns_under_the_hand(plotter: Open) -> None:
    watcher = plotter("pl.add_mesh(pv.Cone())")
    before = watcher.still()
    watcher.drag([(200, 150), (240, 160), (280, 170)])
    after = watcher.still(after=before.id)
    assert before.camera is not None
    assert after.camera is not None
    assert before.camera.position != after.camera.position
    assert changed(before, after)


def test_a_click_on_the_mesh_tells_the_users_function_the_point(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter(
        "pl.add_mesh(pv.Sphere())\n"
        "pl.enable_surface_point_picking(callback=lambda point: said.append(list(point)), left_clicking=True)"
    )
    click(watcher, 200, 150)
    point = heard(cells, watcher)[0]
    assert sum(side * side for side in point) ** 0.5 == pytest.approx(0.5, abs=0.02)


def test_a_click_into_the_void_is_told_as_its_place(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter(
        "pl.add_mesh(pv.Sphere()); pl.track_click_position(lambda at: said.append(list(at)), side='left')"
    )
    click(watcher, 5, 5)
    assert len(heard(cells, watcher)[0]) == 3


def test_a_dragged_plane_widget_calls_back_and_cuts(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter(
        "sphere = pv.Sphere()\n"
        "def cut(normal, origin):\n    said.append(origin); pl.add_mesh(sphere.clip(normal, origin), name='cut')\n"
        "pl.add_plane_widget(cut)\n"
        "said.clear()"
    )
    before = watcher.still()
    watcher.drag([(150, 150), (170, 150), (190, 140)])
    assert heard(cells, watcher)[-1][0] != 0.0
    assert changed(before, watcher.still(after=before.id))


SLIDER = """\
pl.add_mesh(pv.Sphere())
pl.add_slider_widget(said.append, [0, 10], value=5, pointa=(0.1, 0.1), pointb=(0.9, 0.1))
said.clear()"""


def test_a_slider_is_dragged(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter(SLIDER)
    watcher.drag([(200, 270), (240, 270), (280, 270)])
    assert 6 < heard(cells, watcher)[-1] <= 10


def test_a_slider_is_dragged_as_far_where_moving_frames_are_smaller(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter(SLIDER)
    cells.run("shown = pvlink.show(pl, scale=0.5)")
    # The scene itself is turned in small pictures before; the slider, which draws itself in each, lies elsewhere then.
    watcher.drag([(200, 150), (210, 150), (220, 150)])
    assert min(frame.width for frame in watcher.frames) == WIDTH // 2
    watcher.drag([(200, 270), (240, 270), (280, 270)])
    assert 6.5 < heard(cells, watcher)[-1] < 8.5


def test_a_press_hits_what_lies_elsewhere_in_a_new_size(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter(SLIDER)
    # All of it comes to the kernel at once, before a picture of that size.
    asleep = cells.send("time.sleep(0.5)")
    watcher.resize(800, 600)
    watcher.drag([(400, 540), (480, 540), (560, 540)], each=False)
    cells.until_idle(asleep)
    assert 6 < heard(cells, watcher)[-1] <= 10


def test_a_box_is_ticked(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter("pl.add_checkbox_button_widget(said.append, position=(10, 10), size=50); said.clear()")
    click(watcher, 30, 270)
    assert heard(cells, watcher) == [True]


def test_a_key_calls_back(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter("pl.add_mesh(pv.Cone()); pl.add_key_event('b', lambda: said.append('b'))")
    watcher.send(watcher.at("key", 10, 10, key="b"))
    assert heard(cells, watcher) == ["b"]


def test_a_timer_runs_while_somebody_looks_and_ends_after_its_steps(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter(
        "actor = pl.add_mesh(pv.Cone())\n"
        "def step(n):\n    said.append(n); actor.position = (n / 20, 0, 0)\n"
        "pl.add_timer_event(max_steps=5, duration=30, callback=step)"
    )
    watcher.until(lambda: cells.value("said") == [0, 1, 2, 3, 4])
    before = watcher.frames[0]
    watcher.quiet()
    assert changed(before, watcher.still(after=before.id))
    assert cells.value("said") == [0, 1, 2, 3, 4]


def test_only_the_part_under_the_hand_turns(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter(
        "pl.close(); pl = pv.Plotter(shape=(1, 2)); pl.add_mesh(pv.Cone()); pl.subplot(0, 1); pl.add_mesh(pv.Cube())\n"
        "places = lambda: [[round(x, 6) for x in r.camera.position] for r in pl.renderers]"
    )
    before = plain(cells, "places()")
    seen = watcher.frames[-1].id
    watcher.drag([(300, 150), (330, 160), (350, 170)])
    watcher.still(after=seen)
    after = plain(cells, "places()")
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_linked_parts_turn_together(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter(
        "pl.close(); pl = pv.Plotter(shape=(1, 2)); pl.add_mesh(pv.Cone()); pl.subplot(0, 1); pl.add_mesh(pv.Cube())\n"
        "pl.link_views()\nplaces = lambda: [[round(x, 6) for x in r.camera.position] for r in pl.renderers]"
    )
    before, seen = plain(cells, "places()"), watcher.frames[-1].id
    watcher.drag([(300, 150), (330, 160), (350, 170)])
    watcher.still(after=seen)
    after = plain(cells, "places()")
    assert after[0] == after[1]
    assert after[0] != before[0]


def test_a_chart_pans(plotter: Open) -> None:
    watcher = plotter("chart = pv.Chart2D(); chart.line([0, 1, 2], [0, 4, 1]); pl.add_chart(chart)")
    before = watcher.still()
    # PyVista's way: a double click gives the chart the hand.
    watcher.send(*[watcher.at(kind, 200, 150, clicks=n) for n in (1, 2) for kind in ("down", "up")])
    watcher.drag([(200, 150), (240, 150), (280, 140)], each=False)
    watcher.until(lambda: watcher.frames[-1].id > before.id and changed(before, watcher.frames[-1]))


def test_what_callbacks_print_and_raise_is_seen_in_the_cell_of_the_view(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter(
        "def fails():\n    print('called'); raise RuntimeError('no such thing')\n"
        "pl.add_mesh(pv.Cone()); pl.add_key_event('b', fails)"
    )
    shown = cells.shown_by
    cells.do("1")
    watcher.send(watcher.at("key", 10, 10, key="b"))
    said: list[tuple[str, str]] = []

    def look() -> bool:
        said.extend(cells.said_meanwhile())
        text = "".join(text for _, text in said)
        return "called" in text and "no such thing" in text

    watcher.until(look)
    assert {cell for cell, _ in said} == {shown}


def test_the_size_that_the_user_gave_is_the_size_of_the_view(cells: OwnKernel) -> None:
    shown = cells.do("pl = pv.Plotter(window_size=(320, 240)); pl.add_mesh(pv.Cone()); pl.show()")
    facts, picture = shown.data[-1][1][MIME], shown.data[-1][1]["image/png"]
    assert (facts["width"], facts["height"]) == ("320px", "240px")
    assert pixels(base64.b64decode(picture)).shape == (240, 320, 3)
    assert cells.do("pl = pv.Plotter(); pl.show()").data[-1][1][MIME].keys() & {"width", "height"} == set()


def test_show_gives_back_what_pyvistas_own_backends_do(cells: OwnKernel) -> None:
    shown = cells.do(
        "pl = pv.Plotter(window_size=(320, 240)); pl.add_mesh(pv.Cone())\n"
        "where, image, viewer = pl.show(return_viewer=True, return_cpos=True, return_img=True, screenshot='shot.png')\n"
        "print(image.shape, type(viewer).__name__, type(where).__name__)"
    )
    assert shown.out == "(240, 320, 3) View CameraPosition\n"
    assert not any(MIME in data for _, data in shown.data)
    assert pixels((cells.directory / "shot.png").read_bytes()).shape == (240, 320, 3)


def test_a_picture_of_another_size_is_not_the_view(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter("pl.add_mesh(pv.Cone())")
    seen = watcher.frames[-1].id
    shape = cells.value("pl.screenshot(window_size=(100, 80), return_img=True).shape")
    cells.do("pl.screenshot('large.png', scale=2)")
    watcher.quiet()
    assert shape == (80, 100, 3)
    assert pixels((cells.directory / "large.png").read_bytes()).shape == (2 * HEIGHT, 2 * WIDTH, 3)
    assert {(frame.width, frame.height) for frame in watcher.frames if frame.id > seen} == {(WIDTH, HEIGHT)}


def test_each_picture_that_a_loop_renders_is_seen(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter("pl.add_mesh(pv.Cone())")
    seen = watcher.frames[-1].id
    cells.do("for _ in range(6):\n    pl.camera.azimuth += 10; pl.render(); time.sleep(0.2)")
    cameras = {tuple(frame.camera.position) for frame in watcher.frames if frame.id > seen and frame.camera is not None}
    assert len(cameras) >= 5


def test_a_closed_plotter_says_so(cells: OwnKernel, plotter: Open) -> None:
    watcher = plotter("pl.add_mesh(pv.Cone())")
    error = cells.run("pl.close(); pvlink.show(pl)").error
    assert error is not None
    assert error[:2] == (
        "ViewError",
        "This plotter was closed: make a new one, or show(auto_close=False).",
    )
    watcher.until(lambda: watcher.states and watcher.states[-1].state == "gone")
    assert "The picture is the last one" in watcher.states[-1].message


def test_a_plotter_lives_while_somebody_looks_and_no_longer(cells: OwnKernel) -> None:
    view = cells.show("import weakref; pl = pv.Plotter(); weak = weakref.ref(pl); pl.add_mesh(pv.Cone()); pl.show()")
    with cells.watch(view) as watcher:
        cells.do("del pl; gc.collect()")
        before = watcher.still()
        watcher.drag([(200, 150), (240, 160), (280, 170)])
        assert changed(before, watcher.still(after=before.id))
    cells.do("for _ in range(9):\n    each = pv.Plotter(); each.show()", patience=120)
    assert cells.value("gc.collect() >= 0 and weak() is None")


@pytest.mark.parametrize("order", ["import pvlink, pyvista as pv", "import pyvista as pv, pvlink"])
def test_the_backend_is_there_whatever_was_imported_first(vtk_python: str, order: str) -> None:
    with OwnKernel(vtk_python, order, 'pv.set_jupyter_backend("pvlink")') as kernel:
        assert kernel.show("pv.Plotter().show()") == "w1"


def test_pyvista_finds_the_backend_where_nothing_of_pvlink_was_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    entry = project["entry-points"]["pyvista.jupyter_backends"]["pvlink"]
    module, name = entry.split(":")
    assert callable(getattr(importlib.import_module(module), name))
