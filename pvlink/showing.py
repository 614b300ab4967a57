"""How the objects of this kernel's own ParaView and VTK show themselves in a cell: views alive, all others as ever."""

from __future__ import annotations

from typing import Any

from pvlink import notebook

# Classes whose objects, or their subclasses', may be views; nothing is imported to know them.
CLASSES = (("paraview.servermanager", "Proxy"), ("vtkmodules.vtkRenderingCore", "vtkRenderWindow"))


def prepare() -> None:
    for module, name in CLASSES:
        notebook.on_objects_of(module, name, _bundle)


def _bundle(obj: Any, include: Any = None, exclude: Any = None) -> Any:
    from pvlink import api, view

    return view.shown(api.own_session(), obj)
