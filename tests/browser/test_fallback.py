"""Where the relay is not there the view comes through the kernel, and says what is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SIX_LINES, Keep
from tests.browser.view import HOST, View, blank, changed
from tests.browser.vscode_host import VsCode

pytestmark = pytest.mark.ways


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VsCode]:
    with VsCode(tmp_path_factory.mktemp("editor")) as editor:
        yield editor


def test_in_vs_code_the_view_comes_through_the_kernel(editor: VsCode, page: Page, keep: Keep) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"thrown: {error.message}"))
    page.goto(editor.url)
    editor.run(SIX_LINES)
    view = View(page, page.frame_locator("#outputs").locator(HOST).first).live()
    first = view.rests()
    turned = view.after(view.drag)
    note = page.frame_locator("#outputs").locator(".pvlink-note")
    keep(page, "fallback-vscode")

    assert not blank(first)
    assert changed(first, turned) > 0.05
    expect(note).to_contain_text("VS Code")
    # Nothing was tried that the page's policy forbids.
    assert said == []

    editor.begin("import time\nwhile True: time.sleep(0.05)")
    view.becomes("busy")
    assert "until the cell has ended" in view.sentence
    keep(page, "fallback-busy")
    frame = view.frame
    view.drag(0.3, 0.0)
    editor.interrupt()
    view.becomes("live")
    assert view.frame == frame
    again = view.after(view.drag)
    assert changed(turned, again) > 0.02

    note.get_by_role("button").click()
    expect(note).to_be_hidden()
