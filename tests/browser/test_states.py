"""When something dies the cell says what, keeps the last picture, and says what to do."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.browser.conftest import SIX_LINES, Keep, Open
from tests.browser.view import HOST, View, blank, changed

CLEAR = "() => jupyterapp.commands.execute('notebook:clear-all-cell-outputs').then(() => 0)"


def shows(view: View, state: str) -> str:
    """The state's sentence, once it is there to be read."""
    view.becomes(state)
    view.steady()
    return view.sentence


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_killed_engine_is_said_and_its_picture_stays(notebook: Open, keep: Keep) -> None:
    opened = notebook(SIX_LINES)
    opened.run()
    view = opened.view().live()
    before = view.rests()

    os.kill(opened.processes()[0], signal.SIGKILL)
    sentence = shows(view, "lost")
    keep(opened.page, "state-engine-killed")

    assert "pvlink.session().restart()" in sentence
    assert changed(before, view.pixels()) == 0.0

    # So does running the cell again, which begins with nothing.
    opened.run()
    assert not blank(opened.view().live().rests())


def test_a_killed_kernel_is_said_and_its_picture_stays(notebook: Open, keep: Keep) -> None:
    opened = notebook(SIX_LINES, app="lab")
    opened.run()
    view = opened.view().live()
    before = view.rests()

    os.kill(int(opened.ask("import os; print(os.getpid())")), signal.SIGKILL)
    sentence = shows(view, "ended")
    keep(opened.page, "state-kernel-killed")

    assert "Run the" in sentence
    assert changed(before, view.pixels()) == 0.0


def test_a_deleted_view_is_said_and_its_picture_stays(notebook: Open, keep: Keep) -> None:
    opened = notebook(SIX_LINES, "Delete(GetActiveView())")
    opened.run(0)
    view = opened.view().live()
    before = view.rests()

    opened.run(1)
    sentence = shows(view, "gone")
    keep(opened.page, "state-deleted")

    assert "deleted" in sentence
    assert "display" in sentence
    assert changed(before, view.pixels()) == 0.0


@pytest.mark.soak
def test_a_long_update_shows_that_paraview_is_at_work(notebook: Open, keep: Keep) -> None:
    slow = "contour.Input = Wavelet(WholeExtent=[-150, 150] * 3); Render()"
    opened = notebook(SIX_LINES, slow)
    opened.run(0)
    view = opened.view().live()
    view.rests()

    opened.page.evaluate("""() => {
      jupyterapp.shell.currentWidget.content.activeCellIndex = 1;
      window.pvlinkRun = jupyterapp.commands.execute('notebook:run-cell');
    }""")
    view.becomes("busy")
    opened.page.wait_for_timeout(1000)
    keep(opened.page, "state-busy")
    opened.ended()

    view.becomes("live")


def test_a_cleared_output_ends_its_link(notebook: Open) -> None:
    opened = notebook(SIX_LINES)
    opened.run()
    opened.view().live()
    clients = f"print(pvlink.session().stats({opened.shown()!r})['clients'])"
    assert opened.ask(clients) == "1"

    opened.page.evaluate(CLEAR)
    opened.page.locator(HOST).wait_for(state="detached")

    until(lambda: opened.ask(clients) == "0")


def test_a_closed_notebook_ends_its_link(notebook: Open) -> None:
    opened = notebook(SIX_LINES)
    with opened.page.expect_event("websocket", lambda socket: "/pvlink/" in socket.url) as link:
        opened.run()
        opened.view().live()
    assert not link.value.is_closed()

    opened.close()
    opened.page.locator(HOST).wait_for(state="detached")
    # Playwright hears of it while it works for us.
    opened.page.wait_for_timeout(500)

    assert link.value.is_closed()
