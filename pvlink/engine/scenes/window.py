"""A render window of VTK's: whatever is in it, with the interactor, styles and widgets its owner gave it."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

from vtkmodules.vtkCommonCore import vtkObject, vtkWeakReference
from vtkmodules.vtkInteractionStyle import vtkInteractorStyleSwitch, vtkInteractorStyleTrackballCamera
from vtkmodules.vtkRenderingCore import vtkRenderWindow
from vtkmodules.vtkRenderingUI import vtkGenericRenderWindowInteractor

from pvlink.engine.scenes import Position, scaled
from pvlink.engine.timers import Timers

# A window that nobody has given a size.
_UNSIZED = ((0, 0), (300, 300))


class WindowScene:
    """Lives as long as its owner keeps the window, or somebody looks at it."""

    # Those that end the program, and stereo.
    refused_keys = frozenset("eEqQ3")

    def __init__(self, window: Any, owner: Any = None, closed: Callable[[Any], bool] | None = None) -> None:
        """`owner`: what the window is a part of, and its callbacks want; `closed` tells when that has closed it."""
        self._window: Any = window
        self._weak_window = weakly(window)
        self._owner = owner
        self._weak_owner = None if owner is None else weakly(owner)
        self._closed = closed or _never
        self.sized_by_user = tuple(window.GetSize()) not in _UNSIZED
        self._size = _size(window)
        # No window on any screen, no buffer swap: half a software frame's time.
        window.SetShowWindow(False)
        window.SetUseOffScreenBuffers(True)
        window.SwapBuffersOff()
        interactor = window.GetInteractor() or _interactor(window)
        _use_trackball(interactor)
        # `interactor.Start()`, the last line of every example, would wait here for events that never come.
        interactor.AddObserver("StartEvent", _nothing)
        self.timers = Timers(interactor)

    @property
    def window(self) -> Any:
        return self._window or self._weak_window()

    @property
    def interactor(self) -> Any:
        # It keeps its window, so we do not keep it.
        return self.window.GetInteractor()

    def hold(self, watched: bool) -> None:
        self._window = self._weak_window() if watched else None
        self._owner = self._weak_owner() if watched and self._weak_owner is not None else None

    @property
    def alive(self) -> bool:
        if self.window is None:
            return False
        if self._weak_owner is None:
            return True
        owner = self._weak_owner()
        return owner is not None and not self._closed(owner)

    @property
    def size(self) -> tuple[int, int]:
        """Of the view. Pictures that its owner takes at other sizes, or in tiles, are not the view."""
        return self._size

    def resize(self, width: int, height: int) -> None:
        self.window.SetSize(width, height)
        self._size = (width, height)

    def settle(self) -> bool:
        if not self.alive or _size(self.window) == self._size:
            return False
        self._size = _size(self.window)
        return True

    def render(self, fast: bool) -> None:
        """Without FXAA while it moves: that costs up to half of a software frame."""
        smooth = [renderer for renderer in self._renderers() if fast and renderer.GetUseFXAA()]
        for renderer in smooth:
            renderer.SetUseFXAA(False)
        try:
            self.window.Render()
        finally:
            for renderer in smooth:
                renderer.SetUseFXAA(True)

    @property
    def can_be_smaller(self) -> bool:
        return True

    @contextmanager
    def smaller(self, scale: float) -> Iterator[Position]:
        size = scaled(*self._size, scale)
        window, dpi = self.window, self.window.GetDPI()
        window.SetSize(*size)
        window.SetDPI(max(1, round(dpi * scale)))
        try:
            yield size
        finally:
            window.SetSize(*self._size)
            window.SetDPI(dpi)

    def on_render(self, tell: Callable[[], None]) -> None:
        self.window.AddObserver("EndEvent", lambda *_: tell())

    def let_go(self) -> None:
        """What is left is Python's to collect."""
        self.hold(False)

    def has_changed(self) -> bool:
        """Widgets and callbacks ask for a render; what changes without one is seen when the cell has ended."""
        return False

    def camera(self, at: Position | None = None) -> Any:
        renderer = self._renderer(at)
        return None if renderer is None else renderer.GetActiveCamera()

    def reset(self, at: Position) -> bool:
        renderer = self._renderer(at)
        if renderer is None:
            return False
        renderer.ResetCamera()
        return True

    def _renderers(self) -> list[Any]:
        return list(self.window.GetRenderers())

    def _renderer(self, at: Position | None) -> Any:
        renderers = self._renderers()
        if at is not None and renderers:
            return self.interactor.FindPokedRenderer(*at)
        # What is drawn behind the rest is the scene; what lies above it are annotations.
        return min(renderers, key=lambda renderer: renderer.GetLayer(), default=None)


def weakly(obj: Any) -> Callable[[], Any]:
    """The object while it is there. VTK's may be there without a Python object that stands for them."""
    if not isinstance(obj, vtkObject):
        return weakref.ref(obj)
    weak = vtkWeakReference()
    weak.Set(obj)
    return weak.Get


def is_window(obj: Any) -> bool:
    return isinstance(obj, vtkRenderWindow)


def _interactor(window: Any) -> Any:
    """One of our own, for a window without."""
    interactor = vtkGenericRenderWindowInteractor()
    interactor.SetRenderWindow(window)
    interactor.SetInteractorStyle(vtkInteractorStyleTrackballCamera())
    # It is its window's from here on: the window must not go before it, nor it before the window.
    window.SetInteractor(interactor)
    return interactor


def _use_trackball(interactor: Any) -> None:
    """VTK's own default, a joystick, turns as long as a button is down: nobody wants that, and it needs timers."""
    style = interactor.GetInteractorStyle()
    if isinstance(style, vtkInteractorStyleSwitch) and "Joystick" in style.GetCurrentStyle().GetClassName():
        style.SetCurrentStyleToTrackballCamera()


def _size(window: Any) -> tuple[int, int]:
    width, height = window.GetSize()
    return width, height


def _never(_owner: Any) -> bool:
    return False


def _nothing(*_: object) -> None: ...
