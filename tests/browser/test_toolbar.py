"""The tool bar: reachable by keyboard, named for screen readers, at home in a dark theme."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Keep
from tests.browser.notebook import Notebook
from tests.browser.view import View, changed

LABELS = ["Reset camera", "Standard views", "Save screenshot", "Statistics", "Full screen"]
FOCUSED = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"


def to_tool(view: View, label: str) -> None:
    """From the picture to a tool, by keys alone."""
    view.canvas.focus()
    view.page.keyboard.press("Tab")
    for _ in LABELS:
        if view.page.evaluate(FOCUSED) == label:
            return
        view.page.keyboard.press("ArrowRight")
    raise AssertionError(f"no key leads to {label}")


def test_every_tool_is_reached_by_keys_and_has_a_name(view: View, keep: Keep) -> None:
    view.canvas.focus()
    view.page.keyboard.press("Tab")
    found = []
    for _ in LABELS:
        found.append(view.page.evaluate(FOCUSED))
        view.page.keyboard.press("ArrowRight")
    keep(view.page, "toolbar-focus")

    assert found == LABELS
    expect(view.host.get_by_role("toolbar")).to_have_attribute("aria-label", "View tools")
    expect(view.canvas).to_have_attribute("aria-label", re.compile("ParaView view. Keys: .*R resets"))


def test_the_reset_tool_brings_everything_back(view: View) -> None:
    before = view.pixels()
    nearer = view.after(lambda: view.press("+"))
    to_tool(view, "Reset camera")

    reset = view.after(lambda: view.page.keyboard.press("Enter"))

    assert changed(before, nearer) > 0.05
    assert changed(before, reset) < 0.01


def test_the_standard_views_are_a_menu(view: View, keep: Keep) -> None:
    by_key = view.after(lambda: view.press("i"))
    view.after(lambda: view.press("z"))
    to_tool(view, "Standard views")
    view.page.keyboard.press("Enter")
    keep(view.page, "toolbar-standard-views")
    view.page.keyboard.press("End")
    assert "Isometric" in view.page.evaluate(FOCUSED)

    by_menu = view.after(lambda: view.page.keyboard.press("Enter"))

    assert changed(by_key, by_menu) == 0.0


def test_a_screenshot_is_the_picture(view: View, tmp_path: Path) -> None:
    to_tool(view, "Save screenshot")

    with view.page.expect_download() as download:
        view.page.keyboard.press("Enter")
    download.value.save_as(tmp_path / "saved.png")

    assert download.value.suggested_filename.endswith(".png")
    saved = np.asarray(Image.open(io.BytesIO((tmp_path / "saved.png").read_bytes())).convert("RGB"))
    assert changed(view.pixels(), saved) == 0.0


def test_statistics_are_shown_and_hidden(view: View, keep: Keep) -> None:
    panel = view.host.get_by_role("table", name="Statistics of this view")
    to_tool(view, "Statistics")
    view.page.keyboard.press("Enter")
    view.after(view.drag)
    expect(panel).to_contain_text("Latency, median")
    expect(panel).to_contain_text("PNG")
    keep(view.page, "toolbar-statistics")

    view.press("s")

    expect(panel).to_be_hidden()


def test_full_screen_fills_the_screen_and_escape_leaves_it(view: View, keep: Keep) -> None:
    small = view.box
    to_tool(view, "Full screen")
    view.page.keyboard.press("Enter")
    view.until("!!document.fullscreenElement")
    view.until("host.querySelector('canvas').width === innerWidth * devicePixelRatio")
    full = view.rests()
    keep(view.page, "toolbar-full-screen")

    view.press("Escape")
    view.until("!document.fullscreenElement")
    view.until("host.querySelector('canvas').width === host.querySelector('canvas').clientWidth")

    assert full.shape[1] > small[2] * 1.2
    assert view.rests().shape[1] == round(small[2])


def test_the_tools_are_at_home_in_a_dark_theme(view: View, shown: Notebook, keep: Keep) -> None:
    theme = "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })"
    bar = view.host.get_by_role("toolbar")
    colour = "bar => getComputedStyle(bar).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    shown.page.evaluate(theme, "JupyterLab Dark")
    try:
        view.until("document.body.dataset.jpThemeLight === 'false'")
        shown.page.mouse.move(*view.at(0.5, 0.5))
        to_tool(view, "Standard views")
        view.page.keyboard.press("Enter")
        shown.page.wait_for_timeout(300)
        keep(shown.page, "toolbar-dark")
        assert max(bar.evaluate(colour)) < 80
        view.page.keyboard.press("Escape")
    finally:
        shown.page.evaluate(theme, "JupyterLab Light")
