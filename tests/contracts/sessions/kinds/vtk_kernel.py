"""VTK in the kernel itself."""

from __future__ import annotations

from tests.contracts.sessions.kinds import IN_THE_KERNEL, Kind
from tests.contracts.sessions.kinds.vtk import IMPORT, LINES, WINDOW

KIND = Kind(
    name="VTK in the kernel",
    environment="vtk",
    inside=True,
    # In an engine of pvlink's own it is there.
    start=f"import pvlink\nimport vtkmodules.vtkRenderingOpenGL2\n{IMPORT}",
    cannot=IN_THE_KERNEL | WINDOW,
    nightly=frozenset(),
    **LINES,
)
