"""PyVista's plotters: which window is theirs, what PyVista does before it shows one, and how little is kept of them.

Nothing of PyVista is imported here: who has a plotter has imported it.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from pvlink.errors import ViewError

CLOSED = "This plotter was closed: make a new one, or show(auto_close=False)."
# Where PyVista asks its interactors for timers.
INTERACTORS = "pyvista.plotting.render_window_interactor"


class Held:
    """A view as its widgets keep it: without keeping it alive."""

    def __init__(self, obj: Any, get: Callable[[], Any]) -> None:
        """`get` answers it while it is there, and None afterwards."""
        self.get = get
        self._words = repr(obj)

    def __repr__(self) -> str:
        return self._words


def is_plotter(obj: Any) -> bool:
    plotting = sys.modules.get("pyvista.plotting.plotter")
    return plotting is not None and isinstance(obj, plotting.BasePlotter)


def closed(plotter: Any) -> bool:
    return plotter.render_window is None


def window_of(plotter: Any) -> Any:
    """Its window, with the camera placed as `plotter.show()` does it."""
    if closed(plotter):
        raise ViewError(CLOSED)
    plotter._on_first_render_request()  # noqa: SLF001 - what show(), screenshot() and all backends begin with
    return plotter.render_window


def owner_of(obj: Any) -> Any:
    """The plotter that this is, or whose window this is; none of another window."""
    if is_plotter(obj):
        return obj
    register = _register()
    return next((plotter for plotter in list(register.values()) if plotter.render_window is obj), None)


def release(plotter: Any) -> None:
    """From PyVista's register, which keeps each plotter until it is closed; in a notebook nothing closes one.

    From here on it lives as any other object: while a variable holds it, or somebody looks at it.
    """
    _register().pop(getattr(plotter, "_id_name", ""), None)


def options_of(obj: Any) -> dict[str, int]:
    """What its user has said about the size of a plotter, as options of a view."""
    if not is_plotter(obj) or obj._window_size_unset:  # noqa: SLF001 - there is no other way to know
        return {}
    width, height = obj.window_size
    return {"width": width, "height": height}


@functools.cache
def allow_timers(interactors: ModuleType) -> None:
    """`add_timer_event()` comes before `show()`: an interactor must give out timers before we have seen it."""
    wrapper = interactors.RenderWindowInteractor
    plain = wrapper.create_timer

    @functools.wraps(plain)
    def create_timer(self: Any, *arguments: Any, **options: Any) -> Any:
        from pvlink.engine import timers

        timers.allow(self.interactor)
        return plain(self, *arguments, **options)

    wrapper.create_timer = create_timer


def _register() -> dict[str, Any]:
    plotting = sys.modules.get("pyvista.plotting.plotter")
    return {} if plotting is None else plotting.__dict__.get("_ALL_PLOTTERS", {})
