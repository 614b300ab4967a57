"""A saved notebook shows the last picture wherever it is opened, and connects to nothing on a stranger's behalf."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import SIX_LINES, Keep, Open
from tests.browser.notebook import MIME, Notebook
from tests.browser.view import HOST, Pixels, View, changed


def decoded(picture: str | list[str]) -> Pixels:
    """The pixels of an output's image/png."""
    encoded = picture if isinstance(picture, str) else "".join(picture)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"))


def in_file(path: Path) -> Pixels:
    (output,) = (
        found for found in json.loads(path.read_text())["cells"][0]["outputs"] if MIME in found.get("data", {})
    )
    return decoded(output["data"]["image/png"])


def save_picture(opened: Notebook, picture: Pixels) -> None:
    """Save once the notebook holds this picture: it is put there when the view has rested for a while."""
    deadline = time.monotonic() + 60
    while changed(decoded(opened.outputs()[-1]["data"]["image/png"]), picture) > 0:
        assert time.monotonic() < deadline, "the output keeps an old picture"
        opened.page.wait_for_timeout(100)
    opened.save()


def test_a_saved_notebook_keeps_the_last_picture(notebook: Open, page: Page, tmp_path: Path, keep: Keep) -> None:
    opened = notebook(SIX_LINES, app="lab")
    opened.run()
    view = opened.view().live()
    view.rests()
    turned = view.after(view.drag)
    save_picture(opened, turned)
    assert changed(turned, in_file(opened.path)) == 0.0

    # As a web page.
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--output-dir", str(tmp_path), str(opened.path)]
    subprocess.run(command, check=True, capture_output=True)
    html = page.context.new_page()
    html.goto((tmp_path / opened.path.with_suffix(".html").name).as_uri())
    image = html.locator("img[src^='data:image/png']")
    assert image.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [*turned.shape[1::-1]]
    keep(html, "saved-as-html")
    html.close()

    # Opened again when its kernel is gone.
    page.goto("about:blank")
    opened.end_kernel()
    opened.open()
    picture = page.get_by_role("img", name="Last picture of a ParaView view")
    picture.wait_for()
    expect(page.locator(".pvlink-saved")).to_have_text("Saved picture. Run the cell for the live view.")
    assert page.locator(HOST).count() == 0
    keep(page, "saved-kernel-gone")
    assert changed(turned, decoded(str(picture.get_attribute("src")).partition(",")[2])) == 0.0


@pytest.mark.soak
def test_a_strangers_notebook_connects_to_nothing(shown: Notebook, page: Page, keep: Keep, view: View) -> None:
    save_picture(shown, view.pixels())
    stranger = json.loads(shown.path.read_text())
    # Jupyter signs what it has run itself; this text it has not.
    stranger["cells"][0]["source"] = "print('from a stranger')"
    path = shown.server.root / "stranger.ipynb"
    path.write_text(json.dumps(stranger))
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.on("websocket", lambda socket: asked.append(socket.url))
    Notebook(page, shown.server, path.name).open()
    picture = page.locator(".jp-OutputArea-output img")
    picture.wait_for()
    keep(page, "saved-stranger")

    assert changed(view.pixels(), decoded(str(picture.get_attribute("src")).partition(",")[2])) == 0.0
    session = stranger["cells"][0]["outputs"][-1]["data"][MIME]["session"]
    assert [url for url in asked if session in url] == []
    assert page.locator(HOST).count() == 0
