"""The lines of a user of paraview.simple, wherever that is."""

from __future__ import annotations

from typing import Any

SCENE = """\
view = CreateRenderView()
view.ViewSize = [320, 240]
view.OrientationAxesVisibility = 0
thing = Cone(Resolution=7, Direction=[1.0, 0.5, 0.2])
shown = Show(thing, view)
"""
LINES: dict[str, Any] = {
    "scene": SCENE,
    "change": "shown.DiffuseColor = shown.AmbientColor = [0.9, 0.3, 0.1]",
    "render": "Render(view)",
    "delete": "Delete(view); Delete(thing)",
    "camera": "list(view.GetActiveCamera().GetPosition())",
    "size": "list(view.ViewSize)",
    "work": """\
wavelet = Wavelet(WholeExtent=[-60, 60] * 3)
contour = Contour(Input=wavelet, ContourBy=["POINTS", "RTData"], Isosurfaces=[100, 157])
heavy = Smooth(Input=contour, NumberofIterations=80)
heavy.UpdatePipeline()
Delete(heavy); Delete(contour); Delete(wavelet)
""",
    "complain": "XMLPolyDataReader(FileName=['/nowhere.vtp']).UpdatePipeline()",
    "observe": "view.SMProxy.AddObserver('StartEvent', callback)",
    "listen": (
        "iren = view.SMProxy.GetInteractor()\n"
        "iren.AddObserver('KeyPressEvent', lambda *_: pressed.append(iren.GetKeySym()))"
    ),
    "show_source": "Show(source, view)",
}
