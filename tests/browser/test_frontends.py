"""The view in each front end: seen, turned, and changed by the next cell."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import SIX_LINES, Keep, Open
from tests.browser.jupyter import Server, write_notebook
from tests.browser.view import HOST, View, blank, changed


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_a_view_is_seen_turned_and_changed(app: str, notebook: Open, keep: Keep) -> None:
    opened = notebook(SIX_LINES, "contour.Isosurfaces = [210.0]", app=app)
    opened.run(0)
    view = opened.view().live()
    first = view.rests()

    turned = view.after(view.drag)
    cut = view.after(lambda: opened.run(1))
    keep(opened.page, f"frontend-{app}")

    assert not blank(first)
    assert changed(first, turned) > 0.05
    assert changed(turned, cut) > 0.05


def test_a_view_in_voila_on_a_jupyter_server_is_seen_and_turned_where_its_author_says_so(
    jupyter: Server, page: Page, notebook: Open, keep: Keep
) -> None:
    cell = SIX_LINES.replace("pvlink.start()", 'pvlink.start(role="control")')
    write_notebook(jupyter.root / "voila.ipynb", [cell])
    page.goto(f"{jupyter.url}voila/render/voila.ipynb?token={jupyter.token}")
    view = View(page, page.locator(HOST).first).live()
    first = view.rests()

    turned = view.after(view.drag)
    keep(page, "frontend-voila")

    assert not blank(first)
    assert changed(first, turned) > 0.05
