"""A view behind a line that is too thin for JPEGs, in JupyterLab: a video comes, and where that fails, pictures."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import SIX_LINES, Keep, complaints, window
from tests.browser.jupyter import Server, write_notebook
from tests.browser.notebook import Notebook
from tests.browser.view import View, blank, changed
from tests.chaos.line import Line
from tests.chaos.proxy import Way

pytestmark = [
    pytest.mark.speed,
    pytest.mark.skipif(shutil.which("pvpython") is None, reason="needs pvpython"),
]

# A bad hotel's network.
RATE, ONE_WAY_S = 1.5 * 125_000.0, 0.04
SHOW = "pvlink.show(width=900, height=500)"
# A decoder that says that it can, and cannot.
BROKEN = """
const Real = VideoDecoder;
window.VideoDecoder = class extends Real {
  constructor(init) { super(init); this.init = init; }
  decode() { this.init.error(new DOMException("no such decoder", "EncodingError")); }
};
"""


@contextmanager
def behind_a_thin_line(jupyter: Server, browser: Browser, name: str, script: str = "") -> Iterator[View]:
    write_notebook(jupyter.root / name, ["import pvlink\n" + SIX_LINES.replace("display(", "_ = ("), SHOW])
    before = jupyter.kernels()
    down, up = Way(queue=64 << 10), Way()
    port = int(jupyter.url.rstrip("/").rpartition(":")[2])
    with Line(port, up=up, down=down) as line, window(browser) as context:
        if script:
            context.add_init_script(script)
        page = context.new_page()
        opened = Notebook(page, jupyter, name, others=before).open(base=f"http://127.0.0.1:{line.port}/")
        opened.run(0)
        # The page itself is not what is thin.
        down.rate, down.delay, up.delay = RATE, ONE_WAY_S, ONE_WAY_S
        opened.run(1)
        try:
            yield opened.view().live()
        finally:
            down.rate, down.delay, up.delay = math.inf, 0.0, 0.0
            opened.end_kernel()


def codecs(view: View, since: int) -> list[str]:
    """Of all but the stills."""
    return [paint.codec for paint in view.paints(since) if not paint.still]


def test_a_hand_is_followed_by_a_video_and_the_still_is_without_loss(
    jupyter: Server, browser: Browser, keep: Keep
) -> None:
    with behind_a_thin_line(jupyter, browser, "thin.ipynb") as view:
        before = view.rests()
        seen = len(view.paints())
        after = view.after(lambda: view.drag(steps=30))
        assert not blank(before)
        assert changed(before, after) > 0.05
        moving = codecs(view, seen)
        # Where this machine is too busy to encode a video in time, a picture in between is there sooner.
        assert set(moving) <= {"h264", "jpeg"}
        assert moving.count("h264") > len(moving) / 2
        last = view.paints()[-1]
        assert (last.codec, last.still) == ("png", True)
        keep(view.page, "thin-line")


@pytest.mark.soak
def test_what_cannot_be_decoded_falls_back_by_itself_and_says_so(jupyter: Server, browser: Browser, keep: Keep) -> None:
    with behind_a_thin_line(jupyter, browser, "broken.ipynb", BROKEN) as view:
        # Each video that it says it can decode is tried, and given up.
        before = view.after(view.drag)
        seen = len(view.paints())
        after = view.after(lambda: view.drag(steps=30))
        assert changed(before, after) > 0.05
        assert set(codecs(view, seen)) <= {"jpeg"}
        view.tool("Statistics").click()
        view.host.get_by_text("could not be decoded here").first.wait_for(timeout=5000)
        keep(view.page, "undecodable")
    # Said once for each that it tried.
    assert 1 <= len(complaints) <= 3
    assert all("could not decode" in complaint for complaint in complaints)
    complaints.clear()
