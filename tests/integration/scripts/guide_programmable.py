# Filters written in Python, which runs where the data are.
from paraview.simple import *

spiral = ProgrammableSource(registrationName="spiral")
spiral.OutputDataSetType = "vtkPolyData"
spiral.Script = """
import math
import vtk
points = vtk.vtkPoints()
line = vtk.vtkCellArray()
count = 200
line.InsertNextCell(count)
heights = vtk.vtkDoubleArray()
heights.SetName("height")
for i in range(count):
    turn = i * 6 * math.pi / count
    points.InsertNextPoint(math.cos(turn), math.sin(turn), i / count)
    line.InsertCellPoint(i)
    heights.InsertNextValue(i / count)
output.SetPoints(points)
output.SetLines(line)
output.GetPointData().SetScalars(heights)
"""
tube = Tube(Input=spiral, Radius=0.05)

wavelet = Wavelet(WholeExtent=[-5, 5, -5, 5, -5, 5])
normed = ProgrammableFilter(Input=wavelet)
normed.CopyArrays = 1
normed.Script = """
import numpy as np
data = inputs[0].PointData["RTData"]
low, high = np.min(data), np.max(data)
output.PointData.append((data - low) / (high - low), "normed")
output.PointData.append(np.in1d(np.round(data), [100, 150, 200]).astype(np.uint8), "round")
"""

grid = ProgrammableSource(registrationName="grid")
grid.OutputDataSetType = "vtkImageData"
grid.ScriptRequestInformation = """
executive = self.GetExecutive()
info = executive.GetOutputInformation(0)
info.Set(executive.WHOLE_EXTENT(), 0, 6, 0, 5, 0, 4)
"""
grid.Script = """
import numpy as np
output.SetDimensions(7, 6, 5)
output.SetSpacing(0.5, 0.5, 0.5)
output.PointData.append(np.arange(7 * 6 * 5, dtype=float), "number")
"""

python = PythonCalculator(Input=normed, Expression="sqrt(normed) * max(RTData)", ArrayName="mixed")
note = Text(Text="written in Python")

for source in (spiral, tube, normed, grid, python):
    source.UpdatePipeline()
    arrays = {name: array.GetRange() for name, array in source.PointData.items()}
    print(source.GetDataInformation().GetNumberOfPoints(), sorted(arrays))
print("%.6f %.6f" % normed.PointData["normed"].GetRange())
print(grid.GetDataInformation().GetExtent(), grid.PointData["number"].GetRange())

view = CreateRenderView()
view.ViewSize = [400, 300]
shown = Show(tube, view)
ColorBy(shown, ("POINTS", "height"))
shown.RescaleTransferFunctionToDataRange()
Show(note, view)
view.ResetCamera()
Render(view)
