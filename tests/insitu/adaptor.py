"""A code with ParaView's Catalyst adaptor in it, as one in C++ has: it knows its script by its file alone."""

from __future__ import annotations

import argparse
import time

import numpy as np
from paraview.catalyst import bridge
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkParallelCore import vtkMultiProcessController

SIZE = 24


def grid(rank: int, ranks: int, step: int) -> vtkImageData:
    """A ball that grows."""
    first, last = SIZE * rank // ranks, min(SIZE * (rank + 1) // ranks, SIZE - 1)
    image = vtkImageData()
    image.SetExtent(0, SIZE - 1, 0, SIZE - 1, first, last)
    z, y, x = np.mgrid[first : last + 1, :SIZE, :SIZE] - SIZE / 2
    array = numpy_to_vtk((step * 0.1 - np.sqrt(x * x + y * y + z * z)).ravel(), deep=1)
    array.SetName("V")
    image.GetPointData().AddArray(array)
    return image


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("live", "script", "result"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--steps", type=int, default=200)
    given = parser.parse_args()
    bridge.initialize()
    bridge.add_pipeline(given.script, 2)
    controller = vtkMultiProcessController.GetGlobalController()
    rank, ranks = controller.GetLocalProcessId(), controller.GetNumberOfProcesses()
    for step in range(given.steps):
        bridge.coprocess(step * 0.5, step, grid(rank, ranks, step), name="input", wholeExtent=[0, SIZE - 1] * 3)
        time.sleep(0.02)
    bridge.finalize()
    if rank == 0 and given.result:
        np.save(given.result, np.zeros(1))


if __name__ == "__main__":
    main()
