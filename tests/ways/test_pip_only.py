"""A student's machine: no root, no ParaView, no X server; only pip works. From nothing to a live picture."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Keep, window
from tests.browser.jupyter import Server
from tests.browser.notebook import OUTPUTS, Notebook
from tests.browser.view import changed
from tests.chaos.figures import note

pytestmark = [pytest.mark.ways, pytest.mark.soak, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
NOBODY = 65534
# What a student has not.
MISSING = ("/usr/bin/pvpython", "/usr/bin/pvserver", "/usr/bin/Xvfb")
# What docs/how-to/vtk.md says; the wheel of this checkout stands for the one on PyPI.
COMMANDS = ("python3 -m venv env", "env/bin/pip install --quiet '{wheel}[vtk]' jupyterlab")


def as_student(home: Path, *command: str) -> list[str]:
    """The command, run by a user without any rights on a machine without ParaView."""
    hide = [f"mount --bind /dev/null {path}" for path in MISSING if Path(path).exists()]
    drop = f'exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups --inh-caps=-all env HOME={home} "$@"'
    return ["unshare", "--mount", "sh", "-ec", "; ".join([*hide, drop]), "sh", *command]


def test_from_nothing_to_a_live_picture(browser: Browser, keep: Keep) -> None:
    wheels = list((ROOT / "dist").glob("pvlink-*.whl"))
    if os.geteuid() != 0 or shutil.which("unshare") is None or not wheels:
        pytest.skip("needs root, to make a machine without ParaView, and the wheel that make has built")
    # Not pytest's own folder: that is closed to others.
    home = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    try:
        wheel = shutil.copy(wheels[0], home)
        server = Server.jupyter(home)
        shutil.copy(ROOT / "notebooks" / "01-vtk.ipynb", server.root)
        # What Jupyter writes into must be the student's.
        for folder in ("config/lab/user-settings/@jupyterlab/apputils-extension", "data", "runtime"):
            (home / folder).mkdir(parents=True)
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", home], check=True)
        began = time.monotonic()
        for line in COMMANDS:
            subprocess.run(as_student(home, "sh", "-ec", line.format(wheel=wheel)), cwd=home, check=True)
        installed = time.monotonic()
        server.program = as_student(home, str(home / "env/bin/python"))
        with server, window(browser) as context:
            notebook = Notebook(context.new_page(), server, "01-vtk.ipynb").open()
            notebook.run(1)
            view = notebook.view().live()
            view.host.scroll_into_view_if_needed()
            shown = time.monotonic()
            before = view.rests()
            assert changed(before, view.after(view.drag)) > 0.01
            keep(notebook.page, "pip-only")
            said = json.dumps(notebook.page.evaluate(OUTPUTS, 1))
        assert "no ParaView was found" in said
        note(
            "from nothing by pip", install_s=installed - began, live_picture_s=shown - began, commands=len(COMMANDS) + 1
        )
    finally:
        shutil.rmtree(home, ignore_errors=True)
