"""A cut, a sleep, a reload: the view comes back by itself. Two viewers stay in step; a hidden one asks for nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import SIX_LINES, Keep, Open
from tests.browser.jupyter import Server
from tests.browser.notebook import BEGIN, Notebook
from tests.browser.view import View, changed
from tests.chaos.crowd import share
from tests.chaos.figures import note
from tests.chaos.line import Line


@pytest.fixture(scope="module")
def line(jupyter: Server) -> Iterator[Line]:
    with Line(jupyter.port) as line:
        yield line


@pytest.fixture(scope="module")
def far_away(line: Line, context: BrowserContext, shown: Notebook) -> Iterator[Notebook]:
    """The shared notebook, opened at the far end of the line."""
    page = context.new_page()
    yield Notebook(page, shown.server, shown.name).open(base=f"http://127.0.0.1:{line.port}/")
    page.close()


@pytest.fixture
def through(far_away: Notebook) -> Notebook:
    far_away.page.bring_to_front()
    view = far_away.view().live()
    view.after(lambda: view.press("z"))
    return far_away


def test_a_view_comes_back_after_a_cut(line: Line, through: Notebook) -> None:
    view = through.view()
    before = view.pixels()

    line.cut()
    view.becomes("reconnecting")
    assert changed(before, view.pixels()) == 0.0
    view.becomes("live")

    assert changed(before, view.after(view.drag)) > 0.05


@pytest.mark.trust
@pytest.mark.soak
@pytest.mark.parametrize("cuts", [8, 50])
def test_a_frame_comes_soon_after_each_cut(line: Line, through: Notebook, cuts: int) -> None:
    view = through.view()
    chance = random.Random(12)
    took = []
    for _ in range(cuts):
        through.page.wait_for_timeout(chance.uniform(0, 1500))
        moment = view.host.evaluate("() => performance.now()")
        line.cut("reset" if chance.random() < 0.5 else "close")
        view.until("host.pvlinkPaints.at(-1).at > argument", moment)
        took.append((next(paint.at for paint in view.paints() if paint.at > moment) - moment) / 1e3)
    note("a frame after a cut, in the browser", cuts=cuts, p50=share(took, 0.5), p95=share(took, 0.95), worst=max(took))
    assert share(took, 0.95) <= 2.0


@pytest.mark.trust
@pytest.mark.soak
@pytest.mark.parametrize("seconds", [20, 120])
def test_a_silent_line_is_noticed_and_the_view_comes_back_when_it_ends(
    line: Line, through: Notebook, seconds: float
) -> None:
    view = through.view()
    before = view.pixels()
    began = time.monotonic()
    line.silence_all()
    try:
        view.becomes("reconnecting", timeout=15_000)
        noticed = time.monotonic() - began
        assert changed(before, view.pixels()) == 0.0
        through.page.wait_for_timeout((seconds - noticed) * 1e3)
        painted = len(view.paints())
    finally:
        line.resume()
    resumed = time.monotonic()
    view.until("host.pvlinkPaints.length > argument", painted)
    back = time.monotonic() - resumed
    view.becomes("live")
    note("a silent line, in the browser", silent_s=seconds, noticed_s=noticed, back_s=back)
    assert back < 10


def test_a_view_says_that_the_server_is_away_and_keeps_its_picture(line: Line, through: Notebook, keep: Keep) -> None:
    view = through.view()
    before = view.pixels()

    line.down()
    view.becomes("reconnecting")
    # Jupyter's own dialogue about the lost server comes later.
    view.steady()
    keep(through.page, "state-reconnecting")
    assert "Connection lost" in view.sentence
    assert changed(before, view.pixels()) == 0.0
    line.up()
    view.becomes("live")

    assert changed(before, view.after(view.drag)) > 0.05


def test_a_view_notices_after_a_sleep_that_its_line_is_dead(line: Line, through: Notebook) -> None:
    view = through.view()
    before = view.pixels()

    line.silence()
    through.page.evaluate("dispatchEvent(new Event('online'))")
    view.becomes("reconnecting", timeout=10_000)
    view.becomes("live")

    assert changed(before, view.after(view.drag)) > 0.05


def test_a_view_comes_back_when_the_computer_is_online_again(through: Notebook) -> None:
    view = through.view()
    network = through.page.context.new_cdp_session(through.page)
    away = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", {"offline": True, **away})
    network.send("Network.emulateNetworkConditions", {"offline": False, **away})

    view.becomes("live")
    before = view.rests()
    assert changed(before, view.after(view.drag)) > 0.05


def test_a_reload_while_the_kernel_is_busy_brings_the_view_back_alive(notebook: Open, keep: Keep) -> None:
    opened = notebook(SIX_LINES, BEGIN + "while True: pass", app="lab")
    opened.run(0)
    view = opened.view().live()
    before = view.after(view.drag)
    opened.save()
    opened.start(1)

    opened.reload()
    view = opened.view().live()
    assert changed(before, view.rests()) < 0.01
    turned = view.after(view.drag)
    keep(opened.page, "reload-while-busy")
    opened.page.evaluate("() => jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.interrupt()")

    assert changed(before, turned) > 0.05


@pytest.mark.soak
def test_two_tabs_on_one_notebook_stay_in_step(shown: Notebook, page: Page, view: View) -> None:
    other = Notebook(page, shown.server, shown.name).open().view().live()
    other.rests()
    shown.page.bring_to_front()
    before = view.rests()

    frame = other.frame
    turned = view.after(view.drag)
    other.painted_after(frame)

    assert changed(before, turned) > 0.05
    assert changed(turned, other.rests()) == 0.0


@pytest.mark.soak
def test_two_cells_on_one_view_stay_in_step(notebook: Open, keep: Keep) -> None:
    opened = notebook(
        SIX_LINES.replace("display(GetActiveView())", "pvlink.show(height=300)"), "pvlink.show(height=300)"
    )
    opened.run(0)
    opened.run(1)
    one, other = opened.view(0).live(), opened.view(1).live()
    before = other.rests()
    one.rests()

    turned = other.after(one.drag)
    keep(opened.page, "two-cells")

    assert changed(before, turned) > 0.05
    assert changed(turned, one.rests()) == 0.0
    assert opened.stats(0)["clients"] == 2


def test_a_view_that_is_scrolled_away_asks_for_nothing(notebook: Open) -> None:
    opened = notebook(SIX_LINES, "print('line\\n' * 300)", "contour.Isosurfaces = [210.0]")
    opened.run(0)
    view = opened.view().live()
    before = view.rests()
    opened.run(1)
    opened.page.evaluate("() => jupyterapp.shell.currentWidget.content.scrollToItem(2)")
    opened.page.evaluate("() => jupyterapp.shell.currentWidget.content.widgets[2].node.scrollIntoView()")
    # One answer of the streamer later it knows.
    opened.page.wait_for_timeout(500)
    assert view.box[1] < -500
    sent = opened.stats()["frames"]

    opened.run(2)
    opened.page.wait_for_timeout(1000)
    assert opened.stats()["frames"] == sent

    view.host.evaluate("host => host.scrollIntoView()")
    view.painted_after(view.frame)
    assert changed(before, view.rests()) > 0.05


@pytest.mark.soak
def test_a_view_in_a_hidden_tab_asks_for_nothing(through: Notebook, shown: Notebook) -> None:
    view = through.view()
    hide = """(state) => {
      Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    before, painted = view.pixels(), len(view.paints())

    through.page.evaluate(hide, "hidden")
    shown.page.bring_to_front()
    seen = shown.view()
    turned = seen.after(seen.drag)
    assert len(view.paints()) == painted

    through.page.evaluate(hide, "visible")
    view.until("host.pvlinkPaints.length > argument", painted)
    after = view.rests()
    assert changed(before, after) > 0.05
    assert changed(turned, after) < 0.01
