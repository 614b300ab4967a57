"""trame-rca's RemoteControlledArea on a ParaView view's window, as in its example 01_vtk/vtk_cone_simple.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ctypes.util import find_library

from playwright.sync_api import Browser

from benchmarks.peers import Peer, Shown, Size, web
from benchmarks.peers.contours import Contour

# trame-rca's own adapter for VTK windows asks for classes that ParaView 5.11's VTK does not have yet. So this is that
# adapter in words that it has, handed over as any other RemoteControlledAreaProtocol.
AREA = """
import sys
import numpy
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkRenderingCore import vtkWindowToImageFilter

sys.modules["trame_rca.rca.vtk_rca"] = None

class Area:
    def __init__(self, window):
        self.window, self.iren = window, window.GetInteractor()
        self.iren.EnableRenderOff()
        window.ShowWindowOff()
        self.filter = vtkWindowToImageFilter()
        self.filter.SetInput(window)
        self.filter.SetInputBufferTypeToRGBA()
        self.filter.ReadFrontBufferOff()
        self.filter.ShouldRerenderOff()
        self.filter.FixBoundaryOn()

    @property
    def img_cols_rows(self):
        self.window.Render()
        self.filter.Modified()
        self.filter.Update()
        image = self.filter.GetOutput()
        columns, rows, _ = image.GetDimensions()
        pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape((rows, columns, -1))
        return numpy.ascontiguousarray(pixels[::-1])[..., :3], columns, rows

    def process_resize_event(self, width, height):
        self.iren.UpdateSize(width, height)
        self.iren.InvokeEvent("WindowResizeEvent")

    def process_interaction_event(self, event):
        if event["type"] in ("StartInteractionEvent", "EndInteractionEvent"):
            return
        width, height = self.window.GetSize()
        x, y = int(event["x"] * width / event["w"]), int(event["y"] * height / event["h"])
        control, shift = int(event.get("controlKey", 0)), int(event.get("shiftKey", 0))
        self.iren.SetEventInformation(x, y, control, shift, chr(0), 0, None)
        self.iren.InvokeEvent(event["type"] + "Event")
"""
APP = """
from paraview import simple
from trame.app import TrameApp
from trame.ui.vuetify3 import SinglePageLayout
from trame.widgets import vuetify3 as v3
from trame_rca.widgets import rca

class App(TrameApp):
    def __init__(self, server=None):
        super().__init__(server)
        self.view = simple.Render()
        with SinglePageLayout(self.server, full_height=True) as layout:
            with layout.content:
                with v3.VContainer(
                    fluid=True,
                    classes="pa-0 ma-0 position-relative",
                    style="width: {width}px; height: {height}px; max-width: none",
                ):
                    area = rca.RemoteControlledArea(display="image")
                    self.view_handler = area.create_view_handler(Area(self.view.GetRenderWindow()), encoder="{encoder}")

App().server.start()
"""


@contextmanager
def opened(browser: Browser, scene: Contour, size: Size) -> Iterator[Shown]:
    # The example's encoder, whose library its documentation asks to be installed; without it the package's default.
    encoder = "turbo-jpeg" if find_library("turbojpeg") else "jpeg"
    script = AREA + scene.paraview + APP.format(width=size[0], height=size[1], encoder=encoder)
    with web.application("trame-rca", script, browser, size) as shown:
        yield shown


TRAME_RCA = Peer("trame-rca", "paraview", opened)
