"""jupyter_rfb in JupyterLab around VTK: a widget as its guide and its example interaction1.ipynb make one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Frame, Locator, Page

from benchmarks.peers import Peer, Shown, Size, environments, lab
from benchmarks.peers.contours import Contour

PREPARE = """
import jupyter_rfb
import vtkmodules.vtkInteractionStyle
import vtkmodules.vtkRenderingOpenGL2
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
from vtkmodules.vtkRenderingCore import (
    vtkActor, vtkPolyDataMapper, vtkRenderer, vtkRenderWindow, vtkRenderWindowInteractor
)

class Viewer(jupyter_rfb.RemoteFrameBuffer):
    pressed = {1: "LeftButtonPressEvent", 2: "RightButtonPressEvent", 3: "MiddleButtonPressEvent"}
    released = {1: "LeftButtonReleaseEvent", 2: "RightButtonReleaseEvent", 3: "MiddleButtonReleaseEvent"}

    def __init__(self, **options):
        super().__init__(**options)
        mapper = vtkPolyDataMapper()
        mapper.SetInputConnection(contour.GetOutputPort())
        mapper.SetScalarRange(contour.GetOutput().GetScalarRange())
        actor = vtkActor()
        actor.SetMapper(mapper)
        self.renderer = vtkRenderer()
        self.renderer.AddActor(actor)
        self.window = vtkRenderWindow()
        self.window.SetOffScreenRendering(True)
        self.window.AddRenderer(self.renderer)
        self.interactor = vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        self.interactor.GetInteractorStyle().SetCurrentStyleToTrackballCamera()
        # get_frame() renders, when the browser is ready for a picture.
        self.interactor.EnableRenderOff()
        self.interactor.Initialize()
        self.size = (1, 1, 1.0)

    def handle_event(self, event):
        kind = event["type"]
        if kind == "resize":
            self.size = event["width"], event["height"], event["ratio"]
            size = [int(length * event["ratio"]) for length in self.size[:2]]
            self.window.SetSize(size)
            self.interactor.UpdateSize(*size)
        elif kind in ("pointer_down", "pointer_up", "pointer_move"):
            ratio = self.size[2]
            x, y = int(event["x"] * ratio), int((self.size[1] - event["y"]) * ratio)
            control, shift = "Control" in event["modifiers"], "Shift" in event["modifiers"]
            self.interactor.SetEventInformation(x, y, control, shift, chr(0), 0, None)
            names = {"pointer_down": self.pressed, "pointer_up": self.released}.get(kind, {})
            self.interactor.InvokeEvent(names.get(event["button"], "MouseMoveEvent"))
        else:
            return
        self.request_draw()

    def get_frame(self):
        self.window.Render()
        width, height = self.window.GetSize()
        pixels = vtkUnsignedCharArray()
        self.window.GetPixelData(0, 0, width - 1, height - 1, 0, pixels, 0)
        return vtk_to_numpy(pixels).reshape(height, width, 3)[::-1]
"""
SHOW = """\
viewer = Viewer(css_width="{width}px", css_height="{height}px")
viewer"""


def find(page: Page) -> tuple[Frame, Locator]:
    return page.main_frame, page.locator(".renderview-wrapper img")


@contextmanager
def opened(browser: Browser, scene: Contour, size: Size) -> Iterator[Shown]:
    show = SHOW.format(width=size[0], height=size[1])
    with lab.cell(environments.python("jupyter_rfb"), scene.vtk + PREPARE, show, find, browser, size) as shown:
        yield shown


JUPYTER_RFB = Peer("jupyter_rfb", "vtk", opened)
