"""Peers that are a web page of their own: an application in pvpython, its page in a browser."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.peers import Received, Shown, Size, environments, eyes
from tests.browser.jupyter import free_port
from tests.integration.interpreter import Display

START_S = 90.0
# The application's first line, before any package of its environment is imported: ParaView's own way to these.
VENV = "from paraview.web import venv\n"


@contextmanager
def application(name: str, script: str, browser: Browser, size: Size) -> Iterator[Shown]:
    """The script's page, opened; the picture must be of this size."""
    environment = environments.python(name).parents[1]
    with tempfile.TemporaryDirectory() as home, Display() as display:
        file = Path(home, "app.py")
        file.write_text(VENV + script)
        port = free_port()
        # HWLOC_COMPONENTS: Open MPI would ask each X server it finds for its GPUs.
        env = os.environ | {"DISPLAY": display, "PV_VENV": str(environment), "HWLOC_COMPONENTS": "-gl"}
        command = ["pvpython", "--no-mpi", str(file), "--server", "--host", "127.0.0.1", "--port", str(port)]
        log = Path(home, "log")
        with log.open("w") as out:
            process = subprocess.Popen(command, env=env, cwd=home, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            _wait(process, port, log)
            yield from _opened(browser, port, size)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the application did not start; it said:\n{log.read_text()[-3000:]}")


def _opened(browser: Browser, port: int, size: Size) -> Iterator[Shown]:
    width, height = size
    # A toolbar of the layout is above the view.
    with browser.new_context(viewport={"width": width, "height": height + 100}) as context:
        context.add_init_script(eyes.REMEMBER)
        page = context.new_page()
        received = Received().watch(page)
        began = time.time()
        page.goto(f"http://127.0.0.1:{port}/")
        first = eyes.first_of(page.main_frame, size) / 1e3 - began
        yield Shown(page, page.main_frame, page.locator("img").filter(visible=True).last, first, received)
