"""VTK's wheel on EGL: on a graphics card where the machine has one, else on its processor; each line says on which."""

from __future__ import annotations

import os
from collections.abc import Iterator

from benchmarks.figures import Figure, higher, lower, ratio
from benchmarks.frames import RESTLESS, drag
from benchmarks.peers.contours import CONTOURS
from tests.conftest import environment
from tests.integration.interpreter import Interpreter, Kernel
from tests.integration.watcher import Watcher

SIZE = (1920, 1080)
# Off screen, as pvlink's own are: a window of EGL is never on one.
SCENE = """\
from vtkmodules.vtkRenderingCore import (
    vtkActor, vtkPolyDataMapper, vtkRenderer, vtkRenderWindow, vtkRenderWindowInteractor)
from vtkmodules.vtkInteractionStyle import vtkInteractorStyleTrackballCamera
import vtkmodules.vtkRenderingOpenGL2
mapper = vtkPolyDataMapper()
mapper.SetInputConnection(contour.GetOutputPort())
actor = vtkActor()
actor.SetMapper(mapper)
renderer = vtkRenderer()
renderer.AddActor(actor)
window = vtkRenderWindow()
window.SetOffScreenRendering(True)
window.SetSize{size}
window.AddRenderer(renderer)
interactor = vtkRenderWindowInteractor()
interactor.SetRenderWindow(window)
interactor.SetInteractorStyle(vtkInteractorStyleTrackballCamera())
interactor.Initialize()
window.Render()
"""
BARE_LOOP = """\
import time
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
pixels = vtkUnsignedCharArray()
camera = renderer.GetActiveCamera()
def turn(seconds):
    frames, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        camera.Azimuth(1.5)
        renderer.ResetCameraClippingRange()
        window.Render()
        window.GetRGBACharPixelData(0, 0, {right}, {top}, 0, pixels, 0)
        frames += 1
    return frames / (time.perf_counter() - began)
turn(0.5)
"""
DEVICE = "answer = next(line for line in window.ReportCapabilities().splitlines() if 'renderer string' in line)"


def figures(runs: int, seconds: float) -> Iterator[Figure]:
    python = environment("vtk")
    env = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
    env["VTK_DEFAULT_OPENGL_WINDOW"] = "vtkEGLRenderWindow"
    for name in ("89k", "1500k"):
        scene = CONTOURS[name].vtk + SCENE.format(size=SIZE)
        with Interpreter([python], env) as bare, Kernel(python) as kernel:
            bare.run(scene + BARE_LOOP.format(right=SIZE[0] - 1, top=SIZE[1] - 1))
            device = str(bare.run(DEVICE)).partition(":")[2].strip()
            kernel.run("import pvlink; session = pvlink.start('vtk', display='none')")
            kernel.run(scene + "shown = pvlink.show(window, scale=1)")
            yield from _drags(f"vtk_{name}_1080p", device, bare, kernel, runs, seconds)


def _drags(name: str, device: str, bare: Interpreter, kernel: Kernel, runs: int, seconds: float) -> Iterator[Figure]:
    rates, floors, delays = [], [], []
    with Watcher(kernel.socket(), str(kernel.run("answer = shown.view")), *SIZE) as viewer:
        viewer.still()
        drag(viewer, 0.5)
        for _ in range(runs):
            floors.append(bare.run(f"answer = turn({seconds})"))
            found = drag(viewer, seconds, RESTLESS)
            rates.append(found.rate)
            delays.extend(found.latencies)
    yield higher(f"{name}_fps at a viewer ({device})", "1/s", rates, floors)
    yield ratio(f"{name}_fps to the bare loop", rates, floors, "higher")
    yield lower(f"{name}, input to frame, p50", "ms", delays)
