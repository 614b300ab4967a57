"""Whether a kind of window draws here, tried in a copy of this process that may die of it.

VTK from 9.4 on, and ParaView 6, hold windows for X, EGL and OSMesa in one build, and end the process at the first
render where the one they have chosen does not work. A library that can be loaded is no promise, as with EGL of a driver
whose device this user must not open.
"""

from __future__ import annotations

import os
import signal
import time

CHOICE = "VTK_DEFAULT_OPENGL_WINDOW"
# Window class and what a user calls it, the faster one first: EGL finds graphics cards, OSMesa only processors.
WAYS = (("vtkEGLRenderWindow", "EGL"), ("vtkOSOpenGLRenderWindow", "OSMesa"))
# A driver that is asleep takes its time, in seconds.
TRIAL_PATIENCE = 20.0


def without_x() -> str:
    """Choose the first way that draws without an X server: what a user calls it; empty if there is none."""
    chosen = os.environ.get(CHOICE)
    for window, name in WAYS:
        if chosen in (None, window) and draws(window):
            os.environ[CHOICE] = window
            return name
    return ""


def draws(window_class: str) -> bool:
    """Whether a window of this kind can be made and drawn in this process, tried in a copy of it."""
    child = os.fork()
    if child == 0:
        os._exit(0 if _draw(window_class) else 1)
    deadline = time.monotonic() + TRIAL_PATIENCE
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _draw(window_class: str) -> bool:
    silence = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(silence, fd)
    os.environ[CHOICE] = window_class
    from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
    from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow

    window = vtkRenderWindow()
    if window.GetClassName() != window_class:
        return False
    renderer = vtkRenderer()
    renderer.SetBackground(1.0, 0.0, 0.0)
    window.AddRenderer(renderer)
    window.SetShowWindow(False)
    window.SetUseOffScreenBuffers(True)
    window.SetSize(8, 8)
    window.Render()
    pixels = vtkUnsignedCharArray()
    window.GetRGBACharPixelData(0, 0, 7, 7, 0, pixels, 0)
    return pixels.GetNumberOfTuples() == 64 and pixels.GetComponent(0, 0) == 255.0
