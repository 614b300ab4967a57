# Data in and out: files, arrays, and numbers for the rest of Python.
import os

import numpy as np
from paraview import servermanager as sm
from paraview.simple import *

wavelet = Wavelet(WholeExtent=[-5, 5, -5, 5, -5, 5])
cells = PointDatatoCellData(Input=wavelet, PassPointData=1)
surface = Contour(Input=wavelet, ContourBy=["POINTS", "RTData"], Isosurfaces=[150.0])

SaveData("grid.vti", proxy=cells)
SaveData("surface.vtp", proxy=surface)
SaveData("points.csv", proxy=surface, Precision=6)
for name in ("grid.vti", "surface.vtp"):
    reader = OpenDataFile(os.path.join(os.getcwd(), name))
    reader.UpdatePipeline()
    print(name, reader.GetDataInformation().GetNumberOfPoints(), [array.Name for array in reader.PointData])
with open("points.csv") as file:
    print(file.readline().strip())

data = sm.Fetch(wavelet)
print(data.GetClassName(), data.GetDimensions(), data.GetPointData().GetArray(0).GetName())
array = data.GetPointData().GetArray("RTData")
print(array.GetNumberOfTuples(), "%.5f" % array.GetValue(7))

from paraview.vtk.util.numpy_support import vtk_to_numpy

values = vtk_to_numpy(array)
print(values.shape, values.dtype, "%.4f %.4f" % (values.mean(), values.std()))
print(np.histogram(values, bins=4, range=(0, 400))[0])

from paraview.vtk.numpy_interface import dataset_adapter as dsa

wrapped = dsa.WrapDataObject(sm.Fetch(surface))
heights = np.asarray(wrapped.Points)[:, 2]
print(wrapped.PointData.keys(), heights.shape, "%.4f" % np.abs(heights).max())
print("%.4f" % float(np.max(wrapped.PointData["RTData"])))

average = sm.Fetch(wavelet, sm.filters.MinMax(Operation="MAX"), sm.filters.MinMax(Operation="MAX"))
print("%.4f" % average.GetPointData().GetArray("RTData").GetTuple1(0))

table = sm.Fetch(PlotOverLine(Input=wavelet, Point1=[-5, 0, 0], Point2=[5, 0, 0], Resolution=4))
print(["%.3f" % table.GetPointData().GetArray("RTData").GetValue(i) for i in range(table.GetNumberOfPoints())])

integral = IntegrateVariables(Input=wavelet)
integral.UpdatePipeline()
print("%.3f" % integral.CellData["Volume"].GetRange()[0] if "Volume" in integral.CellData.keys() else "no volume")
