"""One live view as its owner's loop sees it: sized, moved by hands, drawn into shared memory."""

from __future__ import annotations

import contextvars
import time
from contextlib import nullcontext
from typing import Any, Callable

from pvlink.engine.detail import Detail
from pvlink.engine.frames import FramePool
from pvlink.engine.interaction import Hand
from pvlink.engine.pace import FAST, READ, Pace
from pvlink.engine.scenes import MAX_SIDE, Scene, check_size


class LiveView:
    """A scene, the memory its frames are in, and when the next one is due."""

    def __init__(self, name: str, scene: Scene, rendered: Callable[[LiveView], None]) -> None:
        """`name`: what it is called on the wire, also by the engine that comes after this one.

        `rendered` hears that somebody else has drawn the scene: the window holds a picture that nobody has sent.
        """
        self.scene = scene
        self.id = name
        self.pace = Pace()
        self.detail = Detail()
        # Newest input of each viewer that has been applied.
        self.inputs: dict[str, int] = {}
        self.pool: FramePool | None = None
        self._hand = Hand(scene)
        self._rendering = False
        # Nothing was rendered at this size yet.
        self._resized = False
        self._tell_rendered = rendered
        scene.on_render(self._on_render)
        # A notebook's cell: what callbacks print appears where the view was shown last.
        self.context = contextvars.copy_context()
        # Set by the owner while a screenshot is taken: what the window holds then is not the view.
        self.capturing = False

    def _on_render(self) -> None:
        if self._rendering:
            return
        if self.capturing or tuple(self.scene.window.GetSize()) != self.size:
            # Nor may it be read later.
            self.pace.rendered, self.pace.changed = False, True
        else:
            self._resized = False
            self.pace.user_rendered()
            self._tell_rendered(self)

    @property
    def alive(self) -> bool:
        """Whether the scene is still there; a deleted one must not be touched."""
        return self.scene.alive

    @property
    def size(self) -> tuple[int, int]:
        return self.scene.size

    def resize(self, width: int, height: int) -> None:
        """The size of the cell. 0 leaves it as it is."""
        if width < 1 or height < 1 or (width, height) == self.size:
            return
        self.scene.resize(min(width, MAX_SIDE), min(height, MAX_SIDE))
        self._resized = True
        self.pace.changed, self.pace.rendered = True, False

    def altered(self) -> None:
        """Its owner's code may have changed what it shows."""
        self.pace.altered()
        self.detail.altered()

    def settle(self) -> None:
        """Between calls of the owner's code."""
        if self.scene.settle():
            self.pace.rendered, self.pace.changed = False, True

    def misses(self, events: list[dict[str, Any]]) -> bool:
        """Whether a press would miss what it is meant for: widgets lie where the last render has put them."""
        return self._resized and any(event["type"] == "down" for event in events)

    def catch_up(self) -> None:
        self._render(fast=True)

    def apply(self, events: list[dict[str, Any]], inputs: dict[str, int], now: float) -> None:
        if self.context.run(self._hand.apply, events, *self.size) or self.scene.has_changed():
            self.pace.moved(now)
        self.inputs.update(inputs)

    def new_pool(self, number: int) -> FramePool | None:
        """A pool that fits, if the present one does not."""
        if self.pool is not None and (self.pool.width, self.pool.height) == self.size:
            return None
        check_size(self.size)
        if self.pool is not None:
            self.pool.close()
            self.pool = None
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
        began, started = time.perf_counter(), time.time()
        # A widget in a hand keeps places in pixels of the picture that it was drawn in last.
        smaller = how == FAST and self.scene.can_be_smaller and not self._hand.holds_widget
        scale = self.detail.scale if smaller else 1.0
        with self.scene.smaller(scale) if scale < 1.0 else nullcontext(self.size) as (width, height):
            if how != READ:
                self._render(fast=how == FAST)
            rendered = time.perf_counter()
            self.pool.read(self.scene.window, slot, width, height)
        # Widgets lie where a smaller one has put them, which is not where they will be.
        self._resized = scale < 1.0
        read = time.perf_counter()
        if how == FAST and scale == self.detail.scale:
            self.detail.drawn(read - began)
        self.pace.drawn(full=how != FAST, now=time.monotonic())
        return {
            "full": how != FAST,
            "time": started,
            "width": width,
            "height": height,
            "inputs": dict(self.inputs),
            "camera": self._camera(),
            "render_ms": (rendered - began) * 1e3,
            "readback_ms": (read - rendered) * 1e3,
        }

    def _render(self, fast: bool) -> None:
        self._rendering = True
        try:
            self.scene.render(fast=fast)
        finally:
            self._rendering = False
        self._resized = False

    def _camera(self) -> dict[str, Any] | None:
        camera = self.scene.camera()
        if camera is None:
            return None
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


def _rows(matrix: Any) -> list[float]:
    return [matrix.GetElement(row, column) for row in range(4) for column in range(4)]
