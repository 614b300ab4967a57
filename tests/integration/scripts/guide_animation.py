# Key frames of a property and of the camera, played frame by frame and saved as pictures.
from paraview.simple import *

sphere = Sphere(ThetaResolution=20, PhiResolution=20)
cone = Cone(Resolution=24, Center=[1.5, 0, 0])
view = CreateRenderView()
view.ViewSize = [240, 180]
Show(sphere, view)
Show(cone, view).DiffuseColor = [0.8, 0.3, 0.1]
view.ResetCamera()

scene = GetAnimationScene()
scene.PlayMode = "Sequence"
scene.StartTime, scene.EndTime = 0.0, 2.0
scene.NumberOfFrames = 5

track = GetAnimationTrack("Radius", proxy=sphere)
frames = [CompositeKeyFrame(KeyTime=t, KeyValues=[value]) for t, value in ((0.0, 0.3), (0.5, 0.9), (1.0, 0.5))]
frames[0].Interpolation = "Ramp"
track.KeyFrames = frames

turn = GetAnimationTrack("StartTheta", proxy=sphere)
turn.KeyFrames = [CompositeKeyFrame(KeyTime=0, KeyValues=[0]), CompositeKeyFrame(KeyTime=1, KeyValues=[180])]

flight = GetCameraTrack(view=view)
flight.Mode = "Path-based"
near = CameraKeyFrame(KeyTime=0.0)
near.PositionPathPoints = [0, 0, 6, 4, 0, 5, 6, 0, 0]
near.FocalPathPoints = [0.5, 0, 0]
near.ViewUp = [0, 1, 0]
flight.KeyFrames = [near, CameraKeyFrame(KeyTime=1.0)]

scene.GoToFirst()
times = []
for _ in range(scene.NumberOfFrames):
    position = view.CameraPosition
    times.append(scene.TimeKeeper.Time)
    print("%.3f %.5f %.3f" % (scene.TimeKeeper.Time, sphere.Radius, sphere.StartTheta), ["%.4f" % x for x in position])
    scene.GoToNext()
assert times == sorted(times)
SaveAnimation("frame.png", view, FrameWindow=[0, 4], ImageResolution=[240, 180])
scene.GoToFirst()
