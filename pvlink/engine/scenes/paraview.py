"""A ParaView view: a proxy, whose properties stay the user's."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

from paraview import simple

from pvlink.engine.scenes import Position, check_size, scaled


class ParaViewScene:
    """Wraps a view proxy."""

    # VTK's default style ends the program, toggles stereo or picks on these.
    refused_keys = frozenset("eEqQ3uUfFpPsSwW")

    def __init__(self, proxy: Any, guard: Callable[[], None]) -> None:
        """`guard` raises where the server is lost that the view is on."""
        self.proxy = proxy
        self._guard = guard
        # Before the window is first used: an interactor made later ends the process (ParaView says so itself).
        proxy.SMProxy.MakeRenderWindowInteractor(True)
        self.window = proxy.SMProxy.GetRenderWindow()
        # No window on any screen, no buffer swap: half a software frame's time (docs/decisions/0006).
        self.window.SetShowWindow(False)
        self.window.SetUseOffScreenBuffers(True)
        self.window.SwapBuffersOff()
        self._cut_off_interactor()
        self.interactor = proxy.SMProxy.GetInteractor()
        self._first_look()
        self._observed: tuple[Any, int] | None = None

    def _cut_off_interactor(self) -> None:
        """An event then costs 0.1 ms, changes camera or widget, and renders nothing."""
        helper = getattr(self.proxy.SMProxy, "GetInteractorHelper", None)
        if helper is not None and helper() is not None:
            helper().SetupInteractor(None)

    def _first_look(self) -> None:
        """What `Render()` does before a view's first picture, unless the user has placed the camera."""
        smproxy = self.proxy.SMProxy
        placed = [smproxy.GetProperty(name) for name in ("CameraPosition", "CameraFocalPoint", "CameraViewUp")]
        if all(p is not None and p.IsValueDefault() for p in placed):
            smproxy.ResetCamera()
            # Or the next Render() would do it again and undo what a hand has done meanwhile.
            simple._DisableFirstRenderCameraReset()  # noqa: SLF001 - ParaView's traces call it too

    @property
    def alive(self) -> bool:
        return is_registered(self.proxy)

    @property
    def size(self) -> tuple[int, int]:
        view_size = self.proxy.SMProxy.GetProperty("ViewSize")
        return view_size.GetElement(0), view_size.GetElement(1)

    @property
    def sized_by_user(self) -> bool:
        return not self.proxy.SMProxy.GetProperty("ViewSize").IsValueDefault()

    def resize(self, width: int, height: int) -> None:
        self.proxy.ViewSize = [width, height]

    def settle(self) -> bool:
        """Its size is a property."""
        return False

    def hold(self, watched: bool) -> None:
        """ParaView's register keeps its views."""

    def render(self, fast: bool) -> None:
        # By itself: a server that ends in it must not be waited for by what draws.
        self.proxy.SMProxy.Update()
        self._guard()
        if fast:
            self._render_fast()
        else:
            self.proxy.SMProxy.StillRender()

    @property
    def can_be_smaller(self) -> bool:
        """A server's pictures are made smaller by ParaView itself; a chart is quickly drawn."""
        smproxy = self.proxy.SMProxy
        return bool(smproxy.IsA("vtkSMRenderViewProxy")) and not smproxy.GetSession().IsA("vtkSMSessionClient")

    @contextmanager
    def smaller(self, scale: float) -> Iterator[Position]:
        """By the client-side object: the property `ViewSize`, which the user reads and saves, never changes."""
        width, height = self.size
        size = scaled(width, height, scale)
        inner, dpi = self.proxy.GetClientSideObject(), self.window.GetDPI()
        inner.SetSize(*size)
        self.window.SetDPI(max(1, round(dpi * scale)))
        try:
            yield size
        finally:
            inner.SetSize(width, height)
            self.window.SetDPI(dpi)

    def _render_fast(self) -> None:
        """With LOD as the user set it, without FXAA, which costs up to half of a software frame.

        FXAA is switched in the client-side object, not in the property: what the user reads and saves never changes.
        """
        inner = self.proxy.GetClientSideObject()
        smooth = hasattr(inner, "GetUseFXAA") and inner.GetUseFXAA()
        if smooth:
            inner.SetUseFXAA(False)
        try:
            self.proxy.SMProxy.InteractiveRender()
        finally:
            if smooth:
                inner.SetUseFXAA(True)

    def on_render(self, tell: Callable[[], None]) -> None:
        self._observed = self.proxy.SMProxy, self.proxy.SMProxy.AddObserver("EndEvent", lambda *_: tell())

    def let_go(self) -> None:
        """ParaView keeps something of a view that was deleted, and what that tells would keep us: its window, 28 MB."""
        if self._observed is not None:
            smproxy, number = self._observed
            smproxy.RemoveObserver(number)
        self._observed = self.window = self.interactor = self.proxy = None

    def has_changed(self) -> bool:
        """A chart asks for no render: it marks its scene and waits for a timer, which runs in an X event loop only."""
        inner = self.proxy.GetClientSideObject()
        return hasattr(inner, "GetContextView") and bool(inner.GetContextView().GetScene().GetDirty())

    def camera(self, at: Position | None = None) -> Any:
        smproxy = self.proxy.SMProxy
        return smproxy.GetActiveCamera() if hasattr(smproxy, "GetActiveCamera") else None

    def reset(self, at: Position) -> bool:
        smproxy = self.proxy.SMProxy
        if hasattr(smproxy, "GetActiveCamera"):
            smproxy.ResetCamera()
        elif hasattr(smproxy, "ResetDisplay"):
            # A chart has no camera; what "reset" means there is its own axes.
            smproxy.ResetDisplay()
        else:
            return False
        return True


def guard_size(servermanager: Any) -> None:
    """Refuse a size that cannot be drawn where it is set.

    X answers a window of no size with an error that ends the process; one of 100,000 by 100,000 takes 40 GB.
    """
    plain = servermanager.Proxy.SetPropertyWithName

    @functools.wraps(plain)
    def guarded(self: Any, name: str, value: Any) -> None:
        if name == "ViewSize":
            check_size(value)
        plain(self, name, value)

    servermanager.Proxy.SetPropertyWithName = guarded


def can_watch(proxy: Any) -> bool:
    """Whether this is a view with a picture of its own (a spreadsheet has none)."""
    smproxy = getattr(proxy, "SMProxy", None)
    return smproxy is not None and smproxy.IsA("vtkSMViewProxy") and smproxy.GetRenderWindow() is not None


def is_registered(proxy: Any) -> bool:
    """Whether ParaView still has this view; deleting one takes it out of the register."""
    smproxy = proxy.SMProxy
    return bool(smproxy) and bool(smproxy.GetSessionProxyManager().GetProxyName("views", smproxy))
