"""ParaView in the kernel itself: its own Python has imported it."""

from __future__ import annotations

from tests.contracts.sessions.kinds import IN_THE_KERNEL, Kind
from tests.contracts.sessions.kinds.paraview import LINES

KIND = Kind(
    name="ParaView in the kernel",
    environment="paraview",
    inside=True,
    start="import pvlink\nfrom paraview.simple import *",
    cannot=IN_THE_KERNEL,
    nightly=frozenset(),
    **LINES,
)
