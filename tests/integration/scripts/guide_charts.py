# Lines, bars and a table beside each other in a layout.
from paraview.simple import *

wavelet = Wavelet()
gradient = Gradient(Input=wavelet, ScalarArray=["POINTS", "RTData"])

line = PlotOverLine(Input=gradient)
line.Point1 = [-10, 0, 0]
line.Point2 = [10, 0, 0]
line.Resolution = 80

histogram = Histogram(Input=wavelet, SelectInputArray=["POINTS", "RTData"], BinCount=12)
histogram.UseCustomBinRanges = 1
histogram.CustomBinRanges = [30, 290]

chart = CreateView("XYChartView")
chart.ViewSize = [420, 300]
chart.ChartTitle = "RTData along x"
chart.BottomAxisTitle = "x"
chart.LeftAxisUseCustomRange = 1
chart.LeftAxisRangeMinimum, chart.LeftAxisRangeMaximum = 0.0, 300.0
shown = Show(line, chart)
shown.UseIndexForXAxis = 0
shown.XArrayName = "Points_X"
shown.SeriesVisibility = ["RTData", "Gradient_Magnitude"]
shown.SeriesLabel = ["RTData", "value", "Gradient_Magnitude", "slope"]
shown.SeriesColor = ["RTData", "0.8", "0.1", "0.1", "Gradient_Magnitude", "0.1", "0.1", "0.8"]
shown.SeriesLineThickness = ["RTData", "3"]

bars = CreateView("XYBarChartView")
bars.ViewSize = [420, 300]
Show(histogram, bars)

layout = CreateLayout("both")
AssignViewToLayout(view=chart, layout=layout, hint=0)
place = layout.SplitHorizontal(0, 0.5)
AssignViewToLayout(view=bars, layout=layout, hint=place)
layout.SetSize(860, 300)
print(layout.GetViewLocation(chart), layout.GetViewLocation(bars), len(GetViewsInLayout(layout)))

RenderAllViews()
SaveScreenshot("both.png", layout)
line.UpdatePipeline()
print(line.GetDataInformation().GetNumberOfPoints(), ["%.4f" % x for x in line.PointData["RTData"].GetRange()])
table = servermanager.Fetch(histogram)
print([table.GetValueByName(row, "bin_values").ToInt() for row in range(table.GetNumberOfRows())])
print(list(shown.SeriesVisibility), shown.SeriesColor[0:4])
