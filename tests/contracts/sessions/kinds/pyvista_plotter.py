"""A PyVista plotter, which is VTK in the kernel."""

from __future__ import annotations

from typing import Any

from tests.contracts.sessions.kinds import IN_THE_KERNEL, SLOW, STREAMERS, Kind
from tests.contracts.sessions.kinds.vtk import IMPORT, LINES

SCENE = """\
view = pv.Plotter(notebook=True, window_size=(320, 240))
mesh = pv.Cone(resolution=7, direction=(1.0, 0.5, 0.2))
actor = view.add_mesh(mesh, color="white")
"""
PLOTTER: dict[str, Any] = {
    "scene": SCENE,
    "change": "actor.prop.color = (0.9, 0.3, 0.1)",
    "render": "view.render()",
    "delete": "view.close()",
    "camera": "list(view.camera.position)",
    "size": "list(view.window_size)",
    "observe": "view.render_window.AddObserver('StartEvent', callback)",
    "listen": "view.add_key_event('j', lambda: pressed.append('j'))",
    "show_source": "view.add_mesh(source)",
}
KIND = Kind(
    name="PyVista plotter",
    environment="vtk",
    inside=True,
    start=f"import pyvista as pv\nimport pvlink\n{IMPORT}",
    cannot=IN_THE_KERNEL,
    nightly=STREAMERS | SLOW,
    **(LINES | PLOTTER),
)
