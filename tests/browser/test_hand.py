"""What a hand does in the view: mouse, wheel, keys, fingers."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Keep, window
from tests.browser.notebook import Notebook
from tests.browser.view import Pixels, View, changed


def surface(picture: Pixels) -> float:
    """Share of the picture that the contour covers: it is blue or red, the background neither."""
    red, blue = picture[..., 0].astype(int), picture[..., 2].astype(int)
    return float((np.abs(red - blue - (87 - 110)) > 40).mean())


def middle(picture: Pixels) -> tuple[float, float]:
    """Where the surface is, in fractions of the picture."""
    red, blue = picture[..., 0].astype(int), picture[..., 2].astype(int)
    rows, columns = np.nonzero(np.abs(red - blue - (87 - 110)) > 40)
    return float(columns.mean() / picture.shape[1]), float(rows.mean() / picture.shape[0])


def test_the_left_button_turns(view: View) -> None:
    before = view.pixels()

    assert changed(before, view.after(view.drag)) > 0.05


def test_the_middle_button_moves_the_scene_with_the_hand(view: View) -> None:
    x, y = middle(view.pixels())

    moved = middle(view.after(lambda: view.drag(0.2, 0.1, button="middle")))

    assert moved == pytest.approx((x + 0.2, y + 0.1), abs=0.03)


def test_the_right_button_zooms(view: View) -> None:
    before = surface(view.pixels())

    after = surface(view.after(lambda: view.drag(0.0, -0.2, button="right")))

    assert after / before > 1.2 or after / before < 0.8


def test_the_wheel_zooms_and_the_notebook_does_not_scroll(view: View) -> None:
    page = view.page
    before, place = surface(view.pixels()), view.box
    page.mouse.move(*view.at(0.5, 0.5))

    nearer = surface(view.after(lambda: page.mouse.wheel(0, -300)))
    further = surface(view.after(lambda: page.mouse.wheel(0, 600)))

    assert nearer > before * 1.2
    assert further < before * 0.8
    assert view.box == place


def test_keys_look_along_the_axes_and_reset_the_camera(view: View, keep: Keep) -> None:
    along_z = view.pixels()
    along_x = view.after(lambda: view.press("x"))
    against_x = view.after(lambda: view.press("Shift+X"))
    keep(view.page, "hand-keys")
    nearer = view.after(lambda: view.press("+"))
    reset = view.after(lambda: view.press("r"))

    assert changed(along_z, along_x) > 0.05
    assert changed(along_x, against_x) > 0.02
    assert surface(nearer) > surface(against_x) * 1.2
    assert changed(against_x, reset) < 0.01


@pytest.mark.parametrize(
    "key", ["ArrowLeft", *(pytest.param(f"Arrow{way}", marks=pytest.mark.soak) for way in ("Right", "Up", "Down"))]
)
def test_arrows_turn_and_there_is_a_way_back(key: str, view: View) -> None:
    opposite = {"ArrowLeft": "ArrowRight", "ArrowRight": "ArrowLeft", "ArrowUp": "ArrowDown", "ArrowDown": "ArrowUp"}
    before = view.pixels()

    turned = view.after(lambda: view.press(key))
    back = view.after(lambda: view.press(opposite[key]))

    assert changed(before, turned) > 0.02
    assert changed(before, back) < 0.01


def test_arrows_with_shift_move_the_scene(view: View) -> None:
    x, y = middle(view.pixels())

    moved = middle(view.after(lambda: view.press("Shift+ArrowRight")))

    assert abs(moved[0] - x) > 0.02
    assert moved[1] == pytest.approx(y, abs=0.01)


def test_keys_in_the_view_are_not_the_notebooks(view: View, shown: Notebook) -> None:
    cells = "jupyterapp.shell.currentWidget.content.widgets.length"
    before = shown.page.evaluate(cells)

    # In a notebook these would delete the cell, and make new ones.
    for key in ("d", "d", "a", "b"):
        view.press(key)

    assert shown.page.evaluate(cells) == before


def test_escape_gives_the_keys_back_to_the_notebook(view: View) -> None:
    view.press("Escape")

    assert view.canvas.evaluate(
        "canvas => document.activeElement !== canvas && document.activeElement !== document.body"
    )


def test_one_finger_turns(view: View) -> None:
    before = view.pixels()

    turned = view.after(lambda: view.fingers(*([(0.5 + step / 50, 0.5 + step / 100)] for step in range(11))))

    assert changed(before, turned) > 0.05


def test_two_fingers_zoom(view: View) -> None:
    before = surface(view.pixels())
    spread = ([(0.45 - step / 50, 0.5), (0.55 + step / 50, 0.5)] for step in range(6))

    nearer = surface(view.after(lambda: view.fingers([(0.45, 0.5)], *spread)))

    assert nearer > before * 1.5


def test_a_finger_in_the_view_does_not_scroll_a_touch_screen(browser: Browser, shown: Notebook) -> None:
    with window(browser, has_touch=True, is_mobile=True, viewport={"width": 800, "height": 600}) as context:
        opened = Notebook(context.new_page(), shown.server, shown.name).open()
        view = opened.view().live()
        view.rests()
        place = view.box
        before = view.pixels()

        turned = view.after(lambda: view.fingers(*([(0.5, 0.5 + step / 25)] for step in range(11))))

        assert view.box == place
        assert changed(before, turned) > 0.05
