"""kill -9 of what holds up a view that is on the screen: the cell says what to do, doing it helps, nothing is left."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import SIX_LINES, Keep
from tests.browser.jupyter import Server, write_notebook
from tests.browser.notebook import Notebook
from tests.browser.view import HOST, View, blank, changed
from tests.integration.household import household, listeners, until, x_socket

pytestmark = pytest.mark.trust

CELLS = [SIX_LINES.replace("display(GetActiveView())", "pvlink.show(height=400)"), "pvlink.session().restart()"]
# Grows with each state that the engine has written down.
SAVED = "state = pvlink.session()._place.saved.newest(); print(state.number if state else 0)"


class House:
    """A Jupyter server whose household is known by a directory of its own."""

    def __init__(self, server: Server, directory: Path) -> None:
        self.server = server
        self.directory = directory

    def kill_jupyter(self) -> None:
        process = self.server._process
        assert process is not None
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="pv") as directory:
        patch.setenv("PVLINK_RUNTIME_DIR", directory)
        with Server.jupyter(tmp_path_factory.mktemp("killed")) as server:
            yield House(server, Path(directory))
            server.end_kernels()
        # Who started it ended it: no process, no socket, no file.
        until(lambda: not household(Path(directory)))
        assert list(Path(directory).iterdir()) == []


# One for all: a page that has JupyterLab already is quicker.
@pytest.fixture(scope="module")
def lab(house: House, context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    page.goto(f"{house.server.url}lab?token={house.server.token}")
    page.wait_for_function("window.jupyterapp?.restored.then(() => true)", timeout=90_000)
    yield page
    page.close()


@pytest.fixture
def opened(request: pytest.FixtureRequest, house: House, lab: Page) -> Iterator[Notebook]:
    """A notebook whose first cell shows a view, at rest and written down."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    write_notebook(house.server.root / f"{name}.ipynb", CELLS)
    lab.bring_to_front()
    notebook = Notebook(lab, house.server, f"{name}.ipynb").open_on_desk()
    notebook.run()
    view = notebook.view().live()
    view.rests()
    view.host.evaluate("host => { host.dataset.same = 'yes'; }")
    until(lambda: notebook.ask(SAVED) != "0")
    yield notebook
    notebook.close()
    house.server.end_kernels()


def says(view: View, state: str, keep: Keep, name: str) -> str:
    view.becomes(state)
    view.steady()
    keep(view.page, f"killed-{name}")
    return view.sentence


def is_the_same(view: View) -> bool:
    """The viewer that was there before, not a new one in its place."""
    return view.host.get_attribute("data-same") == "yes"


def turns(view: View) -> bool:
    before = view.rests()
    return changed(before, view.after(view.drag)) > 0.05


@pytest.mark.parametrize("who", ["engine", pytest.param("streamer", marks=pytest.mark.soak)])
def test_restart_brings_the_view_back_in_its_cell(who: str, opened: Notebook, keep: Keep) -> None:
    view = opened.view()
    # Where a hand has left the camera is written down, too.
    number = opened.ask(SAVED)
    before = view.after(view.drag)
    until(lambda: opened.ask(SAVED) != number)
    engine, streamer = opened.processes()

    os.kill({"engine": engine, "streamer": streamer}[who], signal.SIGKILL)
    assert "pvlink.session().restart()" in says(view, "lost", keep, who)
    # Also when it has asked again, and heard that there is no such session.
    opened.page.wait_for_timeout(600)
    assert view.state == "lost"
    assert "pvlink.session().restart()" in says(view, "lost", keep, f"{who}-later")
    assert changed(before, view.pixels()) == 0.0

    painted = len(view.paints())
    opened.run(1)
    view.until("host.dataset.pvlinkState === 'live' && host.pvlinkPaints.length > argument", painted)
    assert is_the_same(view)
    assert changed(before, view.rests()) < 0.01
    assert turns(view)


@pytest.mark.soak
def test_a_killed_kernel_begins_anew_in_the_same_cell(opened: Notebook, keep: Keep) -> None:
    view = opened.view()
    before = view.rests()
    engine, streamer = opened.processes()
    os.kill(int(opened.ask("import os; print(os.getpid())")), signal.SIGKILL)

    assert "Run the cells again" in says(view, "ended", keep, "kernel")
    assert changed(before, view.pixels()) == 0.0
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in (engine, streamer)))

    # Jupyter has noticed, too, and started another.
    opened.page.locator(".jp-Dialog button.jp-mod-accept").click()
    opened.page.locator(".jp-Dialog").wait_for(state="detached")
    opened.ready()
    opened.run()
    again = opened.view().live()
    assert not blank(again.rests())
    assert turns(again)


@pytest.mark.soak
def test_a_closed_tab_leaves_the_session_and_finds_it_again(
    house: House, opened: Notebook, context: BrowserContext
) -> None:
    view = opened.view()
    opened.save()
    clients = f"print(pvlink.session().stats({opened.shown()!r})['clients'])"
    page = context.new_page()
    other = Notebook(page, house.server, opened.name).open()
    theirs = other.view().live()
    assert opened.ask(clients) == "2"
    turned = theirs.after(theirs.drag)
    page.close()
    until(lambda: opened.ask(clients) == "1")
    assert changed(turned, view.rests()) < 0.01

    # The last one, too.
    opened.close()
    opened.page.locator(HOST).wait_for(state="detached")
    found = opened.open_on_desk().view().live()
    assert opened.ask(clients) == "1"
    assert changed(turned, found.rests()) < 0.01


# The last: it takes the server away from under the others.
def test_a_killed_jupyter_ends_its_kernels_and_the_cell_says_what_to_do(
    house: House, opened: Notebook, keep: Keep
) -> None:
    view = opened.view()
    before = view.after(view.drag)
    opened.save()
    screen = x_socket(opened.ask("print(pvlink.session().about['screen'])"))
    assert screen.is_socket()
    assert len(listeners(house.directory)) == 1

    house.kill_jupyter()
    assert "Connection lost" in says(view, "reconnecting", keep, "jupyter")
    assert changed(before, view.pixels()) == 0.0
    until(lambda: not household(house.directory))
    assert listeners(house.directory) == []
    assert not screen.exists()

    house.server.__enter__()
    sentence = says(view, "ended", keep, "jupyter-again")
    assert "Run the cells again" in sentence
    assert changed(before, view.pixels()) == 0.0

    # Who reloads reads it, too, and what it says helps.
    opened.page.goto(f"{house.server.url}lab/tree/{opened.name}?token={house.server.token}&reset")
    opened.ready()
    opened.run()
    assert not blank(opened.view().live().rests())
