"""The family."""

from __future__ import annotations

from tests.contracts.sessions.kinds import (
    Kind,
    paraview_engine,
    paraview_kernel,
    pyvista_plotter,
    vtk_engine,
    vtk_kernel,
)

KINDS: list[Kind] = [
    module.KIND for module in (paraview_engine, vtk_engine, paraview_kernel, vtk_kernel, pyvista_plotter)
]
