"""Runs where VTK is: objects go into it and come back. Says what differs, one line each."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[3]))

from pvlink import data
from pvlink.freight import Here

here = Here()
wrong: list[str] = []


def check(what: str, ok: Any) -> None:
    if not ok:
        wrong.append(what)


def same(a: Any, b: Any) -> bool:
    equal = np.asarray(a).dtype.kind in "fc"
    return a.dtype == b.dtype and a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=equal))


def every_kind_of_number() -> None:
    rng = np.random.default_rng(1)
    for kind in ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]:
        values = rng.integers(0, 255, (3, 4, 5, 2)).astype(kind)
        for name, given in {
            "plain": values,
            "Fortran": np.asfortranarray(values),
            "big-endian": values.astype(f">{kind}"),
            "every second": np.repeat(values, 2, axis=2)[:, :, ::2],
            "backwards": values[::-1, ::-1, ::-1, ::-1][::-1, ::-1, ::-1, ::-1],
        }.items():
            data.put(here, given, name="n")
            check(f"{kind} {name}", same(data.fetch(here, "n", "n"), values))


def geometry() -> None:
    grid = np.arange(24.0).reshape(2, 3, 4)
    data.put(here, grid, name="g", spacing=(0.1, 0.2, 0.3), origin=(1, 2, 3))
    image = here.fetch_cargo("g", None, None)[0]
    check("spacing and origin", (image["spacing"], image["origin"]) == ([0.1, 0.2, 0.3], [1.0, 2.0, 3.0]))
    data.put(here, grid, name="c", at="cells")
    found = data.fetch(here, "c")
    check("cells", found.dimensions == (5, 4, 3) and same(found.cell_data["c"], grid))
    check("one of cells", same(data.fetch(here, "c", "c", at="cells"), grid))
    check("a plane", data.fetch(here, data.put(here, grid[0], name="p"), "p").shape == (1, 3, 4))


def what_vtk_makes() -> None:
    from vtkmodules.vtkCommonCore import vtkBitArray, vtkIdList, vtkPoints, vtkStringArray, vtkVariantArray
    from vtkmodules.vtkCommonDataModel import (
        vtkHyperTreeGrid,
        vtkImageData,
        vtkMultiBlockDataSet,
        vtkPartitionedDataSetCollection,
        vtkPolyData,
        vtkRectilinearGrid,
        vtkStructuredGrid,
        vtkTable,
        vtkTree,
        vtkUnstructuredGrid,
    )
    from vtkmodules.vtkFiltersSources import vtkSphereSource

    sphere = vtkSphereSource()
    data.put(here, sphere, name="s")
    found = data.fetch(here, "s")
    check("sphere", found.kind == "polydata" and len(found.points) == 50 and len(found.cells["polys_offsets"]) == 97)
    check("normals", found.point_data["Normals"].shape == (50, 3))
    data.put(here, found, name="s2")
    again = data.fetch(here, "s2")
    check("a Dataset again", same(again.points, found.points) and set(again.cells) == set(found.cells))

    image = vtkImageData()
    image.SetExtent(2, 4, 0, 1, 0, 1)
    image.SetSpacing(0.5, 1, 1)
    data.put(here, image, name="e")
    check("an extent that begins at two", data.fetch(here, "e").origin == (1.0, 0.0, 0.0))

    cube = [(x, y, z) for z in (0, 1) for y in (0, 1) for x in (0, 1)]
    points = vtkPoints()
    for place in [*cube, (0.5, 0.5, 2)]:
        points.InsertNextPoint(place)
    faces = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
    grid = vtkUnstructuredGrid()
    grid.SetPoints(points)
    grid.InsertNextCell(10, 4, [0, 1, 2, 4])
    stream = vtkIdList()
    for number in [6, *(n for face in faces for n in (4, *face))]:
        stream.InsertNextId(number)
    grid.InsertNextCell(42, stream)
    grid.InsertNextCell(14, 5, [4, 5, 7, 6, 8])
    data.put(here, grid, name="u")
    found = data.fetch(here, "u")
    check("polyhedra", found.cells["types"].tolist() == [10, 42, 14] and len(found.cells["faces_offsets"]) == 7)
    data.put(here, found, name="u2")
    from pvlink.engine import sources

    made = sources.here().data("u2")
    check("six faces", made.GetCell(1).GetNumberOfFaces() == 6)
    check("bounds", made.GetCell(1).GetBounds() == (0, 1, 0, 1, 0, 1))

    lines = vtkRectilinearGrid()
    lines.SetDimensions(2, 3, 1)
    from vtkmodules.util.numpy_support import numpy_to_vtk

    lines.SetXCoordinates(numpy_to_vtk(np.array([0.0, 1.0]), deep=1))
    lines.SetYCoordinates(numpy_to_vtk(np.array([0.0, 1.0, 5.0]), deep=1))
    data.put(here, lines, name="r")
    check("rectilinear", data.fetch(here, "r").coordinates[1].tolist() == [0.0, 1.0, 5.0])

    curved = vtkStructuredGrid()
    curved.SetDimensions(2, 2, 2)
    points = vtkPoints()
    for place in cube:
        points.InsertNextPoint(place)
    curved.SetPoints(points)
    data.put(here, curved, name="k")
    check("structured", data.fetch(here, "k").points.shape == (2, 2, 2, 3))

    table = vtkTable()
    for kind, values in ((vtkStringArray, ["a", "ü"]), (vtkVariantArray, [1.5, "x"]), (vtkBitArray, [1, 0])):
        array = kind()
        array.SetName(kind.__name__)
        for value in values:
            array.InsertNextValue(value)
        table.AddColumn(array)
    data.put(here, table, name="t")
    found = data.fetch(here, "t")
    columns = {name: list(found[name]) for name in ("vtkStringArray", "vtkVariantArray", "vtkBitArray")}
    check(f"table {columns}", list(columns.values()) == [["a", "ü"], ["1.5", "x"], [1, 0]])

    blocks = vtkMultiBlockDataSet()
    inner = vtkMultiBlockDataSet()
    inner.SetBlock(0, made)
    inner.SetBlock(1, None)
    blocks.SetBlock(0, image)
    blocks.SetBlock(1, inner)
    blocks.GetMetaData(0).Set(blocks.NAME(), "air")
    data.put(here, blocks, name="b")
    found = data.fetch(here, "b")
    check("blocks", list(found) == ["air", "block_1"] and found["air"].kind == "image")
    check(
        "blocks in blocks", found["block_1"]["block_0"].kind == "unstructured" and found["block_1"]["block_1"] is None
    )

    parts = vtkPartitionedDataSetCollection()
    parts.SetPartition(0, 0, curved)
    parts.GetMetaData(0).Set(parts.NAME(), "wing")
    data.put(here, parts, name="pc")
    check("partitions", data.fetch(here, "pc")["wing"]["block_0"].kind == "structured")
    for other in (vtkTree(), vtkHyperTreeGrid()):
        # What has no arrays of its own goes as VTK writes it, and does not come back as numbers.
        try:
            data.put(here, other, name="o")
            data.fetch(here, "o")
            check(f"{other.GetClassName()} has no shape in numpy", False)
        except ValueError as error:
            check(str(error), "no shape in numpy" in str(error) or "cannot write down" in str(error))
    empty = vtkPolyData()
    try:
        data.put(here, empty, name="o")
        check("empty", False)
    except ValueError as error:
        check(str(error), "nothing to show" in str(error))


def memory_is_given_back() -> None:
    def own() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    volume = np.zeros((64, 256, 256), "f4")
    data.put(here, volume, name="m")
    gc.collect()
    before = own()
    for _ in range(20):
        data.put(here, volume, name="m")
    check(f"{(own() - before) >> 20} MB more after twenty puts of 16 MB", own() - before < 40 << 20)


def masked() -> None:
    values = np.ma.masked_greater(np.arange(24.0).reshape(2, 3, 4), 20)
    found = data.fetch(here, data.put(here, values, name="h"))
    check("the data is kept", same(found.point_data["h"], values.data))
    check("hidden", (found.point_data["vtkGhostType"] == np.where(values.mask, 2, 0)).all())


for test in (every_kind_of_number, geometry, what_vtk_makes, masked, memory_is_given_back):
    test()
sys.stdout.write("\n".join(wrong))
