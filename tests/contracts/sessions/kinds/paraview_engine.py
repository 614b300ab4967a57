"""ParaView in a process beside the kernel: what `pvlink.start()` gives."""

from __future__ import annotations

from tests.contracts.sessions.kinds import Kind
from tests.contracts.sessions.kinds.paraview import LINES

KIND = Kind(
    name="ParaView engine",
    environment="",
    inside=False,
    start="import pvlink\nsession = pvlink.start()\nfrom paraview.simple import *",
    cannot={},
    **LINES,
)
