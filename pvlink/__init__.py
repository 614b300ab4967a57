"""A live ParaView view in a notebook cell.

import pvlink
pvlink.start()
from paraview.simple import *
contour = Contour(Input=Wavelet(), ContourBy=["POINTS", "RTData"], Isosurfaces=[157.0])
Show(contour)
display(GetActiveView())
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pvlink.version import __version__

if TYPE_CHECKING:
    from pvlink.api import attach, doctor, fetch, jobs, launch, put, session, show, start, stop
    from pvlink.errors import (
        DataError,
        EngineLost,
        EngineStartError,
        JobError,
        OptionError,
        PvlinkError,
        PvpythonNotFound,
        ServerError,
        ServerLost,
        ShareError,
        SimulationError,
        StreamerLost,
        ViewError,
    )
    from pvlink.launchers.job import Job
    from pvlink.monitor.simulation import Simulation
    from pvlink.servers.server import Server
    from pvlink.sessions import Session
    from pvlink.share import Share
    from pvlink.view import View

_API = ("attach", "doctor", "fetch", "jobs", "launch", "put", "session", "show", "start", "stop")
_ERRORS = (
    "DataError",
    "EngineLost",
    "EngineStartError",
    "JobError",
    "OptionError",
    "PvlinkError",
    "PvpythonNotFound",
    "ServerError",
    "ServerLost",
    "ShareError",
    "SimulationError",
    "StreamerLost",
    "ViewError",
)
_WHERE = {
    **dict.fromkeys(_API, "pvlink.api"),
    **dict.fromkeys(_ERRORS, "pvlink.errors"),
    "Job": "pvlink.launchers.job",
    "Server": "pvlink.servers.server",
    "Session": "pvlink.sessions",
    "Share": "pvlink.share",
    "Simulation": "pvlink.monitor.simulation",
    "View": "pvlink.view",
}

__all__ = [
    "DataError",
    "EngineLost",
    "EngineStartError",
    "Job",
    "JobError",
    "OptionError",
    "PvlinkError",
    "PvpythonNotFound",
    "Server",
    "ServerError",
    "ServerLost",
    "Session",
    "Share",
    "ShareError",
    "Simulation",
    "SimulationError",
    "StreamerLost",
    "View",
    "ViewError",
    "__version__",
    "attach",
    "doctor",
    "fetch",
    "jobs",
    "launch",
    "put",
    "session",
    "show",
    "start",
    "stop",
]


def __getattr__(name: str) -> Any:
    """Import on first use: the streamer and the relay import this package too, and need none of the kernel's side."""
    if name not in _WHERE:
        raise AttributeError(f"module 'pvlink' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return __all__


def _in_a_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return get_ipython() is not None


if _in_a_notebook():
    # Before the user's next line may import a ParaView or VTK of this kernel's own.
    for _name in ("pvlink.arrival", "pvlink.showing"):
        import_module(_name).prepare()
