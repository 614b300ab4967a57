"""What all ranks of a simulation agree on: one rank hears the notebook, and every rank does the same at the same step.

By ParaView's own MPI, so that a code in C++ or Fortran needs no mpi4py.
"""

from __future__ import annotations

import json
from typing import Any

import numpy
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkIntArray, vtkUnsignedCharArray
from vtkmodules.vtkParallelCore import vtkCommunicator, vtkMultiProcessController


class Ranks:
    """All processes of the simulation, as one of them sees them."""

    def __init__(self) -> None:
        self._controller = vtkMultiProcessController.GetGlobalController()
        alone = self._controller is None
        self.number = 0 if alone else int(self._controller.GetLocalProcessId())
        self.count = 1 if alone else int(self._controller.GetNumberOfProcesses())
        # Most steps nothing is to be said: then one number goes round.
        self._length = vtkIntArray()
        self._length.SetNumberOfValues(1)

    @property
    def first(self) -> bool:
        """This is the one that speaks with the notebook."""
        return self.number == 0

    def share(self, said: Any) -> Any:
        """What the first rank has, for all; none costs least. Something that JSON has."""
        if self.count == 1:
            return said
        text = json.dumps(said).encode() if self.first and said is not None else b""
        self._length.SetValue(0, len(text))
        self._controller.Broadcast(self._length, 0)
        length = self._length.GetValue(0)
        if not length:
            return None
        if self.first:
            body = numpy_to_vtk(numpy.frombuffer(text, numpy.uint8), deep=1)
        else:
            body = vtkUnsignedCharArray()
            body.SetNumberOfValues(length)
        self._controller.Broadcast(body, 0)
        return json.loads(vtk_to_numpy(body).tobytes())

    def everybody(self, said: str) -> list[str]:
        """What each rank says, by their numbers."""
        return [self._from(number, said) for number in range(self.count)]

    def _from(self, number: int, said: str) -> str:
        if self.count == 1:
            return said
        text = said.encode()[:256].ljust(256, b"\0") if self.number == number else bytes(256)
        body = numpy_to_vtk(numpy.frombuffer(text, numpy.uint8), deep=1)
        self._controller.Broadcast(body, number)
        return bytes(vtk_to_numpy(body).tobytes()).rstrip(b"\0").decode(errors="replace")

    def gather(self, numbers: numpy.ndarray[Any, Any], how: str) -> numpy.ndarray[Any, Any]:
        """Of all ranks, element by element: their "min", "max" or "sum"."""
        if self.count == 1 or not len(numbers):
            return numbers
        ways = {"min": vtkCommunicator.MIN_OP, "max": vtkCommunicator.MAX_OP, "sum": vtkCommunicator.SUM_OP}
        given = numpy_to_vtk(numpy.ascontiguousarray(numbers, numpy.float64), deep=1)
        taken = numpy_to_vtk(numpy.zeros(len(numbers), numpy.float64), deep=1)
        self._controller.AllReduce(given, taken, ways[how])
        return numpy.array(vtk_to_numpy(taken))
