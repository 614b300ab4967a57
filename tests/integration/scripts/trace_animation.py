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

# create a new 'Sphere'
sphere1 = Sphere(registrationName='Sphere1')

# show data in view
sphere1Display = Show(sphere1, renderView1, 'GeometryRepresentation')

# trace defaults for the display properties.
sphere1Display.Representation = 'Surface'
sphere1Display.ColorArrayName = [None, '']
sphere1Display.SelectTCoordArray = 'None'
sphere1Display.SelectNormalArray = 'Normals'
sphere1Display.SelectTangentArray = 'None'
sphere1Display.OSPRayScaleArray = 'Normals'
sphere1Display.OSPRayScaleFunction = 'PiecewiseFunction'
sphere1Display.SelectOrientationVectors = 'None'
sphere1Display.ScaleFactor = 0.1
sphere1Display.SelectScaleArray = 'None'
sphere1Display.GlyphType = 'Arrow'
sphere1Display.GlyphTableIndexArray = 'None'
sphere1Display.GaussianRadius = 0.005
sphere1Display.SetScaleArray = ['POINTS', 'Normals']
sphere1Display.ScaleTransferFunction = 'PiecewiseFunction'
sphere1Display.OpacityArray = ['POINTS', 'Normals']
sphere1Display.OpacityTransferFunction = 'PiecewiseFunction'
sphere1Display.DataAxesGrid = 'GridAxesRepresentation'
sphere1Display.PolarAxes = 'PolarAxesRepresentation'
sphere1Display.SelectInputVectors = ['POINTS', 'Normals']
sphere1Display.WriteLog = ''

# init the 'PiecewiseFunction' selected for 'ScaleTransferFunction'
sphere1Display.ScaleTransferFunction.Points = [-0.9945219159126282, 0.0, 0.5, 0.0, 0.9945219159126282, 1.0, 0.5, 0.0]

# init the 'PiecewiseFunction' selected for 'OpacityTransferFunction'
sphere1Display.OpacityTransferFunction.Points = [-0.9945219159126282, 0.0, 0.5, 0.0, 0.9945219159126282, 1.0, 0.5, 0.0]

# create a new 'Elevation'
elevation1 = Elevation(registrationName='Elevation1', Input=sphere1)
elevation1.LowPoint = [-0.4972609579563141, -0.4972609579563141, -0.5]
elevation1.HighPoint = [0.4972609579563141, 0.4972609579563141, 0.5]

# show data in view
elevation1Display = Show(elevation1, renderView1, 'GeometryRepresentation')

# get color transfer function/color map for 'Elevation'
elevationLUT = GetColorTransferFunction('Elevation')

# trace defaults for the display properties.
elevation1Display.Representation = 'Surface'
elevation1Display.ColorArrayName = ['POINTS', 'Elevation']
elevation1Display.LookupTable = elevationLUT
elevation1Display.SelectTCoordArray = 'None'
elevation1Display.SelectNormalArray = 'Normals'
elevation1Display.SelectTangentArray = 'None'
elevation1Display.OSPRayScaleArray = 'Elevation'
elevation1Display.OSPRayScaleFunction = 'PiecewiseFunction'
elevation1Display.SelectOrientationVectors = 'None'
elevation1Display.ScaleFactor = 0.1
elevation1Display.SelectScaleArray = 'Elevation'
elevation1Display.GlyphType = 'Arrow'
elevation1Display.GlyphTableIndexArray = 'Elevation'
elevation1Display.GaussianRadius = 0.005
elevation1Display.SetScaleArray = ['POINTS', 'Elevation']
elevation1Display.ScaleTransferFunction = 'PiecewiseFunction'
elevation1Display.OpacityArray = ['POINTS', 'Elevation']
elevation1Display.OpacityTransferFunction = 'PiecewiseFunction'
elevation1Display.DataAxesGrid = 'GridAxesRepresentation'
elevation1Display.PolarAxes = 'PolarAxesRepresentation'
elevation1Display.SelectInputVectors = ['POINTS', 'Normals']
elevation1Display.WriteLog = ''

# hide data in view
Hide(sphere1, renderView1)

# set scalar coloring
ColorBy(elevation1Display, ('POINTS', 'Elevation'))

# rescale color and/or opacity maps used to exactly fit the current data range
elevation1Display.RescaleTransferFunctionToDataRange(False, True)

# show color bar/color legend
elevation1Display.SetScalarBarVisibility(renderView1, True)

# reset view to fit data
renderView1.ResetCamera(False)

# reset view to fit data
renderView1.ResetCamera(False)

#================================================================
# addendum: following script captures some of the application
# state to faithfully reproduce the visualization during playback
#================================================================

#-----------------------------------
# saving camera placements for views

# current camera placement for renderView1
renderView1.CameraPosition = [0.24863047897815704, 0.24863047897815704, 2.361712878722495]
renderView1.CameraFocalPoint = [0.24863047897815704, 0.24863047897815704, 0.0]
renderView1.CameraParallelScale = 0.6112562720772815

#--------------------------------------------
# uncomment the following to render all views
# RenderAllViews()
# alternatively, if you want to write images, you can use SaveScreenshot(...).
