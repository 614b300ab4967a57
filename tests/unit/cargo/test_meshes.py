"""meshio: cells as VTK has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pvlink import cargo
from pvlink.cargo import meshes
from pvlink.cargo.manifest import Cargo, Options
from pvlink.errors import DataError

pytestmark = pytest.mark.ways

meshio = pytest.importorskip("meshio")
POINTS = np.random.default_rng(0).random((30, 3))


def packed(mesh: Any) -> Cargo:
    return cargo.pack(mesh, Options("a"))


def cells(found: Cargo) -> list[list[int]]:
    return [found.arrays[number].tolist() for number in found.facts["cells"]]


def test_blocks_of_several_kinds_are_one_list_of_cells() -> None:
    blocks = [("triangle", [[0, 1, 2], [1, 2, 3]]), ("tetra10", [list(range(10))]), ("vertex", [[4]])]
    data = {"rank": [[1, 2], [3], [4]]}
    found = packed(meshio.Mesh(POINTS, blocks, point_data={"v": POINTS}, cell_data=data))
    offsets, nodes, types = cells(found)
    assert offsets == [0, 3, 6, 16, 17]
    assert nodes == [0, 1, 2, 1, 2, 3, *range(10), 4]
    assert types == [5, 5, 24, 1]
    assert [(entry["name"], entry["components"]) for entry in found.facts["arrays"]] == [("v", 3), ("rank", 1)]


def test_every_kind_has_the_number_and_the_order_that_meshio_itself_writes_for_vtk() -> None:
    theirs = pytest.importorskip("meshio._vtk_common")

    for name, number in meshes._TYPES.items():
        assert theirs.meshio_to_vtk_type[name] == number
        order = theirs.meshio_to_vtk_order(name)
        assert meshes._ORDER.get(name) == (None if order is None else order.tolist())


def test_polygons_and_polyhedra() -> None:
    faces = [[0, 1, 2], [0, 1, 3], [1, 2, 3], [0, 2, 3]]
    found = packed(meshio.Mesh(POINTS, [("polygon", [[0, 1, 2, 3, 4]]), ("polyhedron4", [faces]), ("line", [[5, 6]])]))
    offsets, nodes, types = cells(found)
    assert (offsets, types) == ([0, 5, 9, 11], [7, 42, 3])
    assert nodes[5:9] == [0, 1, 2, 3]
    assert found.arrays[found.facts["faces"][0]].tolist() == [0, 3, 6, 9, 12]
    assert found.arrays[found.facts["face_locations"][0]].tolist() == [0, 0, 4, 4]


def test_points_in_a_plane_get_a_third_number() -> None:
    found = packed(meshio.Mesh(POINTS[:, :2], [("line", [[0, 1]])]))
    assert found.arrays[found.facts["points"]].shape == (30, 3)


def test_what_cannot_be_says_why() -> None:
    with pytest.raises(DataError, match="no cell like meshio's 'hexahedron64'"):
        packed(meshio.Mesh(np.zeros((64, 3)), [("hexahedron64", [list(range(64))])]))
    with pytest.raises(DataError, match="outside of 0 to 29"):
        packed(meshio.Mesh(POINTS, [("line", [[0, 30]])]))
