"""Cells with faces of their own, in the two ways VTK keeps them.

Since 9.4 the faces are a list of polygons, and each cell says which are its own; before, all was one list of numbers.
The facts on the wire are the newer way.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy
from vtkmodules.vtkCommonCore import vtkIdTypeArray
from vtkmodules.vtkCommonDataModel import vtkUnstructuredGrid

POLYHEDRON = 42
_NEW = hasattr(vtkUnstructuredGrid, "SetPolyhedralCells")
# Offsets and the numbers between them.
Lists = tuple[Any, Any]


def types(grid: Any) -> Any:
    """The kind of each cell."""
    return grid.GetCellTypesArray() if hasattr(grid, "GetCellTypesArray") else grid.GetCellTypes()


def give(grid: Any, kinds: Any, cells: Any, faces: Any, where: Any, build: Callable[[Any, Any], Any]) -> None:
    """Set the cells of a grid; `faces` are polygons, `where` says which of them belong to each cell."""
    if _NEW:
        grid.SetPolyhedralCells(kinds, cells, build(*where), build(*faces))
        return
    stream, begins = _stream(faces, where)
    grid.SetCells(kinds, cells, _ids(begins), _ids(stream))


def faces(grid: Any, numbers: Callable[[Any], Any]) -> tuple[Lists, Lists]:
    """The faces, and which belong to each cell."""
    if _NEW:
        found = [grid.GetPolyhedronFaces(), grid.GetPolyhedronFaceLocations()]
        lists = [(numbers(one.GetOffsetsArray()), numbers(one.GetConnectivityArray())) for one in found]
        return lists[0], lists[1]
    return _polygons(numbers(grid.GetFaces()), numbers(grid.GetFaceLocations()))


def _stream(faces: Any, where: Any) -> tuple[list[int], list[int]]:
    """For each polyhedron: how many faces; for each face how many points, and which."""
    (offsets, points), (first, own) = ([part.tolist() for part in lists] for lists in (faces, where))
    stream: list[int] = []
    begins: list[int] = []
    for begin, end in zip(first, first[1:]):
        begins.append(len(stream) if end > begin else -1)
        if end > begin:
            stream.append(end - begin)
        for face in own[begin:end]:
            stream.append(offsets[face + 1] - offsets[face])
            stream += points[offsets[face] : offsets[face + 1]]
    return stream, begins


def _polygons(stream: Any, begins: Any) -> tuple[Lists, Lists]:
    numbers = stream.tolist()
    offsets, points, first = [0], [], [0]
    for begin in begins.tolist():
        count, at = (numbers[begin], begin + 1) if begin >= 0 else (0, 0)
        for _ in range(count):
            size = numbers[at]
            points += numbers[at + 1 : at + 1 + size]
            offsets.append(len(points))
            at += 1 + size
        first.append(first[-1] + count)
    lists = [numpy.array(part, "i8") for part in (offsets, points, first, range(first[-1]))]
    return (lists[0], lists[1]), (lists[2], lists[3])


def _ids(values: list[int]) -> Any:
    made = vtkIdTypeArray()
    made.SetNumberOfValues(len(values))
    numpy.frombuffer(made, f"i{made.GetDataTypeSize()}")[:] = values
    return made
