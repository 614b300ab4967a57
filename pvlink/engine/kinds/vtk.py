"""VTK alone: render windows are the views. Nothing of a pipeline can be written down, and no progress is reported."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any, Callable

# What makes windows draw, and hands turn them: without these imports VTK has only the bare classes.
import vtkmodules.vtkInteractionStyle
import vtkmodules.vtkRenderingContextOpenGL2
import vtkmodules.vtkRenderingFreeType
import vtkmodules.vtkRenderingOpenGL2
import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401
from vtkmodules.vtkCommonCore import vtkVersion, vtkWeakReference
from vtkmodules.vtkRenderingCore import vtkRenderWindowInteractor

from pvlink.engine.scenes.window import WindowScene, is_window


class Vtk:
    """The VTK of this process."""

    keeper = None
    server = None

    def __init__(self, prefix: str) -> None:
        """`prefix`: what the names of windows begin with, so that no other kind or engine of this session has them."""
        self._prefix = prefix
        self._numbers = itertools.count(1)
        # By address: each with the name of the window that was, or still is there.
        self._names: dict[str, tuple[str, Any]] = {}

    def describe(self) -> dict[str, Any]:
        version = str(vtkVersion.GetVTKVersion())
        return {"name": f"VTK {version}", "kind": "vtk", "paraview": ""}

    def name_of(self, obj: Any) -> str | None:
        if not is_window(obj):
            return None
        name, weak = self._names.get(obj.__this__, ("", None))
        if weak is None or weak.Get() is None:
            weak = vtkWeakReference()
            weak.Set(obj)
            name = f"{self._prefix}{next(self._numbers)}"
            self._names = {key: known for key, known in self._names.items() if known[1].Get() is not None}
            self._names[obj.__this__] = name, weak
        return name

    def scene(self, obj: Any) -> WindowScene:
        return WindowScene(obj)

    def active(self) -> Any:
        """The newest window that was shown."""
        windows = [window for _, weak in self._names.values() if (window := weak.Get()) is not None]
        return windows[-1] if windows else None

    def connected(self) -> None:
        """VTK has no servers."""

    def report_to(
        self, report: Callable[[str, float | None], None], finished: Callable[[], None], abandoned: Callable[[], bool]
    ) -> None:
        """VTK's algorithms report to those who have asked each of them."""

    def call(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def runs_for_good(self, obj: Any, method: str) -> bool:
        """`interactor.Start()` is the last line of every example."""
        return method == "Start" and isinstance(obj, vtkRenderWindowInteractor)
