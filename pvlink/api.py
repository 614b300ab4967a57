"""The functions of `import pvlink`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pvlink import mirror, pvpython
from pvlink.checkup import doctor
from pvlink.errors import OptionError, PvlinkError, refuse_unknown
from pvlink.sessions import Session

if TYPE_CHECKING:
    from pvlink.view import View

__all__ = ["doctor", "session", "show", "start", "stop"]

_current: Session | None = None


def start(pvpython: str | os.PathLike[str] | None = None, *, display: str = "auto", **unknown: Any) -> Session:
    """The running session, or a new one: finds ParaView, starts its process, makes `paraview.simple` importable.

    `pvpython`: which ParaView; found by itself if not given. `display`: "auto", "own" (a private X server even where
    there is a display), "none" (a ParaView with EGL or OSMesa), or one such as ":0".
    """
    global _current
    refuse_unknown("pvlink.start()", unknown, ("pvpython", "display"))
    if display not in ("auto", "own", "none") and not display.startswith(":"):
        raise OptionError(
            f"display={display!r}: it is 'auto', 'own', 'none', or a display of this machine such as ':0'."
        )
    if mirror.real_paraview():
        raise PvlinkError(
            "This kernel has imported its own ParaView already. Restart the kernel and call pvlink.start() before "
            "`from paraview.simple import *`."
        )
    found = _find(pvpython)
    if _current is not None and _current.alive:
        if (_current.found.path, _current.display) == (found.path, display) or (pvpython is None and display == "auto"):
            return _current
        print(f"pvlink: {_current!r} ends, another ParaView starts.")  # noqa: T201
    stop()
    _current = Session(found, display=display)
    mirror.forget()
    mirror.install(_session)
    if found.others:
        print(f"pvlink: {found.sentence()}")  # noqa: T201
    return _current


def _find(wish: str | os.PathLike[str] | None) -> pvpython.Found:
    return pvpython.find(wish)


def session() -> Session | None:
    """The session that `start()` made, while it lasts."""
    return _current if _current is not None and _current.alive else None


def stop() -> None:
    """End the session, if there is one."""
    global _current
    if _current is not None:
        _current.stop()
        _current = None


def show(view: Any = None, **options: Any) -> View:
    """A view as a widget: `width` and `height` (numbers are pixels, or CSS lengths), ...

    The active view if none is given. `display(view)` is the same with the defaults.
    """
    from pvlink.view import View

    return View.of(_session(), view, **options)


def _session() -> Session:
    if _current is None:
        raise PvlinkError("No session runs. Call pvlink.start() first.")
    return _current
