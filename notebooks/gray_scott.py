"""A reaction of two substances that diffuse (Gray and Scott), on any number of MPI ranks: a simulation to be watched.

    mpiexec -n 2 python3 gray_scott.py --steps 2000

needs ParaView's Python, mpi4py and pvlink. Each rank has a slab of the cube; what leaves it enters on the other side.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from mpi4py import MPI
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData

from pvlink.insitu import Bridge


class GrayScott:
    """U feeds V, V eats U; both go by diffusion."""

    def __init__(self, size: int) -> None:
        self._comm = MPI.COMM_WORLD
        self._size = size
        edges = [size * rank // self._comm.size for rank in range(self._comm.size + 1)]
        self._first, self._last = edges[self._comm.rank], edges[self._comm.rank + 1]
        # With one layer of the neighbours' on each side.
        self.u = np.ones((self._last - self._first + 2, size, size))
        self.v = np.zeros_like(self.u)
        z, y, x = np.ogrid[self._first - 1 : self._last + 1, :size, :size]
        seed = (abs(z - size // 2) < size // 8) & (abs(y - size // 2) < size // 8) & (abs(x - size // 2) < size // 8)
        self.u[seed], self.v[seed] = 0.5, 0.25

    def advance(self, feed: float, kill: float) -> None:
        for field in (self.u, self.v):
            self._exchange(field)
        u, v = self.u[1:-1], self.v[1:-1]
        eaten = u * v * v
        du = 0.1 * _laplacian(self.u) - eaten + feed * (1.0 - u)
        dv = 0.05 * _laplacian(self.v) + eaten - (feed + kill) * v
        u += du
        v += dv

    def _exchange(self, field: np.ndarray) -> None:
        above, below = (self._comm.rank + 1) % self._comm.size, (self._comm.rank - 1) % self._comm.size
        self._comm.Sendrecv(field[-2].copy(), above, 0, field[0], below, 0)
        self._comm.Sendrecv(field[1].copy(), below, 1, field[-1], above, 1)

    def grid(self) -> vtkImageData:
        """This rank's slab, and the neighbour's first layer, so that no gap is seen."""
        for field in (self.u, self.v):
            # All ranks are asked for theirs at the same step, or none is.
            self._exchange(field)
        top = min(self._last, self._size - 1)
        layers = slice(1, 2 + top - self._first)
        image = vtkImageData()
        image.SetExtent(0, self._size - 1, 0, self._size - 1, self._first, top)
        for name, field in (("U", self.u), ("V", self.v)):
            array = numpy_to_vtk(np.ascontiguousarray(field[layers]).ravel(), deep=1)
            array.SetName(name)
            image.GetPointData().AddArray(array)
        return image

    @property
    def extent(self) -> tuple[int, ...]:
        return (0, self._size - 1) * 3

    def whole(self) -> np.ndarray | None:
        """V of all ranks, on the first one."""
        parts = self._comm.gather(self.v[1:-1])
        return None if parts is None else np.concatenate(parts)


def _laplacian(field: np.ndarray) -> np.ndarray:
    found = field[:-2] + field[2:] - 6.0 * field[1:-1]
    for axis in (1, 2):
        found += np.roll(field[1:-1], 1, axis) + np.roll(field[1:-1], -1, axis)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--size", type=int, default=48, help="points along each edge of the cube")
    parser.add_argument("--live", default="localhost:22222", help="where a notebook may listen")
    parser.add_argument("--pause", type=float, default=0.0, metavar="SECONDS", help="to look at after each step")
    parser.add_argument("--replay", metavar="FILE", help="make the changes of another run")
    parser.add_argument("--log", metavar="FILE", help="write down what is changed")
    parser.add_argument("--result", metavar="FILE", help="write V into this file at the end")
    given = parser.parse_args()
    code = GrayScott(given.size)
    parameters = {
        "F": {"range": (0.0, 0.1), "start": 0.04, "doc": "how fast U is fed"},
        "k": {"range": (0.0, 0.1), "start": 0.06, "doc": "how fast V is taken out"},
    }
    with Bridge(given.live, parameters=parameters, log=given.log, replay=given.replay) as bridge:
        began = time.monotonic()
        for step in range(given.steps):
            code.advance(bridge["F"], bridge["k"])
            bridge.update(step, float(step), {"input": code.grid}, extents={"input": code.extent})
            time.sleep(given.pause)
        took = time.monotonic() - began
    if MPI.COMM_WORLD.rank == 0:
        print(f"{given.steps} steps in {took:.3f} s")
    result = code.whole()
    if result is not None and given.result:
        np.save(given.result, result)


if __name__ == "__main__":
    main()
