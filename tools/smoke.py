"""`make smoke`: the demo without a person.

Runs a notebook in JupyterLab in a headless Chromium, waits for the live view, drags in it, and checks
that there was a picture and that it changed. Writes build/smoke.png. Says in a sentence what went wrong.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jupyter_core.paths import jupyter_runtime_dir
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Playwright, sync_playwright
from playwright.sync_api import Error as PlaywrightError

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "build" / "smoke.png"
LOG = ROOT / "build" / "smoke.log"

# A cold machine starts a kernel, ParaView and an X server before the first picture.
FIRST_PICTURE_S = 120.0
ANSWER_S = 30.0
# What a still changes against the frame on the way stays well below this share of the pixels; a turn does not.
CHANGED = 0.02

# No GPU, no sandbox inside containers, and nothing that would reach out to the network.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

OPEN = "!!(window.jupyterapp && jupyterapp.shell.currentWidget && jupyterapp.shell.currentWidget.context)"
RUN = """async () => {
  const { context } = jupyterapp.shell.currentWidget;
  await context.ready;
  await context.sessionContext.ready;
  await context.sessionContext.session.kernel.info;
  await jupyterapp.commands.execute('notebook:run-all-cells');
}"""
LIVE = "[data-pvlink-state='live']"
FRAMES = (
    """Math.max(0, ...[...document.querySelectorAll('[data-pvlink-frame]')].map(e => +e.dataset.pvlinkFrame || 0))"""
)
CELL_ERRORS = """jupyterapp.shell.currentWidget.content.widgets
  .flatMap(cell => cell.model.outputs ? cell.model.outputs.toJSON() : [])
  .filter(output => output.output_type === 'error').map(output => `${output.ename}: ${output.evalue}`)"""


class SmokeError(Exception):
    """What went wrong, as a sentence for the person who typed make smoke."""


@contextmanager
def lab(folder: Path, notebook: str) -> Iterator[str]:
    """JupyterLab on `folder`, away from the user's own settings; yields the notebook's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = folder / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    # Else a question about Jupyter's news covers a corner of the picture.
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--ServerApp.root_dir={folder / 'notebooks'}"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--LabApp.expose_app_in_browser=True"]
    env = {name: value for name, value in os.environ.items() if name not in {"JUPYTER_TOKEN", "JUPYTER_PORT"}}
    env["JUPYTER_CONFIG_DIR"] = str(folder / "config")
    with LOG.open("w") as log:
        server = subprocess.Popen(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield notebook_address(server, notebook)
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def notebook_address(server: subprocess.Popen[bytes], notebook: str) -> str:
    """From the file (0600) in which a Jupyter server says where it listens and with which token."""
    info = Path(jupyter_runtime_dir()) / f"jpserver-{server.pid}.json"
    deadline = time.monotonic() + FIRST_PICTURE_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SmokeError(
                f"JupyterLab ended at once (exit {server.returncode}); it said:\n{LOG.read_text()[-2000:]}"
            )
        if info.exists() and (text := info.read_text()):
            said = json.loads(text)
            return f"{said['url']}lab/tree/{notebook}?token={said['token']}&reset"
        time.sleep(0.1)
    raise SmokeError(f"JupyterLab did not start within {FIRST_PICTURE_S:.0f} s; see {LOG}")


def launch(playwright: Playwright) -> Browser:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("PVLINK_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    # None: the one that `playwright install` brought.
    return playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS)


def wait_for(page: Page, condition: str, seconds: float, what: str) -> None:
    """Wait until the JavaScript `condition` holds; a cell that failed meanwhile is the better message."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(condition):
        if errors := page.evaluate(CELL_ERRORS):
            raise SmokeError(f"the notebook's cell failed: {errors[0]}")
        if time.monotonic() > deadline:
            states = page.evaluate(
                "[...document.querySelectorAll('[data-pvlink-state]')].map(e => e.dataset.pvlinkState)"
            )
            raise SmokeError(
                f"{what} within {seconds:.0f} s (the view says {states or 'nothing'}; Jupyter's log is {LOG})"
            )
        page.wait_for_timeout(50)


def pixels(view: Locator) -> NDArray[np.int16]:
    """What a person would see in the cell."""
    return np.asarray(Image.open(io.BytesIO(view.screenshot())).convert("RGB")).astype(np.int16)


def is_blank(picture: NDArray[np.int16]) -> bool:
    """One colour, give or take what JPEG does to it; a view with anything in it spreads much wider."""
    return float(picture.std(axis=(0, 1)).max()) < 3.0


def changed(before: NDArray[np.int16], after: NDArray[np.int16]) -> float:
    """Share of the pixels that differ visibly; 1 when even the size does."""
    if before.shape != after.shape:
        return 1.0
    return float((np.abs(before - after).max(axis=2) > 16).mean())


def drag(page: Page, view: Locator) -> None:
    box = view.bounding_box()
    if box is None:
        raise SmokeError("the view has no size on the page")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] / 4, y + box["height"] / 8, steps=25)
    page.mouse.up()


def look(page: Page, address: str) -> str:
    """Run the notebook and drag in its view; says what was seen, or raises SmokeError."""
    page.goto(address)
    page.wait_for_function(OPEN, timeout=FIRST_PICTURE_S * 1000)
    started = time.monotonic()
    page.evaluate(RUN)
    wait_for(page, f'!!document.querySelector("{LIVE}") && {FRAMES} > 0', FIRST_PICTURE_S, "no live view appeared")
    first = time.monotonic() - started
    view = page.locator(".pvlink-picture").first
    view.scroll_into_view_if_needed()
    # Let the still arrive, so that what changes afterwards is the drag's doing.
    page.wait_for_timeout(1500)
    before = pixels(view)
    if is_blank(before):
        raise SmokeError("the view is live but blank")
    frame = page.evaluate(FRAMES)
    drag(page, view)
    wait_for(page, f"{FRAMES} > {frame}", ANSWER_S, "dragging brought no new frame")
    deadline = time.monotonic() + ANSWER_S
    while (share := changed(before, pixels(view))) < CHANGED:
        if time.monotonic() > deadline:
            raise SmokeError(f"dragging changed {share:.1%} of the picture; a turn changes more than {CHANGED:.0%}")
        page.wait_for_timeout(200)
    page.wait_for_timeout(1500)
    if is_blank(pixels(view)):
        raise SmokeError("the view went blank after the drag")
    frames = page.evaluate(FRAMES)
    return f"first picture after {first:.1f} s, {frames} frames, the drag changed {share:.0%} of the picture"


def main() -> None:
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.unlink(missing_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="pvlink-smoke-") as name, sync_playwright() as playwright:
            # A copy: running it must not write outputs into the checkout.
            folder = Path(name)
            (folder / "notebooks").mkdir()
            notebook = Path(shutil.copy(ROOT / sys.argv[1], folder / "notebooks"))
            with lab(folder, notebook.name) as address:
                browser = launch(playwright)
                page = browser.new_page(viewport={"width": 1280, "height": 960})
                try:
                    seen = look(page, address)
                finally:
                    page.screenshot(path=str(PICTURE))
                    browser.close()
    except (SmokeError, PlaywrightError) as error:
        raise SystemExit(f"pvlink: smoke failed: {error}") from None
    print(f"pvlink: smoke passed: {seen}; {PICTURE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
