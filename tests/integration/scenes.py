"""Scenes to compare pictures of. Each is a script that leaves its view in `view`, at a size that is no round number."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

SIZE = (641, 359)
_VIEW = "view = CreateView({kind!r}); view.ViewSize = [641, 359]; SetActiveView(view)\n"
_RENDER = _VIEW.format(kind="RenderView")
_CAMERA = "view.CameraPosition = [40, 50, 60]; view.CameraFocalPoint = [0, 0, 0]; view.CameraViewUp = [0, 1, 0]\n"

SCENES = {
    "contour with a scalar bar": _RENDER
    + _CAMERA
    + """\
contour = Contour(Input=Wavelet(), ContourBy=["POINTS", "RTData"], Isosurfaces=[100.0, 157.0])
shown = Show(contour, view)
ColorBy(shown, ("POINTS", "RTData"))
shown.RescaleTransferFunctionToDataRange(True, False)
shown.SetScalarBarVisibility(view, True)
""",
    "volume": _RENDER
    + _CAMERA
    + """\
shown = Show(Wavelet(), view)
shown.SetRepresentationType("Volume")
ColorBy(shown, ("POINTS", "RTData"))
""",
    "text": _RENDER
    + """\
Show(Text(Text="pvlink 1234"), view)
Show(Sphere(ThetaResolution=32), view)
view.CameraPosition = [2, 1, 3]
""",
    "translucent surfaces with depth peeling": _RENDER
    + _CAMERA
    + """\
view.UseLight = 1
for radius, colour in ((12.0, [1, 0, 0]), (6.0, [0, 0, 1])):
    shown = Show(Sphere(Radius=radius, ThetaResolution=40, PhiResolution=40), view)
    shown.Opacity = 0.4
    shown.DiffuseColor = shown.AmbientColor = colour
""",
    "orientation axes and axes grid": _RENDER
    + _CAMERA
    + """\
shown = Show(Wavelet(), view)
shown.SetRepresentationType("Outline")
view.OrientationAxesVisibility = 1
view.AxesGrid.Visibility = 1
""",
    "background gradient": _RENDER
    + _CAMERA
    + """\
view.UseColorPaletteForBackground = 0
view.BackgroundColorMode = "Gradient"
view.Background = [0.1, 0.2, 0.3]
view.Background2 = [0.9, 0.8, 0.7]
Show(Cone(Height=20, Radius=10, Resolution=30), view)
""",
    "parallel projection, edges, no FXAA": _RENDER
    + _CAMERA
    + """\
view.CameraParallelProjection = 1
view.CameraParallelScale = 15
view.UseFXAA = 0
Show(Sphere(Radius=10), view).SetRepresentationType("Surface With Edges")
""",
    "chart": _VIEW.format(kind="XYChartView")
    + """\
line = PlotOverLine(Input=Wavelet())
line.UpdatePipeline()
shown = Show(line, view)
""",
}


def pixels(png: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def difference(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> str:
    """Empty for the same pixels, else how they differ."""
    if one.shape != other.shape:
        return f"{one.shape} and {other.shape}"
    apart = np.abs(one.astype(int) - other.astype(int)).max(axis=2)
    if not apart.any():
        return ""
    return f"{np.count_nonzero(apart)} of {apart.size} pixels, by up to {apart.max()}"
