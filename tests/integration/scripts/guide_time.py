# Data that change in time: stepping, statistics over time, a label, a plot over time.
from paraview.simple import *

source = TimeSource()
source.XAmplitude = 2.0
source.UpdatePipelineInformation()
print(len(source.TimestepValues), source.TimestepValues[0], source.TimestepValues[-1])

keeper = GetTimeKeeper()
scene = GetAnimationScene()
scene.UpdateAnimationUsingDataTimeSteps()
print(len(keeper.TimestepValues), scene.EndTime)

label = AnnotateTimeFilter(Input=source, Format="Time: {time:.3f}")
statistics = TemporalStatistics(Input=source)
shifted = TemporalShiftScale(Input=source, Scale=2.0, PreShift=0.5)
interpolated = TemporalInterpolator(Input=source, DiscreteTimeStepInterval=0.05)

view = CreateRenderView()
view.ViewSize = [320, 240]
Show(source, view)
Show(label, view)
for time in source.TimestepValues[::4]:
    source.UpdatePipeline(time)
    bounds = source.GetDataInformation().GetBounds()
    print("%.3f" % time, ["%.4f" % x for x in bounds])
for step in range(3):
    scene.GoToNext()
    print("%.4f %.4f" % (keeper.Time, view.ViewTime))

statistics.UpdatePipeline()
print(sorted(array.Name for array in statistics.PointData), sorted(array.Name for array in statistics.CellData))
interpolated.UpdatePipeline(0.31)
print(interpolated.GetDataInformation().GetNumberOfPoints(), len(interpolated.TimestepValues))
shifted.UpdatePipelineInformation()
print("%.3f" % shifted.TimestepValues[-1])

scene.AnimationTime = 0.5
view.ResetCamera()
Render(view)
