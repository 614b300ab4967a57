"""meshio: points and blocks of cells. Nodes are in VTK's order, but for the wedge: its triangles turn the other way."""

from __future__ import annotations

from typing import Any

import numpy as np

from pvlink.cargo.library import is_of
from pvlink.cargo.manifest import Array, Cargo, Options
from pvlink.errors import DataError

POLYHEDRON = 42
# meshio's names; VTK's numbers.
_TYPES = {
    "vertex": 1, "line": 3, "triangle": 5, "polygon": 7, "pixel": 8, "quad": 9, "tetra": 10, "hexahedron": 12,
    "wedge": 13, "pyramid": 14, "penta_prism": 15, "hexa_prism": 16, "line3": 21, "triangle6": 22, "quad8": 23,
    "tetra10": 24, "hexahedron20": 25, "wedge15": 26, "pyramid13": 27, "quad9": 28, "hexahedron27": 29, "quad6": 30,
    "wedge12": 31, "wedge18": 32, "hexahedron24": 33, "triangle7": 34, "line4": 35, "VTK_LAGRANGE_CURVE": 68,
    "VTK_LAGRANGE_TRIANGLE": 69, "VTK_LAGRANGE_QUADRILATERAL": 70, "VTK_LAGRANGE_TETRAHEDRON": 71,
    "VTK_LAGRANGE_HEXAHEDRON": 72, "VTK_LAGRANGE_WEDGE": 73, "VTK_LAGRANGE_PYRAMID": 74, "VTK_BEZIER_CURVE": 75,
    "VTK_BEZIER_TRIANGLE": 76, "VTK_BEZIER_QUADRILATERAL": 77, "VTK_BEZIER_TETRAHEDRON": 78,
    "VTK_BEZIER_HEXAHEDRON": 79, "VTK_BEZIER_WEDGE": 80, "VTK_BEZIER_PYRAMID": 81,
}  # fmt: skip
_ORDER = {"wedge": [0, 2, 1, 3, 5, 4]}


def is_one(obj: Any) -> bool:
    return is_of(obj, "meshio", "Mesh")


def pack(obj: Any, cargo: Cargo, options: Options) -> None:
    options.refuse_grid("a mesh")
    points = np.asarray(obj.points)
    if points.ndim != 2 or points.shape[1] not in (2, 3) or not len(points):
        raise DataError(f"A mesh has points of two or three numbers each; these have the shape {points.shape}.")
    if points.shape[1] == 2:
        points = np.column_stack([points, np.zeros(len(points), points.dtype)])
    cargo.facts.update(
        kind="unstructured", points=cargo.add(points if points.dtype.kind == "f" else points.astype("f8"))
    )
    _Cells(obj.cells, len(points)).give(cargo)
    for name, array in obj.point_data.items():
        _values(cargo, "points", name, np.asarray(array), len(points))
    count = sum(len(block.data) for block in obj.cells)
    for name, blocks in obj.cell_data.items():
        _values(cargo, "cells", name, np.concatenate([np.asarray(block) for block in blocks]), count)


def _values(cargo: Cargo, at: Any, name: str, array: Array, count: int) -> None:
    if len(array) != count:
        raise DataError(f"{name!r} has {len(array)} values for {count} {at}.")
    cargo.numbers(at, name, array, int(np.prod(array.shape[1:], dtype=int)))


class _Cells:
    """The blocks, one after the other, as VTK lists cells."""

    def __init__(self, blocks: Any, points: int) -> None:
        self._points = points
        self.types: list[Array] = []
        self.sizes: list[Array] = []
        self.nodes: list[Array] = []
        # Of polyhedra: sizes and nodes of their faces, and how many faces each cell has.
        self.face_sizes: list[int] = []
        self.face_nodes: list[Array] = []
        self.face_counts: list[Array] = []
        for block in blocks:
            self._block(block)

    def _block(self, block: Any) -> None:
        polyhedra = block.type.startswith("polyhedron")
        # meshio adds the number of nodes to the names of these.
        name = next((kind for kind in ("polygon",) if block.type.startswith(kind)), block.type)
        if not polyhedra and name not in _TYPES:
            raise DataError(f"VTK has no cell like meshio's {block.type!r}. Leave these cells out of the mesh.")
        counts = np.zeros(len(block.data), "i8")
        if polyhedra:
            for index, faces in enumerate(block.data):
                counts[index] = len(faces)
                self._polyhedron([np.asarray(face, "i8") for face in faces])
        elif isinstance(block.data, np.ndarray) and block.data.ndim == 2:
            nodes = block.data[:, _ORDER[name]] if name in _ORDER else block.data
            self._add(nodes.reshape(-1), np.full(len(nodes), nodes.shape[1], "i8"))
        else:
            cells = [np.asarray(cell, "i8") for cell in block.data]
            self._add(np.concatenate(cells), np.array([len(cell) for cell in cells], "i8"))
        self.types.append(np.full(len(block.data), POLYHEDRON if polyhedra else _TYPES[name], "u1"))
        self.face_counts.append(counts)

    def _polyhedron(self, faces: list[Array]) -> None:
        nodes = np.unique(np.concatenate(faces))
        self._add(nodes, np.array([len(nodes)], "i8"))
        self.face_sizes += [len(face) for face in faces]
        self.face_nodes += faces

    def _add(self, nodes: Array, sizes: Array) -> None:
        if len(nodes) and not 0 <= nodes.min() <= nodes.max() < self._points:
            raise DataError(f"A cell has a point outside of 0 to {self._points - 1}.")
        self.nodes.append(nodes)
        self.sizes.append(sizes)

    def give(self, cargo: Cargo) -> None:
        cargo.facts["cells"] = [
            cargo.add(_offsets(_joined(self.sizes))),
            cargo.add(_joined(self.nodes)),
            cargo.add(_joined(self.types, "u1")),
        ]
        if self.face_nodes:
            cargo.facts["faces"] = [
                cargo.add(_offsets(np.array(self.face_sizes, "i8"))),
                cargo.add(_joined(self.face_nodes)),
            ]
            counts = _joined(self.face_counts)
            numbers = np.arange(counts.sum(), dtype="i8")
            cargo.facts["face_locations"] = [cargo.add(_offsets(counts)), cargo.add(numbers)]


def _joined(parts: list[Array], kind: str = "i8") -> Array:
    return np.concatenate(parts).astype(kind, copy=False) if parts else np.empty(0, kind)


def _offsets(sizes: Array) -> Array:
    return np.concatenate([np.zeros(1, "i8"), np.cumsum(sizes, dtype="i8")])
