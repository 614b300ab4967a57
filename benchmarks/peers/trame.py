"""trame's VtkRemoteView on a ParaView view, as in trame's tutorial, chapter ParaView."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser

from benchmarks.peers import Peer, Shown, Size, web
from benchmarks.peers.contours import Contour

APP = """
from paraview import simple
from trame.app import TrameApp
from trame.ui.vuetify3 import SinglePageLayout
from trame.widgets import paraview
from trame.widgets import vuetify3 as v3

class App(TrameApp):
    def __init__(self, server=None):
        super().__init__(server)
        self.view = simple.Render()
        with SinglePageLayout(self.server) as self.ui:
            with self.ui.content:
                with v3.VContainer(
                    fluid=True, classes="pa-0 ma-0", style="width: {width}px; height: {height}px; max-width: none"
                ):
                    html_view = paraview.VtkRemoteView(self.view)
                    self.ctrl.view_update = html_view.update
                    self.ctrl.view_reset_camera = html_view.reset_camera

App().server.start()
"""


@contextmanager
def opened(browser: Browser, scene: Contour, size: Size) -> Iterator[Shown]:
    script = scene.paraview + APP.format(width=size[0], height=size[1])
    with web.application("trame", script, browser, size) as shown:
        yield shown


TRAME = Peer("trame", "paraview", opened)
