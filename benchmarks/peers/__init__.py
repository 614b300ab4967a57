"""Other programs that show a view of ParaView or VTK in a browser, measured as pvlink is: see hand.py.

Each is installed into an environment of its own (environments.py) and driven as its own documentation tells, with
nothing tuned up or down.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Browser, Frame, Locator, Page, WebSocket

from benchmarks.peers.contours import Contour

Size = tuple[int, int]


@dataclass
class Received:
    """How many bytes a page's sockets have brought so far."""

    count: int = 0

    def watch(self, page: Page) -> Received:
        """Before the page opens its first socket."""
        page.on("websocket", self._opened)
        return self

    def _opened(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._came)

    def _came(self, payload: str | bytes) -> None:
        self.count += len(payload)


@dataclass(frozen=True)
class Shown:
    """A view on a page, its first picture painted."""

    page: Page
    # The page's own, or the one of an iframe: where the script of eyes.py remembers.
    frame: Frame
    # What a hand drags in.
    view: Locator
    # From asking for the view (its page, or its cell) to that first picture.
    first_s: float
    received: Received = field(default_factory=Received)


@dataclass(frozen=True)
class Peer:
    """A program that shows a view; who renders decides with what it may be compared."""

    name: str
    kind: Literal["paraview", "vtk"]
    # Starts the program, opens the view in a window of its own; all of it ends with the context.
    open: Callable[[Browser, Contour, Size], AbstractContextManager[Shown]]
