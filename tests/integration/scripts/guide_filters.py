# A pipeline of filters, and what its data look like at each step.
from paraview.simple import *

wavelet = Wavelet(registrationName="signal", WholeExtent=[-9, 9, -9, 9, -9, 9])
wavelet.Maximum = 200
wavelet.XFreq, wavelet.YFreq = 40.0, 25.0

contour = Contour(Input=wavelet, ContourBy=["POINTS", "RTData"])
contour.Isosurfaces = [90.0 + 20 * i for i in range(4)]

clip = Clip(Input=contour)
clip.ClipType = "Plane"
clip.ClipType.Origin = [0, 0, 0]
clip.ClipType.Normal[0:2] = [0.0, 1.0]
clip.Invert = 0

cut = Slice(Input=wavelet)
cut.SliceType.Normal = (0, 0, 1)
cut.SliceOffsetValues = [-4.0, 0.0, 4.0]

calculator = Calculator(Input=cut)
calculator.Function = "RTData - 100"
calculator.ResultArrayName = "difference"

warp = WarpByScalar(Input=calculator, Scalars=["POINTS", "difference"], ScaleFactor=0.02)
hot = Threshold(Input=wavelet, Scalars=["POINTS", "RTData"], LowerThreshold=150, UpperThreshold=260)
glyphs = Glyph(Input=cut, GlyphType="Arrow")
glyphs.GlyphType.TipResolution = 12
glyphs.ScaleArray = ["POINTS", "RTData"]
glyphs.ScaleFactor = 0.005
glyphs.GlyphMode = "Every Nth Point"
glyphs.Stride = 31

for (name, number), source in sorted(GetSources().items()):
    source.UpdatePipeline()
    information = source.GetDataInformation()
    print(name, information.GetDataSetTypeAsString(), information.GetNumberOfCells(), information.GetNumberOfPoints())
    for array in source.PointData:
        print("   ", array.Name, array.GetNumberOfComponents(), ["%.6g" % x for x in array.GetRange(0)])

view = GetActiveViewOrCreate("RenderView")
view.ViewSize = [480, 360]
for source in (clip, warp, hot, glyphs):
    Show(source, view)
Hide(hot, view)
ColorBy(GetDisplayProperties(warp, view), ("POINTS", "difference"))
view.Background = [0.2, 0.2, 0.25]
view.ResetCamera()
camera = GetActiveCamera()
camera.Azimuth(30)
camera.Elevation(20)
Render()
print("%.5f %.5f %.5f" % tuple(camera.GetPosition()))
SaveScreenshot("filters.png", view, ImageResolution=[480, 360], TransparentBackground=0)
