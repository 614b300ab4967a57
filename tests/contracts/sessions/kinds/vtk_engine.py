"""VTK in a process beside the kernel: what `pvlink.start("vtk")` gives."""

from __future__ import annotations

from tests.contracts.sessions.kinds import SLOW, STREAMERS, Kind
from tests.contracts.sessions.kinds.vtk import IMPORT, LINES, WINDOW

KIND = Kind(
    name="VTK engine",
    environment="vtk",
    inside=False,
    start=f'import pvlink\nsession = pvlink.start("vtk")\n{IMPORT}',
    cannot=WINDOW
    | {
        "a_killed_engine_comes_back_with_its_pipeline": "VTK has no state that could be written down: restart() begins "
        "with nothing, run the cells again.",
    },
    nightly=STREAMERS | SLOW,
    **LINES,
)
