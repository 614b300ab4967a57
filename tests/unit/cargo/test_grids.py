"""numpy: which arrays are grids, which tables, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pvlink import cargo
from pvlink.cargo.manifest import Cargo, Options
from pvlink.errors import DataError, OptionError

pytestmark = pytest.mark.ways


def packed(obj: Any, **options: Any) -> Cargo:
    return cargo.pack(obj, Options("a", **options))


def only(found: Cargo) -> Any:
    (entry,) = found.facts["arrays"]
    return found.arrays[entry["array"]]


@pytest.mark.parametrize(
    ("shape", "options", "dimensions", "components"),
    [
        ((2, 3, 4), {}, [4, 3, 2], 1),
        ((2, 3), {}, [3, 2, 1], 1),
        ((2, 3, 4, 3), {}, [4, 3, 2], 3),
        ((2, 3, 4), {"vector": True}, [3, 2, 1], 4),
        ((2, 3, 4), {"at": "cells"}, [5, 4, 3], 1),
        ((2, 3), {"at": "cells"}, [4, 3, 1], 1),
    ],
)
def test_an_array_is_a_grid(shape: tuple[int, ...], options: Any, dimensions: list[int], components: int) -> None:
    found = packed(np.zeros(shape), **options)
    assert found.facts["kind"] == "image"
    assert found.facts["dimensions"] == dimensions
    assert found.facts["arrays"][0]["components"] == components


@pytest.mark.parametrize("shape", [(5,), (5, 3)])
def test_of_one_axis_it_is_a_table(shape: tuple[int, ...]) -> None:
    assert packed(np.zeros(shape), vector=len(shape) == 2 or None).facts["kind"] == "table"


def test_nothing_is_copied_where_vtk_has_the_kind() -> None:
    array = np.zeros((3, 4, 5))[::2]
    assert np.shares_memory(only(packed(array)), array)
    assert np.shares_memory(only(packed(np.zeros((2, 2), bool))), np.zeros(0)) is False
    flags = np.zeros((2, 2), bool)
    assert np.shares_memory(only(packed(flags)), flags)


def test_what_vtk_has_not_becomes_the_next_kind() -> None:
    assert only(packed(np.array([[True, False]]))).tolist() == [[1, 0]]
    half = only(packed(np.array([[1.5]], "f2")))
    assert (half.dtype, half[0, 0]) == ("f4", 1.5)
    times = only(packed(np.array([["1970-01-02", "NaT"]], "M8[D]")))
    assert times[0, 0] == 86400
    assert np.isnan(times[0, 1])


@pytest.mark.parametrize("kind", ["c8", "c16", ">c16"])
def test_complex_numbers_are_two_components(kind: str) -> None:
    numbers = np.array([[1 + 2j, 3 - 4j]], kind)
    found = packed(numbers)
    assert found.facts["arrays"][0]["components"] == 2
    assert only(found).astype("f8").ravel().tolist() == [1, 2, 3, -4]


def test_fields_of_a_structured_array_are_arrays() -> None:
    found = packed(np.zeros((2, 3), [("p", "f4"), ("flag", "?")]))
    assert [entry["name"] for entry in found.facts["arrays"]] == ["p", "flag"]


def test_a_dict_is_several_arrays_of_one_grid_or_a_table() -> None:
    assert packed({"p": np.zeros((2, 2)), "q": np.ones((2, 2))}).facts["kind"] == "image"
    found = packed({"p": [1.0, 2.0], "word": ["a", "b"]})
    assert found.facts["kind"] == "table"
    assert "text" in found.facts["arrays"][1]


def test_what_is_masked_is_hidden_and_kept() -> None:
    found = packed(np.ma.masked_equal([[1, 2], [3, 2]], 2))
    assert found.arrays[0].tolist() == [[1, 2], [3, 2]]
    assert found.facts["arrays"][1]["name"] == "vtkGhostType"
    assert found.arrays[1].tolist() == [0, 2, 0, 2]
    # And the cells that it is a corner of: surfaces are drawn by cells.
    wide = packed(np.ma.masked_equal([[1, 2, 3, 4], [1, 1, 1, 1]], 4))
    assert [wide.facts["arrays"][2][key] for key in ("at", "name")] == ["cells", "vtkGhostType"]
    assert wide.arrays[2].tolist() == [0, 0, 32]
    two = packed(
        {n: np.ma.array([[1, 2]], mask=m) for n, m in (("p", [[True, False]]), ("q", [[False, True]]))}, at="cells"
    )
    assert two.arrays[1].tolist() == [32, 32]


@pytest.mark.parametrize(
    ("obj", "said"),
    [
        (np.float64(3), "a single number"),
        (np.zeros((0, 3, 3)), "is empty"),
        (np.zeros((2, 2, 2, 2, 2)), r"shape \(2, 2, 2, 2, 2\)"),
        (np.array([[object()]]), r"Python objects .*astype\(float\)"),
        (np.array([["a"]]), "Texts go with tables"),
        (np.zeros((2, 2), "f16"), "128 bits.*float64"),
        (np.zeros((2, 2), "c32"), "256 bits.*complex128"),
        ([[1, 2], [3]], "numpy cannot make an array"),
        ({}, "dict is empty"),
        ({"a": np.zeros((2, 2)), "b": np.zeros((3, 2))}, r"several: 'a' \(2, 2\), 'b' \(3, 2\)"),
        ({"a": [1], "b": [1, 2]}, "columns of a table have one length"),
        ({1, 2}, "cannot take a builtins.set. It takes numpy arrays"),
    ],
)
def test_what_cannot_be_says_why_and_what_to_do(obj: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        packed(obj)


@pytest.mark.parametrize(
    "options", [{"spacing": (1, 2, 3, 4)}, {"spacing": (0, 1, 1)}, {"spacing": (-1, 1, 1)}, {"origin": (1, np.nan, 1)}]
)
def test_a_spacing_is_three_numbers_greater_than_zero(options: Any) -> None:
    with pytest.raises(OptionError):
        packed(np.zeros((2, 2, 2)), **options)


def test_vectors_need_an_axis_for_the_grid() -> None:
    with pytest.raises(DataError, match="vector=True"):
        packed(np.zeros(3), vector=True)
    with pytest.raises(DataError, match="shape"):
        packed(np.zeros((2, 2, 2, 3)), vector=False)
