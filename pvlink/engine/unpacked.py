"""A data object of VTK's as plain facts and numpy arrays (docs/wire.md); the way there is `cargo`.

An array is a view of VTK's memory wherever VTK has its numbers in one piece.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy
from vtkmodules.vtkCommonCore import vtkDataArray, vtkStringArray, vtkVariantArray
from vtkmodules.vtkCommonDataModel import (
    vtkDataSetAttributes,
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
from pvlink.engine.cargo import PLACES, ROWS, SURFACE, VTK, Arrays, Facts
from pvlink.engine.refusal import Refusal

# VTK's numbers for its types; `char` is signed wherever ParaView runs, `vtkIdType` has its own size.
NUMPY = {1: "u1", 2: "i1", 3: "u1", 15: "i1", 4: "i2", 5: "u2", 6: "i4", 7: "u4", 10: "f4", 11: "f8"}
NUMPY.update({8: "i8", 9: "u8", 12: "i8", 16: "i8", 17: "u8"})
BIT, ID_TYPE = 1, 12
# Scalars, vectors, normals and so on: which array VTK takes for each when nobody says.
ROLES = range(vtkDataSetAttributes.NUM_ATTRIBUTES)


class Unpacked:
    """The facts of a data object, and its arrays: views of its memory, good while it lives."""

    def __init__(self, data: Any, name: str | None = None, at: str | None = None) -> None:
        """All of it, or the arrays of one name without the geometry. Refusal: there is none."""
        self.arrays: Arrays = []
        self._name, self._at = name, at
        # What there is, for whoever asks for what there is not.
        self._seen: dict[str, None] = {}
        self.facts = self._of(data)
        if name is not None and not self.arrays:
            where = "" if at is None else f" of {at}"
            raise Refusal(f"there is no array {name!r}{where}. There is: {', '.join(self._seen) or 'none at all'}.")

    def _of(self, data: Any) -> Facts:
        for cls, kind, read in _READERS:
            if isinstance(data, cls):
                shape = {"dimensions": _dimensions(data)} if kind in ("image", "rectilinear", "structured") else {}
                read_facts = read(self, data) if self._name is None else {}
                return {"kind": kind, **shape, **read_facts, "arrays": self._attributes(data)}
        for cls, kind, count, child in _TREES:
            if isinstance(data, cls):
                blocks = [
                    [_block_name(data, number), None if block is None else self._of(block)]
                    for number in range(getattr(data, count)())
                    for block in [getattr(data, child)(number)]
                ]
                return {"kind": kind, "blocks": blocks}
        return self._serialized(data)

    def _add(self, values: Any) -> int:
        self.arrays.append(values)
        return len(self.arrays) - 1

    def _attributes(self, data: Any) -> list[Facts]:
        places = ROWS if isinstance(data, vtkTable) else PLACES
        found = [
            (key, place, index)
            for key, number in places.items()
            for place in [data.GetAttributesAsFieldData(number)]
            for index in range(place.GetNumberOfArrays() if place is not None else 0)
        ]
        if self._name is not None:
            self._seen.update({f"{place.GetArrayName(index)!r} of {key}": None for key, place, index in found})
            found = [
                (key, place, index)
                for key, place, index in found
                if place.GetArrayName(index) == self._name and self._at in (None, key)
            ][:1]
        return [self._entry(key, place.GetAbstractArray(index), _roles(place, index)) for key, place, index in found]

    def _entry(self, at: str, array: Any, roles: list[int]) -> Facts:
        facts: Facts = {"at": at, "name": array.GetName() or "", "roles": roles}
        if isinstance(array, (vtkStringArray, vtkVariantArray)):
            facts["text"] = [self._add(part) for part in _bytes_of(array)]
        else:
            facts.update(array=self._add(numbers(array)), components=array.GetNumberOfComponents())
        return facts

    def image(self, data: Any) -> Facts:
        # Where its first point is: numbers of points need not begin with zero.
        origin = [0.0, 0.0, 0.0]
        data.TransformIndexToPhysicalPoint(*data.GetExtent()[::2], origin)
        facts: Facts = {"spacing": list(data.GetSpacing()), "origin": origin}
        matrix = data.GetDirectionMatrix()
        direction = [matrix.GetElement(row, column) for row in range(3) for column in range(3)]
        return facts if direction == [1, 0, 0, 0, 1, 0, 0, 0, 1] else dict(facts, direction=direction)

    def rectilinear(self, data: Any) -> Facts:
        axes = [numbers(getattr(data, f"Get{axis}Coordinates")()) for axis in "XYZ"]
        return {"coordinates": [self._add(axis) for axis in axes]}

    def structured(self, data: Any) -> Facts:
        return self._points(data)

    def polydata(self, data: Any) -> Facts:
        facts = self._points(data)
        for key, name in SURFACE.items():
            cells = getattr(data, f"Get{name}")()
            if cells.GetNumberOfCells():
                facts[key] = self._cells(cells)
        return facts

    def unstructured(self, data: Any) -> Facts:
        if not data.GetNumberOfCells():
            # What a filter has left nothing of has neither cells nor their types.
            nothing = (numpy.zeros(1, "i8"), numpy.empty(0, "i8"), numpy.empty(0, "u1"))
            return {**self._points(data), "cells": [self._add(part) for part in nothing]}
        kinds = numbers(polyhedra.types(data))
        facts = {**self._points(data), "cells": [*self._cells(data.GetCells()), self._add(kinds)]}
        if (kinds == polyhedra.POLYHEDRON).any():
            faces, where = polyhedra.faces(data, numbers)
            facts["faces"] = [self._add(part) for part in faces]
            facts["face_locations"] = [self._add(part) for part in where]
        return facts

    def table(self, data: Any) -> Facts:
        return {}

    def _points(self, data: Any) -> Facts:
        points = data.GetPoints()
        return {"points": self._add(numpy.empty((0, 3), "f4") if points is None else numbers(points.GetData()))}

    def _cells(self, cells: Any) -> list[int]:
        return [self._add(numbers(part)) for part in (cells.GetOffsetsArray(), cells.GetConnectivityArray())]

    def _serialized(self, data: Any) -> Facts:
        from vtkmodules.vtkIOLegacy import vtkGenericDataObjectWriter

        writer = vtkGenericDataObjectWriter()
        writer.SetInputData(data)
        writer.SetFileTypeToBinary()
        writer.WriteToOutputStringOn()
        written = writer.Write() and writer.GetOutputStdString()
        if not written:
            raise Refusal(f"VTK cannot write down a {data.GetClassName()}")
        # Text where it happens to be UTF-8.
        raw = written if isinstance(written, bytes) else written.encode()
        return {"kind": "serialized", "class": data.GetClassName(), "bytes": self._add(numpy.frombuffer(raw, "u1"))}


_READERS: list[tuple[Any, str, Callable[[Unpacked, Any], Facts]]] = [
    (vtkImageData, "image", Unpacked.image),
    (vtkRectilinearGrid, "rectilinear", Unpacked.rectilinear),
    (vtkStructuredGrid, "structured", Unpacked.structured),
    (vtkPolyData, "polydata", Unpacked.polydata),
    (vtkUnstructuredGrid, "unstructured", Unpacked.unstructured),
    (vtkTable, "table", Unpacked.table),
]
_TREES = [
    (vtkMultiBlockDataSet, "multiblock", "GetNumberOfBlocks", "GetBlock"),
    (vtkPartitionedDataSetCollection, "collection", "GetNumberOfPartitionedDataSets", "GetPartitionedDataSet"),
    (vtkPartitionedDataSet, "partitioned", "GetNumberOfPartitions", "GetPartitionAsDataObject"),
]


def _dimensions(data: Any) -> list[int]:
    extent = data.GetExtent()
    return [end - begin + 1 for begin, end in zip(extent[::2], extent[1::2])]


def numbers(array: Any) -> Any:
    """The values of a VTK array: a view of its memory where it has one, one row for each tuple."""
    kind = array.GetDataType()
    if kind == BIT or not array.HasStandardMemoryLayout():
        # Packed bits, one array for each component, or values that are computed.
        plain = vtkDataArray.CreateDataArray(VTK[NUMPY[kind]])
        plain.DeepCopy(array)
        array = plain
    layout = f"i{array.GetDataTypeSize()}" if kind == ID_TYPE else NUMPY[kind]
    count, components = array.GetNumberOfTuples(), array.GetNumberOfComponents()
    flat = numpy.frombuffer(array, layout, count * components) if count * components else numpy.empty(0, layout)
    return flat if components == 1 else flat.reshape(count, components)


def _bytes_of(array: Any) -> tuple[Any, Any]:
    values = [array.GetValue(index) for index in range(array.GetNumberOfValues())]
    if isinstance(array, vtkVariantArray):
        values = [value.ToString() if hasattr(value, "ToString") else str(value) for value in values]
    encoded = [value.encode("utf-8", "surrogateescape") for value in values]
    offsets = numpy.zeros(len(encoded) + 1, "i8")
    numpy.cumsum([len(value) for value in encoded], out=offsets[1:])
    return numpy.frombuffer(b"".join(encoded), "u1"), offsets


def _roles(place: Any, index: int) -> list[int]:
    if not hasattr(place, "IsArrayAnAttribute"):
        return []
    name = place.GetAbstractArray(index).GetName()
    found = [(role, place.GetAbstractAttribute(role)) for role in ROLES]
    return [role for role, array in found if array is not None and array.GetName() == name]


def _block_name(data: Any, number: int) -> str | None:
    about = data.GetMetaData(number) if data.HasMetaData(number) else None
    return about.Get(data.NAME()) if about is not None and about.Has(data.NAME()) else None
