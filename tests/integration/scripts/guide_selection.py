# Selections: by a query, by a rectangle on the screen, by ids; and what is extracted from them.
from paraview.simple import *
from paraview import selection

wavelet = Wavelet(WholeExtent=[-6, 6, -6, 6, -6, 6])
sphere = Sphere(ThetaResolution=30, PhiResolution=30, Radius=8)
elevation = Elevation(Input=sphere, LowPoint=[0, 0, -8], HighPoint=[0, 0, 8])
view = CreateRenderView()
view.ViewSize = [400, 400]
Show(elevation, view)
view.CameraPosition = [0, 0, 40]
view.CameraFocalPoint = [0, 0, 0]
view.CameraViewUp = [0, 1, 0]
Render(view)

QuerySelect(QueryString="RTData > 200", FieldType="POINT", Source=wavelet)
hot = ExtractSelection(Input=wavelet)
hot.UpdatePipeline()
print(hot.GetDataInformation().GetNumberOfPoints(), "%.3f %.3f" % hot.PointData["RTData"].GetRange())
ClearSelection(wavelet)

SetActiveSource(elevation)
SelectSurfacePoints(Rectangle=[150, 150, 250, 250], View=view)
middle = ExtractSelection(Input=elevation)
middle.UpdatePipeline()
print(middle.GetDataInformation().GetNumberOfPoints())
ClearSelection(elevation)

SelectSurfaceCells(Rectangle=[0, 200, 400, 400], View=view)
upper = ExtractSelection(Input=elevation)
upper.UpdatePipeline()
print(upper.GetDataInformation().GetNumberOfCells())
ClearSelection(elevation)

ids = IDSelectionSource(IDs=[number for cell in range(25) for number in (0, cell)], FieldType="CELL")
some = ExtractSelection(Input=elevation, Selection=ids)
some.UpdatePipeline()
print(some.GetDataInformation().GetNumberOfCells(), some.GetDataInformation().GetBounds()[4:6])

Hide(elevation, view)
shown = Show(upper, view)
shown.Representation = "Surface With Edges"
Render(view)
