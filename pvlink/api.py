"""The functions of `import pvlink`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pvlink import mirror, pvpython
from pvlink.engine.rpc import Reference
from pvlink.errors import OptionError, PvlinkError, refuse_unknown
from pvlink.inside import Inside
from pvlink.protocol import Role
from pvlink.sessions import Session

if TYPE_CHECKING:
    from pvlink.checkup import Report
    from pvlink.view import View

__all__ = ["doctor", "session", "show", "start", "stop"]

ROLES: tuple[Role, ...] = ("owner", "control", "view")
# What Voila leaves in the environment of the kernels it starts.
_VOILA = ("VOILA_PREHEAT", "VOILA_KERNEL_ID")

_current: Session | None = None
# For the views of this kernel's own ParaView or VTK.
_inside: Inside | None = None


def start(
    pvpython: str | os.PathLike[str] | None = None,
    *,
    display: str = "auto",
    role: Role | None = None,
    **unknown: Any,
) -> Session:
    """The running session, or a new one: finds ParaView, starts its process, makes `paraview.simple` importable.

    Where there is no ParaView, VTK (`pip install "pvlink[vtk]"`) draws, and its modules are what can be imported.
    `pvpython`: which ParaView, or "vtk"; found by itself if not given. `display`: "auto", "own" (a private X server even where
    there is a display), "none" (a ParaView with EGL or OSMesa), or one such as ":0". `role`: what those who open the
    views through Jupyter may do, "owner", "control" or "view"; "owner" if not given, "view" in a Voila dashboard.
    """
    global _current
    refuse_unknown("pvlink.start()", unknown, ("pvpython", "display", "role"))
    if display not in ("auto", "own", "none") and not display.startswith(":"):
        raise OptionError(
            f"display={display!r}: it is 'auto', 'own', 'none', or a display of this machine such as ':0'."
        )
    if role is not None and role not in ROLES:
        raise OptionError(f"role={role!r}: it is 'owner', 'control' or 'view'.")
    found = _find(pvpython)
    for root, name in (("paraview", "ParaView"), ("vtkmodules", "VTK")):
        if mirror.real(root) and (root == "paraview" or found.kind == "vtk"):
            raise PvlinkError(
                f"This kernel has imported its own {name} already. Its views need no pvlink.start(): display(view) or "
                f"pvlink.show(view). For {name} in a process of its own, alive while cells run, restart the kernel and "
                "call pvlink.start() first."
            )
    if _current is not None and _current.alive:
        same = (_current.found.path, _current.display) == (found.path, display)
        if (same or (pvpython is None and display == "auto")) and role in (None, _current.role):
            return _current
        print(f"pvlink: {_current!r} ends, another ParaView starts.")  # noqa: T201
    stop()
    _current = Session(found, display=display, role=role or _usual_role())
    mirror.forget()
    mirror.install(_session, _current.about["kind"])
    if found.others or found.kind == "vtk":
        print(f"pvlink: {found.sentence()}")  # noqa: T201
    return _current


def _find(wish: str | os.PathLike[str] | None) -> pvpython.Found:
    return pvpython.find(wish)


def _usual_role() -> Role:
    """Who opens a dashboard is not its author."""
    return "view" if any(name in os.environ for name in _VOILA) else "owner"


def session() -> Session | Inside | None:
    """The session that `start()` made, until `stop()`, also while one of its processes is dead: see `Session.alive`.

    Or else the one that shows the views of this kernel's own ParaView or VTK.
    """
    if _current is not None and not _current.stopped:
        return _current
    return None if _inside is None or _inside.stopped else _inside


def own_session() -> Inside:
    """The session that shows the views of this kernel's own ParaView or VTK, made when it is first needed."""
    global _inside
    if _inside is None or _inside.stopped:
        _inside = Inside(_usual_role())
    return _inside


def doctor() -> Report:
    """What works here, and what to do about the rest: a table in a cell, true where nothing is a problem.

    Takes some seconds: it starts ParaView for one picture where no session runs.
    """
    from pvlink.checkup import examine

    return examine(session())


def stop() -> None:
    """End the session, if there is one."""
    global _current, _inside
    for one in (_current, _inside):
        if one is not None:
            one.stop()
    _current = _inside = None


def show(view: Any = None, **options: Any) -> View:
    """A view as a widget: `width` and `height` (numbers are pixels, or CSS lengths), ...

    The active view if none is given. `display(view)` is the same with the defaults.
    """
    from pvlink.view import View

    return View.of(_session_of(view), view, **options)


def _session_of(view: Any) -> Session | Inside:
    """Whose view this is: an engine's, or this kernel's own; the session that runs if none is named."""
    if isinstance(view, Reference):
        return _session()
    if view is None and _current is not None:
        return _current
    if view is None and not (mirror.real("paraview") or mirror.real("vtkmodules")):
        return _session()
    return own_session()


def _session() -> Session:
    if _current is None:
        raise PvlinkError("No session runs. Call pvlink.start() first.")
    return _current
