"""Data on its way between the two Pythons: plain facts and numpy arrays on one side, VTK's objects on the other.

The facts are in docs/wire.md. No number is copied here where VTK allows it: an array that arrives becomes the memory
of VTK's, and one that leaves is a view of it.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy
from vtkmodules.vtkCommonCore import (
    vtkCharArray,
    vtkDataArray,
    vtkPoints,
    vtkStringArray,
    vtkTypeInt64Array,
    vtkUnsignedCharArray,
)
from vtkmodules.vtkCommonDataModel import (
    vtkCellArray,
    vtkDataObject,
    vtkImageData,
    vtkMultiBlockDataSet,
    vtkPartitionedDataSet,
    vtkPartitionedDataSetCollection,
    vtkPolyData,
    vtkRectilinearGrid,
    vtkStructuredGrid,
    vtkTable,
    vtkUnstructuredGrid,
)

from pvlink.engine import polyhedra
from pvlink.engine.refusal import Refusal

Facts = dict[str, Any]
Arrays = list[Any]
# VTK's numbers for its types.
VTK = {"u1": 3, "i1": 15, "i2": 4, "u2": 5, "i4": 6, "u4": 7, "f4": 10, "f8": 11, "i8": 8, "u8": 9}
SURFACE = {"verts": "Verts", "lines": "Lines", "polys": "Polys", "strips": "Strips"}
# Where arrays are kept: our word, and VTK's number for the same.
PLACES = {"points": vtkDataObject.POINT, "cells": vtkDataObject.CELL, "field": vtkDataObject.FIELD}
ROWS = {"rows": vtkDataObject.ROW, "field": vtkDataObject.FIELD}


class _Held:
    """An observer that keeps memory alive exactly as long as the VTK array that lies on it."""

    def __init__(self, memory: Any) -> None:
        self._memory = memory

    def __call__(self, *_: Any) -> None: ...


def _array(values: Any, components: int = 1, kind: Any = None) -> Any:
    """A VTK array on the memory of `values`."""
    flat = numpy.ascontiguousarray(values).reshape(-1)
    made = vtkDataArray.CreateDataArray(VTK[flat.dtype.str[1:]]) if kind is None else kind()
    made.SetNumberOfComponents(components)
    if flat.size:
        made.SetVoidArray(flat, flat.size, 1)
        made.AddObserver("DeleteEvent", _Held(flat))
    return made


def _cells(offsets: Any, connectivity: Any) -> Any:
    made = vtkCellArray()
    made.SetData(*(_array(part.astype("i8", copy=False), 1, vtkTypeInt64Array) for part in (offsets, connectivity)))
    return made


def _text(data: Any, offsets: Any) -> Any:
    made = vtkStringArray()
    made.SetNumberOfValues(len(offsets) - 1)
    raw = data.tobytes()
    ends = offsets.tolist()
    for index, (begin, end) in enumerate(zip(ends, ends[1:])):
        made.SetValue(index, raw[begin:end].decode("utf-8", "surrogateescape"))
    return made


# -- facts and arrays to a data object -----------------------------------------------------------------


def build(facts: Facts, arrays: Arrays) -> Any:
    """The data object. It lies on the memory of the arrays."""
    data = _BUILDERS[facts["kind"]](facts, arrays)
    for entry in facts.get("arrays", ()):
        place = data.GetAttributesAsFieldData({**ROWS, **PLACES}[entry["at"]])
        if "text" in entry:
            made = _text(*(arrays[number] for number in entry["text"]))
        else:
            made = _array(arrays[entry["array"]], entry["components"])
        made.SetName(entry["name"])
        place.AddArray(made)
        for role in entry.get("roles", ()):
            place.SetActiveAttribute(entry["name"], role)
    return data


def _image(facts: Facts, arrays: Arrays) -> Any:
    made = vtkImageData()
    made.SetDimensions(facts["dimensions"])
    made.SetSpacing(facts["spacing"])
    made.SetOrigin(facts["origin"])
    if "direction" in facts:
        made.SetDirectionMatrix(facts["direction"])
    return made


def _rectilinear(facts: Facts, arrays: Arrays) -> Any:
    made = vtkRectilinearGrid()
    made.SetDimensions(facts["dimensions"])
    for axis, number in zip("XYZ", facts["coordinates"]):
        getattr(made, f"Set{axis}Coordinates")(_array(arrays[number]))
    return made


def _with_points(made: Any, facts: Facts, arrays: Arrays) -> Any:
    points = vtkPoints()
    points.SetData(_array(arrays[facts["points"]], 3))
    made.SetPoints(points)
    return made


def _structured(facts: Facts, arrays: Arrays) -> Any:
    made = _with_points(vtkStructuredGrid(), facts, arrays)
    made.SetDimensions(facts["dimensions"])
    return made


def _polydata(facts: Facts, arrays: Arrays) -> Any:
    made = _with_points(vtkPolyData(), facts, arrays)
    for key, name in SURFACE.items():
        if key in facts:
            getattr(made, f"Set{name}")(_cells(*(arrays[number] for number in facts[key])))
    return made


def _unstructured(facts: Facts, arrays: Arrays) -> Any:
    made = _with_points(vtkUnstructuredGrid(), facts, arrays)
    offsets, connectivity, types = (arrays[number] for number in facts["cells"])
    cells, kinds = _cells(offsets, connectivity), _array(types, 1, vtkUnsignedCharArray)
    if "faces" not in facts:
        made.SetCells(kinds, cells)
    else:
        faces, where = ([arrays[number] for number in facts[key]] for key in ("faces", "face_locations"))
        polyhedra.give(made, kinds, cells, faces, where, _cells)
    return made


def _table(facts: Facts, arrays: Arrays) -> Any:
    return vtkTable()


def _tree(make: Callable[[], Any], place: str, fill: str) -> Callable[[Facts, Arrays], Any]:
    def build_tree(facts: Facts, arrays: Arrays) -> Any:
        made = make()
        getattr(made, place)(len(facts["blocks"]))
        for number, (name, block) in enumerate(facts["blocks"]):
            if block is not None:
                getattr(made, fill)(number, build(block, arrays))
            if name is not None:
                made.GetMetaData(number).Set(made.NAME(), name)
        return made

    return build_tree


def _serialized(facts: Facts, arrays: Arrays) -> Any:
    from vtkmodules.vtkIOLegacy import vtkGenericDataObjectReader

    reader = vtkGenericDataObjectReader()
    reader.ReadFromInputStringOn()
    reader.SetInputArray(_array(arrays[facts["bytes"]], 1, vtkCharArray))
    reader.Update()
    if reader.GetOutput() is None:
        raise Refusal(f"this VTK cannot read a {facts['class']} that the other one has written")
    return reader.GetOutput()


_BUILDERS: dict[str, Callable[[Facts, Arrays], Any]] = {
    "image": _image,
    "rectilinear": _rectilinear,
    "structured": _structured,
    "polydata": _polydata,
    "unstructured": _unstructured,
    "table": _table,
    "multiblock": _tree(vtkMultiBlockDataSet, "SetNumberOfBlocks", "SetBlock"),
    "collection": _tree(vtkPartitionedDataSetCollection, "SetNumberOfPartitionedDataSets", "SetPartitionedDataSet"),
    "partitioned": _tree(vtkPartitionedDataSet, "SetNumberOfPartitions", "SetPartition"),
    "serialized": _serialized,
}


def part(facts: Facts, arrays: Arrays, extent: Any) -> tuple[Facts, Arrays]:
    """The part of a grid that lies in an extent, both ends of it included, as a grid of its own."""
    own = list(arrays)
    begins, ends = list(extent[::2]), list(extent[1::2])
    sides = list(facts["dimensions"])

    def cut(number: int, components: int, less: int) -> None:
        shape = [max(side - less, 1) for side in reversed(sides)]
        slices = [slice(a, max(b + 1 - less, a + 1)) for a, b in zip(reversed(begins), reversed(ends))]
        own[number] = arrays[number].reshape([*shape, components])[tuple(slices)]

    for entry in facts.get("arrays", ()):
        if entry["at"] != "field" and "array" in entry:
            cut(entry["array"], entry["components"], int(entry["at"] == "cells"))
    for number, (a, b) in zip(facts.get("coordinates", ()), zip(begins, ends)):
        own[number] = arrays[number][a : b + 1]
    if "points" in facts:
        cut(facts["points"], 3, 0)
    return dict(facts, dimensions=[b - a + 1 for a, b in zip(begins, ends)]), own
