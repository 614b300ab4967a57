"""A notebook in a front end: opened, its cells run, its kernel asked."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page

from tests.browser.jupyter import Server
from tests.browser.view import HOST, View

MIME = "application/vnd.pvlink.view+json"
PATIENCE_MS = 60_000.0
# Where each front end shows a notebook.
PATHS = {"lab": "lab/tree/{name}?token={token}&reset", "notebook": "notebooks/{name}?token={token}"}

OPEN = "!!(window.jupyterapp && jupyterapp.shell.currentWidget && jupyterapp.shell.currentWidget.context)"
# Answers whether the notebook and its kernel were there in time.
READY = """async milliseconds => {
  const { context } = jupyterapp.shell.currentWidget;
  const late = new Promise(resolve => setTimeout(resolve, milliseconds, false));
  const ready = async () => {
    await context.ready;
    await context.sessionContext.ready;
    await context.sessionContext.session.kernel.info;
    return true;
  };
  return Promise.race([late, ready()]);
}"""
OPEN_ON_DESK = (
    "path => jupyterapp.commands.execute('docmanager:open', { path, kernel: { name: 'python3' } }).then(() => 0)"
)
# Answers the errors of the cell's outputs once it has run.
RUN = """async (index) => {
  const { content } = jupyterapp.shell.currentWidget;
  content.activeCellIndex = index;
  content.deselectAll();
  await jupyterapp.commands.execute('notebook:run-cell');
  return (content.widgets[index].model.outputs?.toJSON() ?? [])
    .filter(output => output.output_type === 'error').map(output => output.traceback.join('\\n'));
}"""
START = """(index) => {
  const { content } = jupyterapp.shell.currentWidget;
  content.activeCellIndex = index;
  content.deselectAll();
  window.pvlinkRun = jupyterapp.commands.execute('notebook:run-cell');
}"""
# Code in the kernel that is in no cell; answers what it printed.
ASK = """async (code) => {
  const { kernel } = jupyterapp.shell.currentWidget.context.sessionContext.session;
  const request = kernel.requestExecute({ code, store_history: false });
  let text = '';
  let wrong = '';
  request.onIOPub = ({ header, content }) => {
    if (header.msg_type === 'stream') text += content.text;
    if (header.msg_type === 'error') wrong = content.traceback.join('\\n');
  };
  await request.done;
  return [text, wrong];
}"""
OUTPUTS = "index => jupyterapp.shell.currentWidget.content.widgets[index].model.outputs.toJSON()"
# First line of a cell that lasts.
BEGIN = "open('begun', 'w').close()\n"


class CellFailedError(Exception):
    """A cell raised; the message is its traceback."""


class Notebook:
    """A notebook on a page."""

    def __init__(self, page: Page, server: Server, name: str, *, others: Sequence[str] = ()) -> None:
        self.page = page
        self.server = server
        self.name = name
        self.path = server.root / name
        # Kernels that are none of ours.
        self._others = others

    def open(self, app: str = "lab", base: str | None = None, *, kernel: bool = True) -> Notebook:
        """`base`: where the server is to be found, if not where it listens."""
        address = PATHS[app].format(name=self.name, token=self.server.token)
        self.page.goto(f"{base or self.server.url}{address}")
        return self.ready(kernel=kernel)

    def open_on_desk(self) -> Notebook:
        """In a JupyterLab that is open already."""
        self.page.set_viewport_size({"width": 1200, "height": 900})
        self.page.evaluate(OPEN_ON_DESK, self.name)
        return self.ready()

    def close(self) -> None:
        """Without being asked whether to save it."""
        if not self.page.is_closed():
            self.page.evaluate("() => window.jupyterapp?.shell.currentWidget?.dispose()")

    def end_kernel(self) -> None:
        self.server.end_kernels(but=self._others)

    def reload(self) -> Notebook:
        self.page.reload()
        return self.ready(kernel=False)

    def ready(self, *, kernel: bool = True) -> Notebook:
        self.page.wait_for_function(OPEN, timeout=PATIENCE_MS)
        if kernel:
            assert self.hears_its_kernel(PATIENCE_MS), "the notebook has no kernel that answers"
        else:
            self.page.evaluate("() => jupyterapp.shell.currentWidget.context.ready")
        return self

    def hears_its_kernel(self, within_ms: float) -> bool:
        return bool(self.page.evaluate(READY, within_ms))

    def run(self, index: int = 0) -> None:
        """Run a cell and wait for its end."""
        if errors := self.page.evaluate(RUN, index):
            raise CellFailedError(errors[0])

    def start(self, index: int) -> None:
        """Run a cell that lasts, and come back when its first line has run. (What the kernel says of itself does not
        tell: inside a call that holds the interpreter's lock it says nothing.)"""
        begun = self.server.root / "begun"
        begun.unlink(missing_ok=True)
        self.page.evaluate(START, index)
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not begun.exists():
            assert time.monotonic() < deadline, "the cell did not begin"
            self.page.wait_for_timeout(20)

    def ended(self) -> None:
        """Wait for the end of that cell."""
        self.page.evaluate("() => window.pvlinkRun")

    def interrupt(self) -> None:
        """Interrupt it; in a kernel that is idle nothing happens."""
        self.page.evaluate("() => jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.interrupt()")
        self.ended()

    def ask(self, code: str) -> str:
        """What code prints that runs in the kernel, in no cell."""
        text, wrong = self.page.evaluate(ASK, code)
        if wrong:
            raise CellFailedError(wrong)
        return str(text).strip()

    def processes(self) -> list[int]:
        """Of engine and streamer."""
        said = self.ask("s = pvlink.session(); print(s.about['pid'], s._streamer.pid)")
        return [int(pid) for pid in said.split()]

    def shown(self, index: int = 0) -> str:
        """The name of the view that a cell shows."""
        found = (output["data"][MIME] for output in self.outputs(index) if MIME in output.get("data", {}))
        return str(next(found)["view"])

    def stats(self, index: int = 0) -> dict[str, Any]:
        """What the streamer has measured of the view that a cell shows."""
        stats: dict[str, Any] = json.loads(
            self.ask(f"import json; print(json.dumps(pvlink.session().stats({self.shown(index)!r})))")
        )
        return stats

    def outputs(self, index: int = 0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate(OUTPUTS, index)
        return found

    def save(self) -> None:
        self.page.evaluate("() => jupyterapp.shell.currentWidget.context.save()")

    def view(self, number: int = 0) -> View:
        """The page's nth view."""
        return View(self.page, self.page.locator(HOST).nth(number))
