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

# Create a new 'Render View'
renderView1 = CreateView('RenderView')
renderView1.ViewSize = [640, 400]
renderView1.AxesGrid = 'GridAxes3DActor'
renderView1.OrientationAxesVisibility = 0
renderView1.StereoType = 0
renderView1.CameraPosition = [30.0, -45.0, 28.0]
renderView1.CameraViewUp = [0.0, 0.0, 1.0]
renderView1.CameraFocalDisk = 1.0

SetActiveView(None)

# ----------------------------------------------------------------
# restore active view
SetActiveView(renderView1)
# ----------------------------------------------------------------

# ----------------------------------------------------------------
# setup the data processing pipelines
# ----------------------------------------------------------------

# create a new 'Wavelet'
wavelet1 = Wavelet(registrationName='Wavelet1')
wavelet1.WholeExtent = [-12, 12, -12, 12, -12, 12]

# create a new 'Contour'
contour1 = Contour(registrationName='Contour1', Input=wavelet1)
contour1.ContourBy = ['POINTS', 'RTData']
contour1.Isosurfaces = [110.0, 157.0, 200.0]
contour1.PointMergeMethod = 'Uniform Binning'

# create a new 'Clip'
clip1 = Clip(registrationName='Clip1', Input=contour1)
clip1.ClipType = 'Plane'
clip1.HyperTreeGridClipper = 'Plane'
clip1.Scalars = [None, '']

# init the 'Plane' selected for 'ClipType'
clip1.ClipType.Normal = [0.0, 1.0, 0.0]

# create a new 'Calculator'
calculator1 = Calculator(registrationName='Calculator1', Input=clip1)
calculator1.ResultArrayName = 'r2'
calculator1.Function = 'RTData^2/100'

# create a new 'Threshold'
threshold1 = Threshold(registrationName='Threshold1', Input=wavelet1)
threshold1.Scalars = ['POINTS', 'RTData']
threshold1.LowerThreshold = 240.0
threshold1.UpperThreshold = 300.0

# create a new 'Slice'
slice1 = Slice(registrationName='Slice1', Input=wavelet1)
slice1.SliceType = 'Plane'
slice1.HyperTreeGridSlicer = 'Plane'

# create a new 'Outline'
outline1 = Outline(registrationName='Outline1', Input=wavelet1)

# create a new 'Glyph'
glyph1 = Glyph(registrationName='Glyph1', Input=slice1,
    GlyphType='Cone')
glyph1.OrientationArray = ['POINTS', 'No orientation array']
glyph1.ScaleArray = ['POINTS', 'RTData']
glyph1.ScaleFactor = 0.004
glyph1.GlyphTransform = 'Transform2'
glyph1.MaximumNumberOfSamplePoints = 200

# ----------------------------------------------------------------
# setup the visualization in view 'renderView1'
# ----------------------------------------------------------------

# show data from calculator1
calculator1Display = Show(calculator1, renderView1, 'UnstructuredGridRepresentation')

# get 2D transfer function for 'r2'
r2TF2D = GetTransferFunction2D('r2')

# get color transfer function/color map for 'r2'
r2LUT = GetColorTransferFunction('r2')
r2LUT.TransferFunction2D = r2TF2D
r2LUT.RGBPoints = [121.0, 0.231373, 0.298039, 0.752941, 260.5, 0.865003, 0.865003, 0.865003, 400.0, 0.705882, 0.0156863, 0.14902]
r2LUT.ScalarRangeInitialized = 1.0

# get opacity transfer function/opacity map for 'r2'
r2PWF = GetOpacityTransferFunction('r2')
r2PWF.Points = [121.0, 0.0, 0.5, 0.0, 400.0, 1.0, 0.5, 0.0]
r2PWF.ScalarRangeInitialized = 1

# trace defaults for the display properties.
calculator1Display.Representation = 'Surface'
calculator1Display.ColorArrayName = ['POINTS', 'r2']
calculator1Display.LookupTable = r2LUT
calculator1Display.SelectTCoordArray = 'None'
calculator1Display.SelectNormalArray = 'Normals'
calculator1Display.SelectTangentArray = 'None'
calculator1Display.OSPRayScaleArray = 'r2'
calculator1Display.OSPRayScaleFunction = 'PiecewiseFunction'
calculator1Display.SelectOrientationVectors = 'None'
calculator1Display.ScaleFactor = 2.4000000000000004
calculator1Display.SelectScaleArray = 'r2'
calculator1Display.GlyphType = 'Arrow'
calculator1Display.GlyphTableIndexArray = 'r2'
calculator1Display.GaussianRadius = 0.12
calculator1Display.SetScaleArray = ['POINTS', 'r2']
calculator1Display.ScaleTransferFunction = 'PiecewiseFunction'
calculator1Display.OpacityArray = ['POINTS', 'r2']
calculator1Display.OpacityTransferFunction = 'PiecewiseFunction'
calculator1Display.DataAxesGrid = 'GridAxesRepresentation'
calculator1Display.PolarAxes = 'PolarAxesRepresentation'
calculator1Display.ScalarOpacityFunction = r2PWF
calculator1Display.ScalarOpacityUnitDistance = 1.692221233825302
calculator1Display.OpacityArrayName = ['POINTS', 'r2']
calculator1Display.SelectInputVectors = ['POINTS', 'Normals']
calculator1Display.WriteLog = ''

# init the 'PiecewiseFunction' selected for 'ScaleTransferFunction'
calculator1Display.ScaleTransferFunction.Points = [121.0, 0.0, 0.5, 0.0, 400.0, 1.0, 0.5, 0.0]

# init the 'PiecewiseFunction' selected for 'OpacityTransferFunction'
calculator1Display.OpacityTransferFunction.Points = [121.0, 0.0, 0.5, 0.0, 400.0, 1.0, 0.5, 0.0]

# show data from slice1
slice1Display = Show(slice1, renderView1, 'GeometryRepresentation')

# get 2D transfer function for 'RTData'
rTDataTF2D = GetTransferFunction2D('RTData')

# get color transfer function/color map for 'RTData'
rTDataLUT = GetColorTransferFunction('RTData')
rTDataLUT.TransferFunction2D = rTDataTF2D
rTDataLUT.RGBPoints = [84.14448547363281, 0.231373, 0.298039, 0.752941, 183.21329498291016, 0.865003, 0.865003, 0.865003, 282.2821044921875, 0.705882, 0.0156863, 0.14902]
rTDataLUT.ScalarRangeInitialized = 1.0

# trace defaults for the display properties.
slice1Display.Representation = 'Surface'
slice1Display.ColorArrayName = ['POINTS', 'RTData']
slice1Display.LookupTable = rTDataLUT
slice1Display.SelectTCoordArray = 'None'
slice1Display.SelectNormalArray = 'None'
slice1Display.SelectTangentArray = 'None'
slice1Display.OSPRayScaleArray = 'RTData'
slice1Display.OSPRayScaleFunction = 'PiecewiseFunction'
slice1Display.SelectOrientationVectors = 'None'
slice1Display.ScaleFactor = 2.4000000000000004
slice1Display.SelectScaleArray = 'RTData'
slice1Display.GlyphType = 'Arrow'
slice1Display.GlyphTableIndexArray = 'RTData'
slice1Display.GaussianRadius = 0.12
slice1Display.SetScaleArray = ['POINTS', 'RTData']
slice1Display.ScaleTransferFunction = 'PiecewiseFunction'
slice1Display.OpacityArray = ['POINTS', 'RTData']
slice1Display.OpacityTransferFunction = 'PiecewiseFunction'
slice1Display.DataAxesGrid = 'GridAxesRepresentation'
slice1Display.PolarAxes = 'PolarAxesRepresentation'
slice1Display.SelectInputVectors = [None, '']
slice1Display.WriteLog = ''

# init the 'PiecewiseFunction' selected for 'ScaleTransferFunction'
slice1Display.ScaleTransferFunction.Points = [84.14448547363281, 0.0, 0.5, 0.0, 276.1978454589844, 1.0, 0.5, 0.0]

# init the 'PiecewiseFunction' selected for 'OpacityTransferFunction'
slice1Display.OpacityTransferFunction.Points = [84.14448547363281, 0.0, 0.5, 0.0, 276.1978454589844, 1.0, 0.5, 0.0]

# show data from glyph1
glyph1Display = Show(glyph1, renderView1, 'GeometryRepresentation')

# trace defaults for the display properties.
glyph1Display.Representation = 'Surface'
glyph1Display.ColorArrayName = ['POINTS', 'RTData']
glyph1Display.DiffuseColor = [0.9, 0.6, 0.1]
glyph1Display.LookupTable = rTDataLUT
glyph1Display.SelectTCoordArray = 'None'
glyph1Display.SelectNormalArray = 'None'
glyph1Display.SelectTangentArray = 'None'
glyph1Display.OSPRayScaleArray = 'RTData'
glyph1Display.OSPRayScaleFunction = 'PiecewiseFunction'
glyph1Display.SelectOrientationVectors = 'None'
glyph1Display.ScaleFactor = 2.4571502685546878
glyph1Display.SelectScaleArray = 'RTData'
glyph1Display.GlyphType = 'Arrow'
glyph1Display.GlyphTableIndexArray = 'RTData'
glyph1Display.GaussianRadius = 0.12285751342773438
glyph1Display.SetScaleArray = ['POINTS', 'RTData']
glyph1Display.ScaleTransferFunction = 'PiecewiseFunction'
glyph1Display.OpacityArray = ['POINTS', 'RTData']
glyph1Display.OpacityTransferFunction = 'PiecewiseFunction'
glyph1Display.DataAxesGrid = 'GridAxesRepresentation'
glyph1Display.PolarAxes = 'PolarAxesRepresentation'
glyph1Display.SelectInputVectors = [None, '']
glyph1Display.WriteLog = ''

# init the 'PiecewiseFunction' selected for 'ScaleTransferFunction'
glyph1Display.ScaleTransferFunction.Points = [86.98096466064453, 0.0, 0.5, 0.0, 269.8384094238281, 1.0, 0.5, 0.0]

# init the 'PiecewiseFunction' selected for 'OpacityTransferFunction'
glyph1Display.OpacityTransferFunction.Points = [86.98096466064453, 0.0, 0.5, 0.0, 269.8384094238281, 1.0, 0.5, 0.0]

# show data from outline1
outline1Display = Show(outline1, renderView1, 'GeometryRepresentation')

# trace defaults for the display properties.
outline1Display.Representation = 'Surface'
outline1Display.ColorArrayName = [None, '']
outline1Display.SelectTCoordArray = 'None'
outline1Display.SelectNormalArray = 'None'
outline1Display.SelectTangentArray = 'None'
outline1Display.OSPRayScaleFunction = 'PiecewiseFunction'
outline1Display.SelectOrientationVectors = 'None'
outline1Display.ScaleFactor = 2.4000000000000004
outline1Display.SelectScaleArray = 'None'
outline1Display.GlyphType = 'Arrow'
outline1Display.GlyphTableIndexArray = 'None'
outline1Display.GaussianRadius = 0.12
outline1Display.SetScaleArray = [None, '']
outline1Display.ScaleTransferFunction = 'PiecewiseFunction'
outline1Display.OpacityArray = [None, '']
outline1Display.OpacityTransferFunction = 'PiecewiseFunction'
outline1Display.DataAxesGrid = 'GridAxesRepresentation'
outline1Display.PolarAxes = 'PolarAxesRepresentation'
outline1Display.SelectInputVectors = [None, '']
outline1Display.WriteLog = ''

# show data from threshold1
threshold1Display = Show(threshold1, renderView1, 'UnstructuredGridRepresentation')

# trace defaults for the display properties.
threshold1Display.Representation = 'Surface With Edges'
threshold1Display.ColorArrayName = ['POINTS', '']
threshold1Display.SelectTCoordArray = 'None'
threshold1Display.SelectNormalArray = 'None'
threshold1Display.SelectTangentArray = 'None'
threshold1Display.OSPRayScaleArray = 'RTData'
threshold1Display.OSPRayScaleFunction = 'PiecewiseFunction'
threshold1Display.SelectOrientationVectors = 'None'
threshold1Display.ScaleFactor = 0.9
threshold1Display.SelectScaleArray = 'RTData'
threshold1Display.GlyphType = 'Arrow'
threshold1Display.GlyphTableIndexArray = 'RTData'
threshold1Display.GaussianRadius = 0.045
threshold1Display.SetScaleArray = ['POINTS', 'RTData']
threshold1Display.ScaleTransferFunction = 'PiecewiseFunction'
threshold1Display.OpacityArray = ['POINTS', 'RTData']
threshold1Display.OpacityTransferFunction = 'PiecewiseFunction'
threshold1Display.DataAxesGrid = 'GridAxesRepresentation'
threshold1Display.PolarAxes = 'PolarAxesRepresentation'
threshold1Display.ScalarOpacityUnitDistance = 2.980185826969436
threshold1Display.OpacityArrayName = ['POINTS', 'RTData']
threshold1Display.SelectInputVectors = [None, '']
threshold1Display.WriteLog = ''

# init the 'PiecewiseFunction' selected for 'ScaleTransferFunction'
threshold1Display.ScaleTransferFunction.Points = [240.43141174316406, 0.0, 0.5, 0.0, 282.2821044921875, 1.0, 0.5, 0.0]

# init the 'PiecewiseFunction' selected for 'OpacityTransferFunction'
threshold1Display.OpacityTransferFunction.Points = [240.43141174316406, 0.0, 0.5, 0.0, 282.2821044921875, 1.0, 0.5, 0.0]

# setup the color legend parameters for each legend in this view

# get color legend/bar for r2LUT in view renderView1
r2LUTColorBar = GetScalarBar(r2LUT, renderView1)
r2LUTColorBar.Title = 'r2'
r2LUTColorBar.ComponentTitle = ''

# set color bar visibility
r2LUTColorBar.Visibility = 1

# get color legend/bar for rTDataLUT in view renderView1
rTDataLUTColorBar = GetScalarBar(rTDataLUT, renderView1)
rTDataLUTColorBar.WindowLocation = 'Upper Right Corner'
rTDataLUTColorBar.Title = 'RTData'
rTDataLUTColorBar.ComponentTitle = ''

# set color bar visibility
rTDataLUTColorBar.Visibility = 1

# show color legend
calculator1Display.SetScalarBarVisibility(renderView1, True)

# show color legend
slice1Display.SetScalarBarVisibility(renderView1, True)

# show color legend
glyph1Display.SetScalarBarVisibility(renderView1, True)

# ----------------------------------------------------------------
# setup color maps and opacity mapes used in the visualization
# note: the Get..() functions create a new object, if needed
# ----------------------------------------------------------------

# get opacity transfer function/opacity map for 'RTData'
rTDataPWF = GetOpacityTransferFunction('RTData')
rTDataPWF.Points = [84.14448547363281, 0.0, 0.5, 0.0, 282.2821044921875, 1.0, 0.5, 0.0]
rTDataPWF.ScalarRangeInitialized = 1

# ----------------------------------------------------------------
# restore active source
SetActiveSource(threshold1)
# ----------------------------------------------------------------