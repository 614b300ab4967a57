"""The functions of `import pvlink`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pvlink import arrival, data, mirror, plotters, pvpython
from pvlink import direct as doors
from pvlink.engine.rpc import Reference
from pvlink.errors import OptionError, PvlinkError, refuse_unknown
from pvlink.freight import Here
from pvlink.inside import Inside
from pvlink.protocol import Role
from pvlink.servers import scripts
from pvlink.sessions import Session

if TYPE_CHECKING:
    from pvlink.checkup import Report
    from pvlink.launchers.job import Job
    from pvlink.launchers.panel import Panel
    from pvlink.view import View

__all__ = ["attach", "doctor", "fetch", "jobs", "launch", "put", "session", "show", "start", "stop"]

ROLES: tuple[Role, ...] = ("owner", "control", "view")
# What Voila leaves in the environment of the kernels it starts.
_VOILA = ("VOILA_PREHEAT", "VOILA_KERNEL_ID")

_current: Session | None = None
# For the views of this kernel's own ParaView or VTK.
_inside: Inside | None = None


def start(
    pvpython: str | os.PathLike[str] | None = None,
    *,
    on: Job | None = None,
    display: str = "auto",
    role: Role | None = None,
    direct: bool | str | None = None,
    **unknown: Any,
) -> Session:
    """The running session, or a new one: finds ParaView, starts its process, makes `paraview.simple` importable.

    Where there is no ParaView, VTK (`pip install "pvlink[vtk]"`) draws, and its modules are what can be imported.
    `pvpython`: which ParaView, or "vtk"; found by itself if not given. `on`: a job of `pvlink.launch()`; ParaView is on
    its node then, and only pictures and commands cross the network. `display`: "auto", "own" (a private X server
    even where there is a display), "none" (a ParaView with EGL or OSMesa), or one such as ":0". `role`: what those who
    open the views through Jupyter may do, "owner", "control" or "view"; "owner" if not given, "view" in a Voila
    dashboard.
    `direct`: where browsers reach this machine without the Jupyter server, True or "node7:8443"; nowhere by default.
    """
    refuse_unknown("pvlink.start()", unknown, ("pvpython", "on", "display", "role", "direct"))
    if on is not None:
        return _started_on(on, pvpython, display, role, direct)
    wish = doors.usual() if direct is None else direct
    if wish:
        doors.place(wish)
    started = _started(pvpython, display, role)
    if wish:
        started.open_door(wish)
    return started


def _started(pvpython: str | os.PathLike[str] | None, display: str, role: Role | None) -> Session:
    _check(display, role)
    found = _find(pvpython)
    _no_own(found.kind)
    if _current is not None and _current.alive and not _current.label:
        same = (_current.found.path, _current.display) == (found.path, display)
        if (same or (pvpython is None and display == "auto")) and role in (None, _current.role):
            return _current
        print(f"pvlink: {_current!r} ends, another ParaView starts.")  # noqa: T201
    started = _begin(lambda: Session(found, display=display, role=role or _usual_role()))
    if found.others or found.kind == "vtk":
        print(f"pvlink: {found.sentence()}")  # noqa: T201
    return started


def _started_on(
    job: Job, pvpython: str | os.PathLike[str] | None, display: str, role: Role | None, direct: bool | str | None
) -> Session:
    """With ParaView on a job's node."""
    _check(display, role)
    if direct:
        raise OptionError("direct=...: browsers reach this machine by it, and ParaView would be in the job.")
    _no_own("paraview")
    if _current is not None and _current.alive and _current.label == job.label and pvpython is None:
        return _current
    program = None if pvpython is None else os.fspath(pvpython)
    return _begin(lambda: Session(None, display=display, role=role or _usual_role(), place=job.place(program)))


def _begin(make: Callable[[], Session]) -> Session:
    """The one session, in the place of the one before."""
    global _current
    stop()
    _current = made = make()
    mirror.forget()
    mirror.install(_session, made.about["kind"], {"paraview.simple": scripts.stand_ins(_session, _connection)})
    return made


def _check(display: str, role: Role | None) -> None:
    if display not in ("auto", "own", "none") and not display.startswith(":"):
        raise OptionError(
            f"display={display!r}: it is 'auto', 'own', 'none', or a display of this machine such as ':0'."
        )
    if role is not None and role not in ROLES:
        raise OptionError(f"role={role!r}: it is 'owner', 'control' or 'view'.")


def _no_own(kind: str) -> None:
    """Whether this kernel has none of its own that would be in the way."""
    for root, name in (("paraview", "ParaView"), ("vtkmodules", "VTK")):
        if mirror.real(root) and (root == "paraview" or kind == "vtk"):
            raise PvlinkError(
                f"This kernel has imported its own {name} already. Its views need no pvlink.start(): display(view) or "
                f"pvlink.show(view). For {name} in a process of its own, alive while cells run, restart the kernel and "
                "call pvlink.start() first."
            )


def _connection() -> Any:
    """The engine's active connection."""
    return _session().desk.attribute("paraview.servermanager", "ActiveConnection")


def _find(wish: str | os.PathLike[str] | None) -> pvpython.Found:
    return pvpython.find(wish)


def _usual_role() -> Role:
    """Who opens a dashboard is not its author."""
    return "view" if any(name in os.environ for name in _VOILA) else "owner"


def session() -> Session | Inside | None:
    """The session that `start()` made, until `stop()`, also while one of its processes is dead: see `Session.alive`.

    Or else the one of this kernel's own ParaView or VTK; for ParaView it is made when it is first asked for.
    """
    running = _running()
    if running is None and mirror.real("paraview.simple"):
        # Its servers are connected by it, before there is a view.
        return own_session()
    return running


def _running() -> Session | Inside | None:
    if _current is not None and not _current.stopped:
        return _current
    return None if _inside is None or _inside.stopped else _inside


def own_session() -> Inside:
    """The session that shows the views of this kernel's own ParaView or VTK, made when it is first needed."""
    global _inside
    if _inside is None or _inside.stopped:
        # Outside a notebook nobody has seen to it yet that a render cannot end this process.
        arrival.prepare()
        _inside = Inside(_usual_role())
    return _inside


def doctor() -> Report:
    """What works here, and what to do about the rest: a table in a cell, true where nothing is a problem.

    Takes some seconds: it starts ParaView for one picture where no session runs.
    """
    from pvlink.checkup import examine

    return examine(_running())


def stop() -> None:
    """End the session, if there is one."""
    global _current, _inside
    for one in (_current, _inside):
        if one is not None:
            one.stop()
    _current = _inside = None


def show(view: Any = None, **options: Any) -> View:
    """A view as a widget: `width` and `height` (numbers are pixels, or CSS lengths), and how it is sent.

    `codec`, `quality`, `rate` and `scale` are as in `View.pin`; without them pvlink measures and decides.
    The active view if none is given. `display(view)` is the same with the defaults.
    """
    from pvlink.view import View

    session = _session_of(view)
    if isinstance(session, Inside):
        options = plotters.options_of(view) | options
        view = session.handle(view)
    return View.of(session, view, **options)


def put(
    obj: Any,
    *,
    name: str | None = None,
    spacing: Sequence[float] | None = None,
    origin: Sequence[float] | None = None,
    vector: bool | None = None,
    at: Literal["points", "cells"] = "points",
    **unknown: Any,
) -> Any:
    """A source in the pipeline that shows a copy of `obj`; the same name again gives it new data, in place.

    A numpy array (nz, ny, nx), with one more axis for components; a dict of arrays; xarray, pandas, meshio, VTK,
    PyVista, or what `fetch` gives. `spacing` and `origin`: of a plain array, for x, y and z. `vector=True`: the last
    axis is components, also where there are three. `at="cells"`: an array's values are in the cells of the grid.
    """
    options = {"name": name, "spacing": spacing, "origin": origin, "vector": vector, "at": at, **unknown}
    here = _current is None and (mirror.real("paraview") or mirror.real("vtkmodules"))
    return data.put(Here() if here else _session(), obj, **options)


def fetch(
    source: Any,
    array: str | None = None,
    *,
    at: Literal["points", "cells", "rows", "field"] | None = None,
    **unknown: Any,
) -> Any:
    """What a source, filter, port, or source of that name holds, as numpy arrays that are yours.

    With the name of an array that one, shaped (nz, ny, nx[, components]) in a grid; `at` says which, where several have
    the name. Without: a `pvlink.cargo.Dataset`; a table as pandas' DataFrame; a dict of those where there are blocks.
    """
    own = mirror.real("paraview") or mirror.real("vtkmodules")
    here = own and not isinstance(source, Reference) and (_current is None or not isinstance(source, str))
    return data.fetch(Here() if here else _session(), source, array, **{"at": at, **unknown})


def launch(site: str | os.PathLike[str] | None = None, *, inside: bool = False, **options: Any) -> Job:
    """A ParaView server in a job on a cluster, or in a process of its own; `session.connect(job)` shows what is there.

    `site`: a name (`pvlink site list`), or a file. memory="90G" and time="1:30:00", partition, ranks, nodes, gpus,
    account, qos, constraint, reservation, exclusive, extra=["--nice=100"], version="5.11"; the rest is as the site has
    it. grace="10m": how long it stays when nobody is connected; mail="ann@example.org": who is written to.
    `inside=True`: in the job of Slurm's that this kernel is in; the site is only needed for what it sets up.
    """
    from pvlink.launchers import launching

    return launching.launch(site, inside=inside, **options)


def attach(job: str) -> Job:
    """A job that was launched from this machine, in another notebook or before: by its number or its key."""
    from pvlink.launchers import launching

    return launching.attach(job)


def jobs() -> Panel:
    """This user's jobs below the cell, as they stand: connect, extend, look at the log, cancel, launch another one."""
    from pvlink.launchers.panel import Panel

    return Panel(lambda job: (session() or start()).connect(job))


def _session_of(view: Any) -> Session | Inside:
    """Whose view this is: an engine's, or this kernel's own; the session that runs if none is named."""
    if isinstance(view, Reference):
        return _session()
    if view is None and _current is not None:
        return _current
    if not (mirror.real("paraview") or mirror.real("vtkmodules")):
        return _session()
    return own_session()


def _session() -> Session:
    if _current is None:
        raise PvlinkError("No session runs. Call pvlink.start() first.")
    return _current
