"""Where an engine on VTK's wheel draws."""

from __future__ import annotations

import os

from pvlink.engine.headless import NoDisplay, Screen
from pvlink.engine.trial import CHOICE, without_x

NOTHING = (
    "VTK has nothing to draw with: neither EGL nor OSMesa works here, there is no display, and Xvfb is not installed. "
    "Install one (Debian, Ubuntu: apt install libegl1 or xvfb; Red Hat: dnf install mesa-libEGL or "
    "xorg-x11-server-Xvfb; on a cluster ask for a module)."
)


class VtkScreen(Screen):
    """EGL first, also where there is a display: it finds graphics cards, and no X server can end under it."""

    def begin(self) -> None:
        """Nothing to start before VTK is there to be tried, unless X was asked for."""
        if self._wish not in ("auto", "none"):
            os.environ.pop(CHOICE, None)
            super().begin()

    def settle(self) -> None:
        if self._wish in ("auto", "none"):
            if way := without_x():
                os.environ.pop("DISPLAY", None)
                self.description = f"no display ({way})"
                return
            if self._wish == "none":
                raise NoDisplay("display='none' was asked for, but neither EGL nor OSMesa works here")
            os.environ.pop(CHOICE, None)
            super().begin()
            if not self.description and self.server is None:
                raise NoDisplay(NOTHING)
        super().settle()
