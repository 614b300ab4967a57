"""The lines of a user of VTK, wherever that is."""

from __future__ import annotations

from typing import Any

IMPORT = """\
from vtkmodules.vtkFiltersCore import vtkContourFilter, vtkSmoothPolyDataFilter
from vtkmodules.vtkFiltersSources import vtkConeSource
from vtkmodules.vtkImagingCore import vtkRTAnalyticSource
from vtkmodules.vtkIOXML import vtkXMLPolyDataReader
from vtkmodules.vtkRenderingCore import vtkActor, vtkDataSetMapper, vtkRenderer, vtkRenderWindow
"""
SCENE = """\
thing = vtkConeSource()
thing.SetResolution(7)
thing.SetDirection(1.0, 0.5, 0.2)
mapper = vtkDataSetMapper()
mapper.SetInputConnection(thing.GetOutputPort())
actor = vtkActor()
actor.SetMapper(mapper)
renderer = vtkRenderer()
renderer.AddActor(actor)
view = vtkRenderWindow()
view.SetSize(320, 240)
view.AddRenderer(renderer)
"""
WORK = """\
wavelet = vtkRTAnalyticSource()
wavelet.SetWholeExtent(-60, 60, -60, 60, -60, 60)
contour = vtkContourFilter()
contour.SetInputConnection(wavelet.GetOutputPort())
contour.SetValue(0, 100.0)
contour.SetValue(1, 157.0)
heavy = vtkSmoothPolyDataFilter()
heavy.SetInputConnection(contour.GetOutputPort())
heavy.SetNumberOfIterations(250)
heavy.Update()
"""
LINES: dict[str, Any] = {
    "scene": SCENE,
    "change": "actor.GetProperty().SetColor(0.9, 0.3, 0.1)",
    "render": "view.Render()",
    "delete": "del view, renderer, actor, mapper, thing",
    "camera": "list(renderer.GetActiveCamera().GetPosition())",
    "size": "list(view.GetSize())",
    "work": WORK,
    "complain": "reader = vtkXMLPolyDataReader(); reader.SetFileName('/nowhere.vtp'); reader.Update()",
    "observe": "view.AddObserver('StartEvent', callback)",
    "listen": (
        "iren = view.GetInteractor()\niren.AddObserver('KeyPressEvent', lambda *_: pressed.append(iren.GetKeySym()))"
    ),
    "show_source": "mapper.SetInputConnection(source.GetOutputPort())",
}
# A window without an owner of its own.
WINDOW = {
    "a_view_that_was_deleted_says_so": "A vtkRenderWindow cannot be deleted: it lives as long as somebody looks at it.",
}
