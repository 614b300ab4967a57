"""The scenes that all show: contours of one and the same wavelet, in ParaView's words and in VTK's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contour:
    """Triangles, counted by ParaView 5.11."""

    name: str
    triangles: int
    # The wavelet goes so far to each side of the middle.
    reach: int
    values: tuple[float, ...]

    @property
    def paraview(self) -> str:
        """A script that leaves `contour` shown in the active view, camera reset."""
        return f"""\
from paraview.simple import *
wavelet = Wavelet(WholeExtent=[-{self.reach}, {self.reach}] * 3)
contour = Contour(Input=wavelet, ContourBy=["POINTS", "RTData"], Isosurfaces={list(self.values)})
Show(contour)
ResetCamera()
"""

    @property
    def vtk(self) -> str:
        """A script that leaves `contour`, a filter."""
        return f"""\
from vtkmodules.vtkFiltersCore import vtkContourFilter
from vtkmodules.vtkImagingCore import vtkRTAnalyticSource
wavelet = vtkRTAnalyticSource()
wavelet.SetWholeExtent(*[-{self.reach}, {self.reach}] * 3)
contour = vtkContourFilter()
contour.SetInputConnection(wavelet.GetOutputPort())
for number, value in enumerate({list(self.values)}):
    contour.SetValue(number, value)
contour.Update()
"""


CONTOURS = {
    each.name: each
    for each in (
        Contour("89k", 87_796, 36, (150.0,)),
        Contour("342k", 340_552, 71, (157.0,)),
        Contour("1500k", 1_590_544, 90, (100.0, 130.0, 157.0, 200.0)),
    )
}
