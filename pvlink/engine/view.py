"""One ParaView view as the loop sees it: sized, moved by hands, drawn into shared memory."""

from __future__ import annotations

import functools
import time
from typing import Any

from paraview import simple

from pvlink.engine.frames import FramePool
from pvlink.engine.interaction import Hand
from pvlink.engine.pace import FAST, READ, Pace

MAX_SIDE = 8192


class LiveView:
    """Wraps a view proxy. Its window and interactor are pvlink's from here on; its properties stay the user's."""

    def __init__(self, name: str, proxy: Any) -> None:
        """`name`: what it is called on the wire, also by the engine that comes after this one."""
        self.proxy = proxy
        self.id = name
        self.pace = Pace()
        # Newest input of each viewer that has been applied.
        self.inputs: dict[str, int] = {}
        self.pool: FramePool | None = None
        # Before the window is first used: an interactor made later ends the process (ParaView says so itself).
        proxy.SMProxy.MakeRenderWindowInteractor(True)
        self._window = proxy.SMProxy.GetRenderWindow()
        # No window on any screen, no buffer swap: half a software frame's time (docs/decisions/0006).
        self._window.SetShowWindow(False)
        self._window.SetUseOffScreenBuffers(True)
        self._window.SwapBuffersOff()
        self._cut_off_interactor()
        self._hand = Hand(proxy)
        self._first_look()
        self._rendering = False
        self._tag = proxy.SMProxy.AddObserver("EndEvent", self._on_render)
        # Set by the owner while a screenshot is taken: what the window holds then is not the view.
        self.capturing = False

    def _cut_off_interactor(self) -> None:
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

    def _on_render(self, *_: object) -> None:
        if self._rendering:
            return
        if self.capturing or tuple(self._window.GetSize()) != self.size:
            self.pace.altered()
        else:
            self.pace.user_rendered()

    @property
    def alive(self) -> bool:
        """Whether the view is still there; a deleted one must not be touched."""
        return is_registered(self.proxy)

    @property
    def size(self) -> tuple[int, int]:
        view_size = self.proxy.SMProxy.GetProperty("ViewSize")
        return view_size.GetElement(0), view_size.GetElement(1)

    @property
    def sized_by_user(self) -> bool:
        return not self.proxy.SMProxy.GetProperty("ViewSize").IsValueDefault()

    def resize(self, width: int, height: int) -> None:
        """The size of the cell. 0 leaves it as it is."""
        if width < 1 or height < 1 or (width, height) == self.size:
            return
        self.proxy.ViewSize = [min(width, MAX_SIDE), min(height, MAX_SIDE)]
        self.pace.changed, self.pace.rendered = True, False

    def apply(self, events: list[dict[str, Any]], inputs: dict[str, int], now: float) -> None:
        if self._hand.apply(events, *self.size) or self._chart_moved():
            self.pace.moved(now)
        self.inputs.update(inputs)

    def _chart_moved(self) -> bool:
        """A chart asks for no render: it marks its scene and waits for a timer, which runs in an X event loop only."""
        inner = self.proxy.GetClientSideObject()
        return hasattr(inner, "GetContextView") and bool(inner.GetContextView().GetScene().GetDirty())

    def new_pool(self, number: int) -> FramePool | None:
        """A pool that fits, if the present one does not."""
        if self.pool is not None and (self.pool.width, self.pool.height) == self.size:
            return None
        check_size(self.size)
        if self.pool is not None:
            self.pool.close()
        self.pool = FramePool(number, *self.size)
        return self.pool

    def forget(self) -> None:
        """Nobody watches: keep nothing."""
        self.pace.wanted = False
        self.inputs.clear()
        if self.pool is not None:
            self.pool.close()
            self.pool = None

    def draw(self, how: str, slot: int) -> dict[str, Any]:
        """Render (or only read) into a slot; the facts of the frame."""
        assert self.pool is not None
        started, began = time.time(), time.perf_counter()
        self._rendering = True
        try:
            if how == FAST:
                self._render_fast()
            elif how != READ:
                self.proxy.SMProxy.StillRender()
        finally:
            self._rendering = False
        rendered = time.perf_counter()
        self.pool.read(self._window, slot)
        read = time.perf_counter()
        self.pace.drawn(full=how != FAST, now=time.monotonic())
        return {
            "full": how != FAST,
            "time": started,
            "inputs": dict(self.inputs),
            "camera": self._camera(),
            "render_ms": (rendered - began) * 1e3,
            "readback_ms": (read - rendered) * 1e3,
        }

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

    def _camera(self) -> dict[str, Any] | None:
        if not hasattr(self.proxy.SMProxy, "GetActiveCamera"):
            return None
        camera = self.proxy.SMProxy.GetActiveCamera()
        width, height = self.size
        near, far = camera.GetClippingRange()
        projection = camera.GetProjectionTransformMatrix(width / height, -1, 1)
        return {
            "position": camera.GetPosition(),
            "focal_point": camera.GetFocalPoint(),
            "view_up": camera.GetViewUp(),
            "parallel_scale": camera.GetParallelScale(),
            "parallel": bool(camera.GetParallelProjection()),
            "view_matrix": _rows(camera.GetModelViewTransformMatrix()),
            "projection_matrix": _rows(projection),
            "near": near,
            "far": far,
        }


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


def check_size(size: Any) -> None:
    if isinstance(size, (list, tuple)) and not all(1 <= side <= MAX_SIDE for side in size):
        # ParaView replaces the words of a ValueError by its own, which do not say what is valid.
        raise RuntimeError(f"ViewSize = {list(size)}: a view is 1 to {MAX_SIDE} pixels wide and high.")


def can_watch(proxy: Any) -> bool:
    """Whether this is a view with a picture of its own (a spreadsheet has none)."""
    smproxy = getattr(proxy, "SMProxy", None)
    return smproxy is not None and smproxy.IsA("vtkSMViewProxy") and smproxy.GetRenderWindow() is not None


def is_registered(proxy: Any) -> bool:
    """Whether ParaView still has this view; deleting one takes it out of the register."""
    smproxy = proxy.SMProxy
    return bool(smproxy) and bool(smproxy.GetSessionProxyManager().GetProxyName("views", smproxy))


def _rows(matrix: Any) -> list[float]:
    return [matrix.GetElement(row, column) for row in range(4) for column in range(4)]
