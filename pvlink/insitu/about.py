"""Who a simulation is, as a notebook is told first."""

from __future__ import annotations

import getpass
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pvlink.insitu.parameters import Parameters


def introduction(live: str, name: str, paraview: str, hosts: Sequence[str], parameters: Parameters) -> dict[str, Any]:
    """`hosts`: of all ranks. Also where the notebook is looked for."""
    return {
        "live": live,
        "name": name or Path(sys.argv[0] or "simulation").name,
        "paraview": paraview,
        "ranks": len(hosts),
        # Ranks on other nodes do not reach a ferry here: there all goes through the first one.
        "pairs": len(hosts) if len(set(hosts)) == 1 else 1,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "user": _user(),
        "parameters": parameters.facts(),
        "began": time.time(),
    }


def _user() -> str:
    """In a container nobody may have a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
