"""Where the versions of ParaView and VTK differ for us: each difference once, with the versions that need it.

What was looked up, and what was run, is in docs/versions.md. (How cells with faces are kept, another way since VTK 9.4,
is told by the names that are there: polyhedra.py.)
"""

from __future__ import annotations

# All that is called is there from 5.9 on (read). Its own archive has Python 3.8, which is too old; Debian 11's package
# of it has 3.9.
OLDEST_PARAVIEW = (5, 9)


def mend_numpy() -> None:
    """Before `paraview` or `vtkmodules.numpy_interface` is imported. VTK up to 9.5 (ParaView up to 6.0) calls
    numpy.in1d, which numpy 2.4 no longer has."""
    import numpy

    if not hasattr(numpy, "in1d"):
        numpy.in1d = numpy.isin  # type: ignore[attr-defined]


def chooses_window_late() -> bool:
    """Since VTK 9.4 (ParaView 6.0) one build holds windows for X, EGL and OSMesa and chooses when it makes one; before,
    it had those it was built for (VTK's wheels and most packages: X alone)."""
    from vtkmodules.vtkCommonCore import vtkVersion

    return (vtkVersion.GetVTKMajorVersion(), vtkVersion.GetVTKMinorVersion()) >= (9, 4)
