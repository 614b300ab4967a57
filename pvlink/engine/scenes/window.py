"""A render window of VTK's: whatever is in it, with the interactor, styles and widgets its owner gave it."""

from __future__ import annotations

from typing import Any, Callable

from vtkmodules.vtkCommonCore import vtkWeakReference
from vtkmodules.vtkInteractionStyle import vtkInteractorStyleSwitch, vtkInteractorStyleTrackballCamera
from vtkmodules.vtkRenderingCore import vtkRenderWindow
from vtkmodules.vtkRenderingUI import vtkGenericRenderWindowInteractor

from pvlink.engine.scenes import Position

# A window that nobody has given a size.
_UNSIZED = ((0, 0), (300, 300))


class WindowScene:
    """Lives as long as its owner keeps the window, or somebody looks at it."""

    # Those that end the program, and stereo.
    refused_keys = frozenset("eEqQ3")

    def __init__(self, window: Any, ended: Callable[[], bool] | None = None) -> None:
        """`ended`: whether its owner has closed it, where a window does not say so itself."""
        self._window: Any = window
        self._weak = vtkWeakReference()
        self._weak.Set(window)
        self._ended = ended or _never
        self.sized_by_user = tuple(window.GetSize()) not in _UNSIZED
        # No window on any screen, no buffer swap: half a software frame's time.
        window.SetShowWindow(False)
        window.SetUseOffScreenBuffers(True)
        window.SwapBuffersOff()
        interactor = window.GetInteractor() or _interactor(window)
        _use_trackball(interactor)
        # `interactor.Start()`, the last line of every example, would wait here for events that never come.
        interactor.AddObserver("StartEvent", _nothing)

    @property
    def window(self) -> Any:
        return self._window or self._weak.Get()

    @property
    def interactor(self) -> Any:
        # It keeps its window, so we do not keep it.
        return self.window.GetInteractor()

    def hold(self, watched: bool) -> None:
        self._window = self._weak.Get() if watched else None

    @property
    def alive(self) -> bool:
        return self.window is not None and not self._ended()

    @property
    def size(self) -> tuple[int, int]:
        width, height = self.window.GetSize()
        return width, height

    def resize(self, width: int, height: int) -> None:
        self.window.SetSize(width, height)

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

    def on_render(self, tell: Callable[[], None]) -> None:
        self.window.AddObserver("EndEvent", lambda *_: tell())

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


def _never() -> bool:
    return False


def _nothing(*_: object) -> None: ...
