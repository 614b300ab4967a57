"""Jupyter behind a prefix and behind a reverse proxy, as hubs and portals put it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import SIX_LINES, Keep
from tests.browser.jupyter import Server, write_notebook
from tests.browser.notebook import Notebook
from tests.browser.view import changed
from tests.chaos.line import Line

BASE = "/user/x/proxy/"


@pytest.fixture
def prefixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server.jupyter(tmp_path_factory.mktemp("prefixed"), base=BASE) as server:
        write_notebook(server.root / "prefixed.ipynb", [SIX_LINES])
        yield server
        server.end_kernels()


def test_a_view_lives_below_a_prefix_behind_a_proxy(prefixed: Server, page: Page, keep: Keep) -> None:
    with Line(prefixed.port) as line:
        opened = Notebook(page, prefixed, "prefixed.ipynb").open(base=f"http://127.0.0.1:{line.port}{BASE}")
        opened.run()
        view = opened.view().live()
        before = view.rests()
        keep(page, "below-a-prefix")

        assert changed(before, view.after(view.drag)) > 0.05
        assert [each.request.split()[1].startswith(f"{BASE}pvlink/") for each in line.views] == [True]


@pytest.mark.soak
def test_a_proxy_that_closes_what_is_silent_for_a_minute_never_closes_a_view(shown: Notebook, page: Page) -> None:
    with Line(shown.server.port, idle_s=60) as line:
        opened = Notebook(page, shown.server, shown.name).open(base=f"http://127.0.0.1:{line.port}/")
        view = opened.view().live()
        before = view.rests()
        (link,) = line.views

        # Below two minutes: then JupyterLab saves by itself, and asks about the other tab on this file.
        page.wait_for_timeout(75_000)

        assert line.views == [link]
        assert view.state == "live"
        assert changed(before, view.after(view.drag)) > 0.05
