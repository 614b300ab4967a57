"""What this kernel has imported by itself: its ParaView, its VTK, its PyVista; and which of their objects are views."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pvlink import mirror, plotters
from pvlink.errors import ViewError

if TYPE_CHECKING:
    from pvlink.engine.kinds import Kind
    from pvlink.engine.scenes import Scene
    from pvlink.engine.view import LiveView

# What the names of windows begin with on the wire.
_WINDOWS = "w"


@dataclass(frozen=True)
class Found:
    """A view."""

    name: str
    # Makes what shows it.
    scene: Callable[[], Scene]
    # It has one, but that is what PyVista gives to all.
    size_is_nobodys: bool = False


class Kinds:
    """They may come in at any time. What asks for them imports VTK at the earliest when the user has."""

    def __init__(
        self, views: Callable[[], Iterable[LiveView]], came: Callable[[], None], why: Callable[[], BaseException]
    ) -> None:
        """`came` hears when one has come in; `why` makes what is raised where something's ParaView server is gone."""
        self._why = why
        self._views = views
        self._came = came
        self._kinds: list[Kind] = []

    def __iter__(self) -> Iterator[Kind]:
        known = {kind.describe()["kind"] for kind in self._kinds}
        if "paraview" not in known and mirror.real("paraview.simple"):
            from pvlink.engine import captures
            from pvlink.engine.kinds.paraview import ParaView
            from pvlink.engine.names import Names
            from pvlink.engine.scenes.paraview import guard_size
            from pvlink.engine.server import Server

            self._kinds.append(ParaView(None, Names("p"), Server(self._why)))
            guard_size(sys.modules["paraview.servermanager"])
            captures.guard(sys.modules["paraview.simple"], self._views)
        if "vtk" not in known and mirror.real("vtkmodules.vtkRenderingCore"):
            from pvlink.engine.kinds.vtk import Vtk

            self._kinds.append(Vtk(_WINDOWS))
        if len(self._kinds) > len(known):
            self._came()
        return iter(self._kinds)

    def find(self, obj: Any) -> Found | None:
        """None of what is not a view. Raises ValueError when it was deleted, ViewError when it was closed."""
        if isinstance(obj, plotters.Held):
            obj = obj.get()
            if obj is None:
                raise ValueError("this view was deleted")
        owner = plotters.owner_of(obj)
        if owner is not None:
            obj = plotters.window_of(owner)
        for kind in self:
            name = kind.name_of(obj)
            if name is not None:
                _draws(obj)
                unsized = owner is not None and not plotters.options_of(owner)
                return Found(name, partial(_scene, kind, obj, owner), unsized)
        return None

    def active(self) -> Any:
        """The view that is meant when none is named; none if there is none yet."""
        return next((view for kind in self if (view := kind.active()) is not None), None)

    def handle(self, obj: Any) -> Any:
        """What a widget keeps of a view: it is its owner's, who may let go of it."""
        found = None if obj is None or isinstance(obj, plotters.Held) else self.find(obj)
        if found is None:
            return obj
        if found.name.startswith(_WINDOWS):
            from pvlink.engine.scenes.window import weakly

            return plotters.Held(obj, weakly(obj))
        return plotters.Held(obj, partial(self._registered, found.name))

    def _registered(self, name: str) -> Any:
        """A view of ParaView's: its register keeps them, and a reference of ours the pictures of a deleted one."""
        views = sys.modules["paraview.simple"].GetViews()
        return next((view for kind in self for view in views if kind.name_of(view) == name), None)


def _draws(obj: Any) -> None:
    """Without its drawing part VTK makes windows of a bare class, all black."""
    if type(obj).__name__ == "vtkRenderWindow":
        raise ViewError(
            "This window draws nothing: VTK's drawing part was not there when it was made. Put `import "
            "vtkmodules.vtkRenderingOpenGL2` (or `import vtk`) at the top, and make the window again."
        )


def _scene(kind: Kind, obj: Any, owner: Any) -> Scene:
    if owner is None:
        return kind.scene(obj)
    from pvlink.engine.scenes.window import WindowScene

    plotters.release(owner)
    return WindowScene(obj, owner, plotters.closed)
