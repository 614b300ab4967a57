# Colour maps, their legends, opacity, and the same data as a volume in a second view.
from paraview.simple import *

wavelet = Wavelet(WholeExtent=[-8, 8, -8, 8, -8, 8])
vectors = Gradient(Input=wavelet, ScalarArray=["POINTS", "RTData"])
contour = Contour(Input=vectors, ContourBy=["POINTS", "RTData"], Isosurfaces=[120, 180])

left = CreateRenderView()
left.ViewSize = [400, 300]
left.OrientationAxesVisibility = 0
left.UseColorPaletteForBackground = 0
left.BackgroundColorMode = "Gradient"
left.Background = [1, 1, 1]
left.Background2 = [0.4, 0.5, 0.6]
shown = Show(contour, left)
ColorBy(shown, ("POINTS", "Gradient", "X"))
UpdateScalarBars(left)
shown.SetScalarBarVisibility(left, True)
slope = GetColorTransferFunction("Gradient")
slope.ApplyPreset("Cool to Warm (Extended)", True)
slope.RescaleTransferFunction(-20, 20)
bar = GetScalarBar(slope, left)
bar.Title, bar.ComponentTitle = "slope", "x"
bar.Orientation = "Horizontal"
bar.WindowLocation = "Any Location"
bar.Position = [0.3, 0.05]
bar.ScalarBarLength = 0.4
shown.Specular = 0.6
shown.Opacity = 0.7

right = CreateRenderView()
right.ViewSize = [400, 300]
volume = Show(wavelet, right)
volume.SetRepresentationType("Volume")
ColorBy(volume, ("POINTS", "RTData"))
colours = GetColorTransferFunction("RTData")
colours.RGBPoints = [40.0, 0, 0, 1, 150.0, 1, 1, 1, 280.0, 1, 0, 0]
colours.ColorSpace = "RGB"
opacity = GetOpacityTransferFunction("RTData")
opacity.Points = [40, 0, 0.5, 0, 200, 0.05, 0.5, 0, 280, 0.6, 0.5, 0]
print(len(colours.RGBPoints), opacity.Points[-4:], sorted(colours.GetProperty("ColorSpace").Available))

blocks = Show(Threshold(Input=wavelet, Scalars=["POINTS", "RTData"], LowerThreshold=220, UpperThreshold=400), right)
ColorBy(blocks, None)
blocks.DiffuseColor = [0.1, 0.7, 0.2]

for view in (left, right):
    view.CameraPosition = [25, -35, 20]
    view.CameraFocalPoint = [0, 0, 0]
    view.CameraViewUp = [0, 0, 1]
    Render(view)
shown.RescaleTransferFunctionToDataRange(False, True)
print(["%.4f" % x for x in slope.RGBPoints[0:4]])
print(AssignLookupTable(wavelet.PointData["RTData"], "Viridis (matplotlib)"))
