"""The picture is as large as its cell, in the pixels of the screen."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Browser

from tests.browser.conftest import SIX_LINES, Keep, Open, window
from tests.browser.notebook import Notebook
from tests.browser.view import View


def fits(view: View) -> bool:
    """Whether the newest frame has the size of the cell."""
    ratio = view.page.evaluate("devicePixelRatio")
    _, _, width, height = view.box
    rows, columns, _ = view.pixels().shape
    return abs(columns - width * ratio) <= 1 and abs(rows - height * ratio) <= 1


def test_a_screen_of_double_density_gets_every_pixel(browser: Browser, shown: Notebook, view: View, keep: Keep) -> None:
    with window(browser, device_scale_factor=2) as context:
        opened = Notebook(context.new_page(), shown.server, shown.name).open()
        view = opened.view().live()
        view.fits()
        sharp = view.rests()
        keep(opened.page, "size-double-density")

        assert fits(view)
        assert sharp.shape[1] == 2 * round(view.box[2])
        blown_up = sharp[::2, ::2].repeat(2, axis=0).repeat(2, axis=1)
        assert np.abs(sharp.astype(int) - blown_up).max() > 64


def test_the_picture_follows_the_window_and_the_corner(notebook: Open, keep: Keep) -> None:
    opened = notebook(SIX_LINES)
    opened.run()
    view = opened.view().live()
    view.rests()
    wide = view.box[2]

    opened.page.set_viewport_size({"width": 900, "height": 900})
    view.fits()
    view.rests()
    assert fits(view)
    assert view.box[2] < wide - 200

    left, top, width, height = view.box
    mouse = opened.page.mouse
    mouse.move(left + width - 4, top + height - 4)
    mouse.down()
    mouse.move(left + width - 4, top + height - 154, steps=5)
    mouse.up()
    view.fits()
    view.rests()
    keep(opened.page, "size-after-corner")
    assert fits(view)
    assert abs(view.box[3] - (height - 150)) < 10
