# trace generated using paraview version 5.11.0
#import paraview
#paraview.compatibility.major = 5
#paraview.compatibility.minor = 11

#### import the simple module from the paraview
from paraview.simple import *
#### disable automatic camera reset on 'Show'
paraview.simple._DisableFirstRenderCameraReset()

# Create a new 'Render View'
renderView1 = CreateView('RenderView')
renderView1.AxesGrid = 'GridAxes3DActor'
renderView1.StereoType = 0
renderView1.CameraFocalDisk = 1.0

# create a new 'Wavelet'
wavelet1 = Wavelet(registrationName='Wavelet1')
wavelet1.WholeExtent = [-8, 8, -8, 8, -8, 8]

# create a new 'Gradient'
gradient1 = Gradient(registrationName='Gradient1', Input=wavelet1)
gradient1.ScalarArray = ['POINTS', 'RTData']

# create a new 'Stream Tracer'
streamTracer1 = StreamTracer(registrationName='StreamTracer1', Input=gradient1,
    SeedType='Point Cloud')
streamTracer1.Vectors = ['POINTS', 'Gradient']
streamTracer1.MaximumStreamlineLength = 16.0

# init the 'Point Cloud' selected for 'SeedType'
streamTracer1.SeedType.Radius = 1.6

# create a new 'Tube'
tube1 = Tube(registrationName='Tube1', Input=streamTracer1)
tube1.Scalars = ['POINTS', 'RTData']
tube1.Vectors = ['POINTS', 'Normals']
tube1.Radius = 0.15943809032440187

# show data in view
tube1Display = Show(tube1, renderView1, 'GeometryRepresentation')

# get color transfer function/color map for 'RTData'
rTDataLUT = GetColorTransferFunction('RTData')

# trace defaults for the display properties.
tube1Display.Representation = 'Surface'
tube1Display.ColorArrayName = ['POINTS', 'RTData']
tube1Display.LookupTable = rTDataLUT
tube1Display.SelectTCoordArray = 'None'
tube1Display.SelectNormalArray = 'TubeNormals'
tube1Display.SelectTangentArray = 'None'
tube1Display.OSPRayScaleArray = 'RTData'
tube1Display.OSPRayScaleFunction = 'PiecewiseFunction'
tube1Display.SelectOrientationVectors = 'Normals'
tube1Display.ScaleFactor = 1.6099406242370606
tube1Display.SelectScaleArray = 'RTData'
tube1Display.GlyphType = 'Arrow'
tube1Display.GlyphTableIndexArray = 'RTData'
tube1Display.GaussianRadius = 0.08049703121185303
tube1Display.SetScaleArray = ['POINTS', 'RTData']
tube1Display.ScaleTransferFunction = 'PiecewiseFunction'
tube1Display.OpacityArray = ['POINTS', 'RTData']
tube1Display.OpacityTransferFunction = 'PiecewiseFunction'
tube1Display.DataAxesGrid = 'GridAxesRepresentation'
tube1Display.PolarAxes = 'PolarAxesRepresentation'
tube1Display.SelectInputVectors = ['POINTS', 'Normals']
tube1Display.WriteLog = ''

# init the 'PiecewiseFunction' selected for 'ScaleTransferFunction'
tube1Display.ScaleTransferFunction.Points = [91.04366302490234, 0.0, 0.5, 0.0, 272.6961364746094, 1.0, 0.5, 0.0]

# init the 'PiecewiseFunction' selected for 'OpacityTransferFunction'
tube1Display.OpacityTransferFunction.Points = [91.04366302490234, 0.0, 0.5, 0.0, 272.6961364746094, 1.0, 0.5, 0.0]

# set scalar coloring
ColorBy(tube1Display, ('POINTS', 'RTData'))

# rescale color and/or opacity maps used to exactly fit the current data range
tube1Display.RescaleTransferFunctionToDataRange(False, True)

# rescale color and/or opacity maps used to include current data range
tube1Display.RescaleTransferFunctionToDataRange(True, False)

# show color bar/color legend
tube1Display.SetScalarBarVisibility(renderView1, True)

# Apply a preset using its name. Note this may not work as expected when presets have duplicate names.
rTDataLUT.ApplyPreset('Viridis (matplotlib)', True)

# create a new 'Clip'
clip1 = Clip(registrationName='Clip1', Input=wavelet1)
clip1.ClipType = 'Plane'
clip1.HyperTreeGridClipper = 'Plane'
clip1.Scalars = ['POINTS', 'RTData']
clip1.Value = 158.1444320678711

# show data in view
clip1Display = Show(clip1, renderView1, 'UnstructuredGridRepresentation')

# get opacity transfer function/opacity map for 'RTData'
rTDataPWF = GetOpacityTransferFunction('RTData')

# trace defaults for the display properties.
clip1Display.Representation = 'Surface'
clip1Display.ColorArrayName = ['POINTS', 'RTData']
clip1Display.LookupTable = rTDataLUT
clip1Display.SelectTCoordArray = 'None'
clip1Display.SelectNormalArray = 'None'
clip1Display.SelectTangentArray = 'None'
clip1Display.OSPRayScaleArray = 'RTData'
clip1Display.OSPRayScaleFunction = 'PiecewiseFunction'
clip1Display.SelectOrientationVectors = 'None'
clip1Display.ScaleFactor = 1.6
clip1Display.SelectScaleArray = 'RTData'
clip1Display.GlyphType = 'Arrow'
clip1Display.GlyphTableIndexArray = 'RTData'
clip1Display.GaussianRadius = 0.08
clip1Display.SetScaleArray = ['POINTS', 'RTData']
clip1Display.ScaleTransferFunction = 'PiecewiseFunction'
clip1Display.OpacityArray = ['POINTS', 'RTData']
clip1Display.OpacityTransferFunction = 'PiecewiseFunction'
clip1Display.DataAxesGrid = 'GridAxesRepresentation'
clip1Display.PolarAxes = 'PolarAxesRepresentation'
clip1Display.ScalarOpacityFunction = rTDataPWF
clip1Display.ScalarOpacityUnitDistance = 1.781657846554575
clip1Display.OpacityArrayName = ['POINTS', 'RTData']
clip1Display.SelectInputVectors = [None, '']
clip1Display.WriteLog = ''

# init the 'PiecewiseFunction' selected for 'ScaleTransferFunction'
clip1Display.ScaleTransferFunction.Points = [45.55049514770508, 0.0, 0.5, 0.0, 278.9357604980469, 1.0, 0.5, 0.0]

# init the 'PiecewiseFunction' selected for 'OpacityTransferFunction'
clip1Display.OpacityTransferFunction.Points = [45.55049514770508, 0.0, 0.5, 0.0, 278.9357604980469, 1.0, 0.5, 0.0]

# change representation type
clip1Display.SetRepresentationType('Wireframe')

# reset view to fit data
renderView1.ResetCamera(False)

# hide data in view
Hide(clip1, renderView1)

# show data in view
clip1Display = Show(clip1, renderView1, 'UnstructuredGridRepresentation')

# reset view to fit data
renderView1.ResetCamera(False)

#================================================================
# addendum: following script captures some of the application
# state to faithfully reproduce the visualization during playback
#================================================================

#-----------------------------------
# saving camera placements for views

# current camera placement for renderView1
renderView1.CameraPosition = [37.52594499165095, -24.66244031556881, 25.025600621833274]
renderView1.CameraFocalPoint = [0.0633244514465332, -1.4537625312805176, 0.009184837341308594]
renderView1.CameraViewUp = [0.0, 0.0, 1.0]
renderView1.CameraParallelScale = 13.115542991613436

#--------------------------------------------
# uncomment the following to render all views
# RenderAllViews()
# alternatively, if you want to write images, you can use SaveScreenshot(...).
