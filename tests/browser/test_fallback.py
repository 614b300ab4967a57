"""Where the relay is not there the view comes through the kernel, and says what is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SIX_LINES, Keep, Open, window
from tests.browser.jupyter import Server, write_notebook
from tests.browser.notebook import BEGIN, Notebook
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
    view.steady()
    keep(page, "fallback-busy")
    frame = view.frame
    view.drag(0.3, 0.0)
    editor.interrupt()
    view.becomes("live")
    assert view.frame == frame
    again = view.after(view.drag)
    assert changed(turned, again) > 0.02

    # A view that is shown by a cell that goes on: a sentence, and live when the cell has ended.
    editor.begin("display(pvlink.show())\nwhile True: time.sleep(0.05)")
    second = View(page, page.frame_locator("#outputs").locator(HOST).nth(1))
    second.becomes("busy")
    assert "The kernel does not answer: it is busy, or has ended." in second.sentence
    editor.interrupt()
    second.live()

    note.first.get_by_role("button").click()
    expect(note.first).to_be_hidden()


def test_the_voila_command_shows_a_live_dashboard(tmp_path: Path, page: Page, keep: Keep) -> None:
    server = Server.voila(tmp_path / "voila", "alone.ipynb")
    write_notebook(server.root / "alone.ipynb", [SIX_LINES.replace("start()", 'start(role="control")')])
    with server:
        page.goto(server.url)
        view = View(page, page.locator(HOST).first).live()
        first = view.rests()
        turned = view.after(view.drag)
        keep(page, "fallback-voila")

        assert changed(first, turned) > 0.05
        expect(page.locator(HOST)).to_have_count(1)
        expect(page.locator(".pvlink-note")).to_contain_text("The voila command")


# As on another host: the Jupyter server does not find the session.
ELSEWHERE = """\
import os, tempfile
folder = tempfile.TemporaryDirectory(prefix="pv")
os.environ["PVLINK_RUNTIME_DIR"] = folder.name
"""
DIRECT = "import pvlink; print(pvlink.session().ask('direct', host='127.0.0.1')['door']['url'])"
DIRECTLY = ELSEWHERE + SIX_LINES.replace("start()", "start(direct='127.0.0.1')").replace("display(", "view = (")


@pytest.mark.soak
def test_a_kernel_on_another_machine_is_seen_through_its_messages(notebook: Open, keep: Keep) -> None:
    opened = notebook(ELSEWHERE + SIX_LINES, BEGIN + "import time\nwhile True: time.sleep(0.05)")
    opened.run(0)
    view = opened.view().live()
    first = view.rests()
    turned = view.after(view.drag)
    note = opened.page.locator(".pvlink-note")
    keep(opened.page, "fallback-elsewhere")

    assert changed(first, turned) > 0.05
    expect(note).to_contain_text("on another machine")
    expect(opened.page.locator(HOST)).to_have_count(1)
    opened.save()
    opened.start(1)
    view.becomes("busy")
    # Opened while the kernel is busy, the page shows the picture it has; then it is live by itself.
    opened.reload()
    expect(opened.page.locator(".pvlink-saved")).to_contain_text("Saved picture")
    keep(opened.page, "fallback-reloaded")
    opened.page.wait_for_function(KERNEL)
    opened.page.evaluate(INTERRUPT)
    again = opened.view().live()
    assert changed(again.rests(), turned) < 0.01


KERNEL = "() => jupyterapp.shell.currentWidget.context.sessionContext.session?.kernel"
INTERRUPT = f"{KERNEL}.interrupt()"


@pytest.mark.soak
def test_a_direct_door_is_taken_where_the_browser_knows_its_certificate(
    jupyter: Server, browser: Browser, keep: Keep
) -> None:
    write_notebook(jupyter.root / "direct.ipynb", [DIRECTLY])
    others = jupyter.kernels()
    with window(browser, ignore_https_errors=True) as context:
        opened = Notebook(context.new_page(), jupyter, "direct.ipynb", others=others).open()
        opened.run(0)
        url = opened.ask(DIRECT)
        sockets: list[str] = []
        opened.page.on("websocket", lambda socket: sockets.append(socket.url))
        opened.page.evaluate(SHOW)
        view = opened.view().live()
        first = view.rests()
        turned = view.after(view.drag)
        keep(opened.page, "fallback-direct")

        assert changed(first, turned) > 0.05
        assert url in sockets
        expect(opened.page.locator(".pvlink-note")).to_be_hidden()
        opened.end_kernel()


SHOW = """() => {
  const { content } = jupyterapp.shell.currentWidget;
  content.activeCell.model.sharedModel.setSource('display(GetActiveView())');
  return jupyterapp.commands.execute('notebook:run-cell').then(() => 0);
}"""


@pytest.mark.soak
def test_a_door_whose_certificate_is_not_accepted_is_named_in_the_line(notebook: Open, keep: Keep) -> None:
    opened = notebook(DIRECTLY, "display(GetActiveView())")
    opened.run(0)
    opened.run(1)
    view = opened.view().live()
    assert not blank(view.rests())
    link = opened.page.locator(".pvlink-note a")
    keep(opened.page, "fallback-certificate")

    expect(link).to_be_visible()
    expect(link).to_have_attribute("href", opened.ask(DIRECT).replace("wss:", "https:").removesuffix("ws"))


def test_without_the_server_extension_notebook_7_shows_a_live_view(
    tmp_path: Path, browser: Browser, keep: Keep
) -> None:
    server = Server.jupyter(tmp_path / "plain")
    settings = tmp_path / "plain" / "config" / "jupyter_server_config.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"ServerApp": {"jpserver_extensions": {"pvlink.server": False}}}))
    write_notebook(server.root / "plain.ipynb", [SIX_LINES])
    with server, window(browser) as context:
        opened = Notebook(context.new_page(), server, "plain.ipynb").open("notebook")
        opened.run(0)
        view = opened.view().live()
        first = view.rests()
        turned = view.after(view.drag)
        keep(opened.page, "fallback-notebook-7")

        assert changed(first, turned) > 0.05
        expect(opened.page.locator(HOST)).to_have_count(1)
        expect(opened.page.locator(".pvlink-note")).to_contain_text("install pvlink where Jupyter runs")
        server.end_kernels()


# A widget that is made before its manager is there is lost.
CLASSIC = """
!!window.Jupyter?.notebook?.kernel?.comm_manager?.targets['jupyter.widget']
&& Jupyter.notebook.kernel.is_connected() && Jupyter.notebook.kernel.info_reply?.status === 'ok'
"""


@pytest.mark.soak
def test_nbclassic_shows_a_live_view_through_the_relay(jupyter: Server, page: Page, keep: Keep) -> None:
    before = jupyter.kernels()
    write_notebook(jupyter.root / "classic.ipynb", [SIX_LINES])
    page.goto(f"{jupyter.url}nbclassic/notebooks/classic.ipynb?token={jupyter.token}")
    page.wait_for_function(CLASSIC)
    page.evaluate("() => Jupyter.notebook.get_cell(0).execute()")
    view = View(page, page.locator(HOST).first).live()
    first = view.rests()
    turned = view.after(view.drag)
    keep(page, "fallback-nbclassic")

    assert changed(first, turned) > 0.05
    expect(page.locator(".pvlink-note")).to_be_hidden()
    jupyter.end_kernels(but=before)
