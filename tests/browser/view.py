"""A view on a page, as a person meets it: looks at it, drags in it, waits for it."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import CDPSession, Locator, Page

Pixels = NDArray[np.uint8]

PATIENCE_MS = 60_000.0
# Nothing painted for so long means that nothing follows: a still comes 300 ms after the last frame on the way.
QUIET_MS = 350
HOST = "[data-pvlink-state]"

# Each host remembers when it painted what; put into every page before its own scripts run.
REMEMBER = """
addEventListener('pvlink:painted', (event) => {
  const host = event.composedPath()[0];
  (host.pvlinkPaints ??= []).push({ at: performance.now(), ...event.detail });
}, true);
"""


def changed(before: Pixels, after: Pixels) -> float:
    """Share of the pixels that differ visibly; 1 when even the size does."""
    if before.shape != after.shape:
        return 1.0
    return float((np.abs(before.astype(int) - after.astype(int)).max(axis=2) > 16).mean())


def blank(picture: Pixels) -> bool:
    """One colour, give or take what JPEG does to it."""
    return float(picture.std(axis=(0, 1)).max()) < 3.0


@dataclass
class Paint:
    at: float
    frame: int
    still: bool
    codec: str
    width: int
    height: int
    bytes: int
    # When the engine began to draw it.
    time: float
    inputMs: float  # noqa: N815 - as the event says it


class View:
    """One viewer of the page."""

    def __init__(self, page: Page, host: Locator) -> None:
        self.page = page
        self.host = host
        self.canvas = host.locator(".pvlink-picture")

    def tool(self, label: str) -> Locator:
        return self.host.get_by_role("button", name=label, exact=True)

    # What it says.

    @property
    def state(self) -> str:
        return self.host.get_attribute("data-pvlink-state") or ""

    @property
    def frame(self) -> int:
        return int(self.host.get_attribute("data-pvlink-frame") or 0)

    @property
    def sentence(self) -> str:
        return self.host.locator(".pvlink-status [role=status]").inner_text()

    def paints(self, since: int = 0) -> list[Paint]:
        """What was painted, from the `since`th on."""
        found = self.host.evaluate("(host, since) => (host.pvlinkPaints ?? []).slice(since)", since)
        return [Paint(**paint) for paint in found]

    # What it shows.

    def pixels(self) -> Pixels:
        """What is on the canvas, device pixel by device pixel."""
        url = self.canvas.evaluate("canvas => canvas.toDataURL('image/png')")
        picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
        return np.asarray(picture.convert("RGB"))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width, height on the page, in CSS pixels."""
        found = self.canvas.bounding_box()
        assert found is not None
        return found["x"], found["y"], found["width"], found["height"]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place on the page by its fractions of the picture."""
        left, top, width, height = self.box
        return left + x * width, top + y * height

    # What it waits for.

    def until(self, condition: str, argument: Any = None, timeout: float = PATIENCE_MS) -> None:
        """Until a JavaScript expression of `host` (and `argument`) holds."""
        self.host.wait_for(state="attached", timeout=timeout)
        handle = self.host.element_handle()
        # Its own frame: a view may live in one of another origin.
        (handle.owner_frame() or self.page).wait_for_function(
            f"([host, argument]) => !!({condition})",
            arg=[handle, argument],
            polling=30,
            timeout=timeout,
        )

    def becomes(self, state: str, timeout: float = PATIENCE_MS) -> None:
        self.host.wait_for(state="attached", timeout=timeout)
        self.until("host.dataset.pvlinkState === argument", state, timeout)

    def live(self) -> View:
        """Connected, and a frame was painted."""
        self.becomes("live")
        self.until("+host.dataset.pvlinkFrame > 0")
        return self

    def fits(self) -> None:
        """The picture has the size of the cell."""
        self.until(
            "Math.abs(canvas.width - canvas.clientWidth * devicePixelRatio) <= 1"
            " && Math.abs(canvas.height - canvas.clientHeight * devicePixelRatio) <= 1".replace(
                "canvas", "host.querySelector('canvas')"
            )
        )

    def painted_after(self, frame: int) -> None:
        self.until("+host.dataset.pvlinkFrame > argument", frame)

    def steady(self) -> None:
        """Nothing fades in or out any more."""
        self.until("host.getAnimations({ subtree: true }).every(each => each.playState === 'finished')")

    def rests(self) -> Pixels:
        """The still is there, and nothing follows it. Answers its pixels."""
        self.until(
            "host.dataset.pvlinkState === 'live' && host.dataset.pvlinkStill === 'true' && host.pvlinkPaints?.length"
            " && performance.now() - host.pvlinkPaints.at(-1).at > argument",
            QUIET_MS,
        )
        return self.pixels()

    def after(self, act: Callable[[], object]) -> Pixels:
        """Do something that changes the picture; answers the pixels once it rests."""
        frame = self.frame
        act()
        self.painted_after(frame)
        return self.rests()

    # What a hand does.

    def drag(self, dx: float = 0.2, dy: float = 0.1, *, steps: int = 12, button: Any = "left") -> None:
        """From the middle, by fractions of the picture."""
        mouse = self.page.mouse
        mouse.move(*self.at(0.5, 0.5))
        mouse.down(button=button)
        mouse.move(*self.at(0.5 + dx, 0.5 + dy), steps=steps)
        mouse.up(button=button)

    def press(self, key: str) -> None:
        """A key while the picture has the focus."""
        self.canvas.focus()
        self.page.keyboard.press(key)

    def fingers(self, *path: list[tuple[float, float]]) -> None:
        """Touches: each argument is where the fingers are at one moment, in fractions of the picture."""
        client: CDPSession = self.page.context.new_cdp_session(self.page)
        for step, places in enumerate(path):
            points = [
                {"x": x, "y": y, "id": number} for number, (x, y) in enumerate(self.at(*place) for place in places)
            ]
            client.send(
                "Input.dispatchTouchEvent", {"type": "touchStart" if step == 0 else "touchMove", "touchPoints": points}
            )
        client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        client.detach()

    def frames_per_second(self, seconds: float, pace: float) -> float:
        """Displayed while a hand drags round and round, telling `pace` times a second where it is."""
        mouse = self.page.mouse
        x, y, width, height = self.box
        mouse.move(x + width / 2, y + height / 2)
        mouse.down()
        before, at = len(self.paints()), self.host.evaluate("() => performance.now()")
        began = time.perf_counter()
        for step in range(round(seconds * pace)):
            turn = np.pi * step / pace
            mouse.move(x + width * (0.5 + 0.2 * np.sin(turn)), y + height * (0.5 + 0.2 * np.cos(turn)))
            time.sleep(max(0.0, began + (step + 1) / pace - time.perf_counter()))
        ended = self.host.evaluate("() => performance.now()")
        mouse.up()
        return len([paint for paint in self.paints(before) if paint.at <= ended]) / (ended - at) * 1000
