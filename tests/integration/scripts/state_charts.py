# state file generated using paraview version 5.11.0
import paraview
paraview.compatibility.major = 5
paraview.compatibility.minor = 11

#### import the simple module from the paraview
from paraview.simple import *
#### disable automatic camera reset on 'Show'
paraview.simple._DisableFirstRenderCameraReset()

# ----------------------------------------------------------------
# setup views used in the visualization
# ----------------------------------------------------------------

# Create a new 'Bar Chart View'
barChartView1 = CreateView('XYBarChartView')
barChartView1.ViewSize = [500, 320]
barChartView1.LeftAxisRangeMaximum = 1000.0
barChartView1.BottomAxisRangeMaximum = 300.0
barChartView1.RightAxisRangeMaximum = 6.66
barChartView1.TopAxisRangeMaximum = 6.66

# Create a new 'Line Chart View'
lineChartView1 = CreateView('XYChartView')
lineChartView1.ViewSize = [500, 320]
lineChartView1.ChartTitle = 'Along the diagonal'
lineChartView1.LeftAxisRangeMinimum = 50.0
lineChartView1.LeftAxisRangeMaximum = 300.0
lineChartView1.BottomAxisRangeMaximum = 35.0
lineChartView1.RightAxisRangeMaximum = 6.66
lineChartView1.TopAxisRangeMaximum = 6.66

SetActiveView(None)

# ----------------------------------------------------------------
# restore active view
SetActiveView(barChartView1)
# ----------------------------------------------------------------

# ----------------------------------------------------------------
# setup the data processing pipelines
# ----------------------------------------------------------------

# create a new 'Wavelet'
wavelet1 = Wavelet(registrationName='Wavelet1')

# create a new 'Plot Over Line'
plotOverLine1 = PlotOverLine(registrationName='PlotOverLine1', Input=wavelet1)
plotOverLine1.Resolution = 60
plotOverLine1.Point1 = [-10.0, -10.0, -10.0]
plotOverLine1.Point2 = [10.0, 10.0, 10.0]

# create a new 'Histogram'
histogram1 = Histogram(registrationName='Histogram1', Input=wavelet1)
histogram1.SelectInputArray = ['POINTS', 'RTData']
histogram1.BinCount = 20
histogram1.CustomBinRanges = [37.35310363769531, 276.8288269042969]

# ----------------------------------------------------------------
# setup the visualization in view 'barChartView1'
# ----------------------------------------------------------------

# show data from histogram1
histogram1Display = Show(histogram1, barChartView1, 'XYBarChartRepresentation')

# trace defaults for the display properties.
histogram1Display.AttributeType = 'Row Data'
histogram1Display.UseIndexForXAxis = 0
histogram1Display.XArrayName = 'bin_extents'
histogram1Display.SeriesVisibility = ['bin_values']
histogram1Display.SeriesLabel = ['bin_extents', 'bin_extents', 'bin_values', 'bin_values']
histogram1Display.SeriesColor = ['bin_extents', '0', '0', '0', 'bin_values', '0.89', '0.1', '0.11']
histogram1Display.SeriesOpacity = ['bin_extents', '1.0', 'bin_values', '1.0']
histogram1Display.SeriesPlotCorner = ['bin_extents', '0', 'bin_values', '0']
histogram1Display.SeriesLabelPrefix = ''

# ----------------------------------------------------------------
# setup the visualization in view 'lineChartView1'
# ----------------------------------------------------------------

# show data from plotOverLine1
plotOverLine1Display = Show(plotOverLine1, lineChartView1, 'XYChartRepresentation')

# trace defaults for the display properties.
plotOverLine1Display.UseIndexForXAxis = 0
plotOverLine1Display.XArrayName = 'arc_length'
plotOverLine1Display.SeriesVisibility = ['RTData']
plotOverLine1Display.SeriesLabel = ['arc_length', 'arc_length', 'RTData', 'RTData', 'vtkValidPointMask', 'vtkValidPointMask', 'Points_X', 'Points_X', 'Points_Y', 'Points_Y', 'Points_Z', 'Points_Z', 'Points_Magnitude', 'Points_Magnitude']
plotOverLine1Display.SeriesColor = ['RTData', '0.1', '0.3', '0.8']
plotOverLine1Display.SeriesOpacity = ['arc_length', '1.0', 'RTData', '1.0', 'vtkValidPointMask', '1.0', 'Points_X', '1.0', 'Points_Y', '1.0', 'Points_Z', '1.0', 'Points_Magnitude', '1.0']
plotOverLine1Display.SeriesPlotCorner = ['arc_length', '0', 'RTData', '0', 'vtkValidPointMask', '0', 'Points_X', '0', 'Points_Y', '0', 'Points_Z', '0', 'Points_Magnitude', '0']
plotOverLine1Display.SeriesLabelPrefix = ''
plotOverLine1Display.SeriesLineStyle = ['arc_length', '1', 'RTData', '1', 'vtkValidPointMask', '1', 'Points_X', '1', 'Points_Y', '1', 'Points_Z', '1', 'Points_Magnitude', '1']
plotOverLine1Display.SeriesLineThickness = ['arc_length', '2', 'RTData', '2', 'vtkValidPointMask', '2', 'Points_X', '2', 'Points_Y', '2', 'Points_Z', '2', 'Points_Magnitude', '2']
plotOverLine1Display.SeriesMarkerStyle = ['arc_length', '0', 'RTData', '0', 'vtkValidPointMask', '0', 'Points_X', '0', 'Points_Y', '0', 'Points_Z', '0', 'Points_Magnitude', '0']
plotOverLine1Display.SeriesMarkerSize = ['arc_length', '4', 'RTData', '4', 'vtkValidPointMask', '4', 'Points_X', '4', 'Points_Y', '4', 'Points_Z', '4', 'Points_Magnitude', '4']

# ----------------------------------------------------------------
# restore active source
SetActiveSource(histogram1)
# ----------------------------------------------------------------