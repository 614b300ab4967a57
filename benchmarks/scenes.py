"""The scenes that are measured: scripts for pvlink and for plain ParaView alike."""

from __future__ import annotations

LIGHT = """\
from paraview.simple import *
contour = Contour(Input=Wavelet(), ContourBy=["POINTS", "RTData"], Isosurfaces=[157.0])
Show(contour)
"""
# 1.6 million triangles.
HEAVY = """\
from paraview.simple import *
wavelet = Wavelet(WholeExtent=[-90, 90] * 3)
contour = Contour(Input=wavelet, ContourBy=["POINTS", "RTData"], Isosurfaces=[100.0, 130.0, 157.0, 200.0])
Show(contour)
"""
SCENES = {"light": LIGHT, "heavy": HEAVY}
SIZE = (1280, 720)
# The fast path without anything around it: what no viewer can beat.
BARE_LOOP = """\
import time
import numpy
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
view = GetActiveView()
view.ViewSize = [{width}, {height}]
ResetCamera(view)
window = view.SMProxy.GetRenderWindow()
window.SetShowWindow(False); window.SetUseOffScreenBuffers(True); window.SwapBuffersOff()
view.GetClientSideObject().SetUseFXAA(False)
pixels = numpy.empty(({height}, {width}, 4), numpy.uint8)
array = vtkUnsignedCharArray(); array.SetNumberOfComponents(4); array.SetVoidArray(pixels.ravel(), pixels.size, 1)
camera = view.SMProxy.GetActiveCamera()
def turn(seconds):
    frames, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        camera.Azimuth(1.5)
        view.SMProxy.InteractiveRender()
        window.GetRGBACharPixelData(0, 0, {width} - 1, {height} - 1, 0, array, 0)
        frames += 1
    return frames / (time.perf_counter() - began)
view.SMProxy.StillRender()
turn(0.5)
"""
