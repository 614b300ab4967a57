"""How the objects of this kernel's own ParaView, VTK and PyVista show themselves in a cell: views alive, all others as
ever."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pvlink import arrival, notebook, plotters

if TYPE_CHECKING:
    from pvlink.view import View

# Classes whose objects, or their subclasses', may be views; nothing is imported to know them.
CLASSES = (
    ("paraview.servermanager", "Proxy"),
    ("vtkmodules.vtkRenderingCore", "vtkRenderWindow"),
    ("pyvista.plotting.plotter", "BasePlotter"),
)
# What `pyvista.set_jupyter_backend` calls us.
BACKEND = "pvlink"


def prepare() -> None:
    for module, name in CLASSES:
        notebook.on_objects_of(module, name, _bundle)
    arrival.when("pyvista.jupyter", _offer)
    arrival.when(arrival.SIMPLE, _by_the_relay)
    arrival.when(plotters.INTERACTORS, plotters.allow_timers)


def _by_the_relay(simple: ModuleType) -> None:
    """What connects this kernel's own ParaView to servers: ParaView's own functions are behind these."""
    from pvlink import api
    from pvlink.servers import scripts

    def active() -> Any:
        return simple.servermanager.ActiveConnection

    for name, function in scripts.stand_ins(api.own_session, active).items():
        setattr(simple, name, functools.wraps(getattr(simple, name))(function))


def backend(plotter: Any, *, screenshot: Any = None, **options: Any) -> View:
    """What `plotter.show()` shows, given `jupyter_kwargs`; PyVista itself takes the screenshot afterwards."""
    from pvlink import api

    return api.show(plotter, **options)


def _offer(jupyter: ModuleType) -> None:
    """PyVista from 0.48 on takes backends; by its entry point, too, where pvlink was not imported."""
    register = getattr(jupyter, "register_jupyter_backend", None)
    if register is not None:
        register(BACKEND, backend, override=True)


def _bundle(obj: Any, include: Any = None, exclude: Any = None) -> Any:
    from pvlink import api, view

    if plotters.is_plotter(obj) and plotters.closed(obj):
        return None
    session = api.own_session()
    return view.shown(session, session.handle(obj), **plotters.options_of(obj))
