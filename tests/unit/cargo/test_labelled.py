"""xarray: coordinates make the grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pvlink import cargo
from pvlink.cargo.manifest import Cargo, Options
from pvlink.errors import DataError

pytestmark = pytest.mark.ways

xarray = pytest.importorskip("xarray")


def packed(obj: Any, **options: Any) -> Cargo:
    return cargo.pack(obj, Options("a", **options))


def field(**coords: Any) -> Any:
    shape = [len(values) for values in coords.values()]
    return xarray.DataArray(np.arange(np.prod(shape), dtype="f8").reshape(shape), coords, name="t")


def values(found: Cargo, name: str = "t") -> Any:
    entry = next(entry for entry in found.facts["arrays"] if entry["name"] == name)
    return np.ascontiguousarray(found.arrays[entry["array"]])


def test_evenly_spaced_coordinates_are_an_image() -> None:
    found = packed(field(z=[0.0, 1.0], y=[10.0, 12.0, 14.0], x=np.array([0.1, 0.2, 0.3, 0.4], "f4")))
    assert found.facts["kind"] == "image"
    assert found.facts["dimensions"] == [4, 3, 2]
    assert found.facts["origin"] == pytest.approx([0.1, 10, 0])
    assert found.facts["spacing"] == pytest.approx([0.1, 2, 1])


def test_others_are_a_rectilinear_grid() -> None:
    found = packed(field(y=[0.0, 1.0, 10.0], x=[1, 2]))
    assert found.facts["kind"] == "rectilinear"
    assert [found.arrays[n].tolist() for n in found.facts["coordinates"]] == [[1, 2], [0, 1, 10], [0]]


def test_a_coordinate_that_falls_is_turned_round_with_its_values() -> None:
    found = packed(field(lat=[50.0, 40.0], lon=[0.0, 1.0]))
    assert found.facts["origin"][:2] == [0.0, 40.0]
    assert values(found).tolist() == [[2, 3], [0, 1]]


def test_dimensions_in_another_order_are_brought_into_this_one() -> None:
    found = packed(field(x=[0, 1, 2], y=[0, 1]))
    assert found.facts["dimensions"] == [3, 2, 1]
    assert values(found).tolist() == [[0, 2, 4], [1, 3, 5]]


def test_the_conventions_say_which_dimension_is_which() -> None:
    one = field(a=[0, 1, 2], b=[0, 1])
    one.a.attrs["axis"], one.b.attrs["standard_name"] = "X", "latitude"
    assert packed(one).facts["dimensions"] == [3, 2, 1]
    assert packed(field(a=[0, 1, 2], b=[0, 1])).facts["dimensions"] == [2, 3, 1]
    assert packed(field(depth=[0, 1, 2], x=[0, 1])).facts["dimensions"] == [2, 1, 3]


def test_two_dimensional_coordinates_are_a_structured_grid() -> None:
    lon, lat = np.meshgrid([0.0, 1.0, 2.0], [5.0, 6.0])
    one = xarray.DataArray(
        np.zeros((4, 2, 3)),
        {"lon": (("j", "i"), lon + lat / 10), "lat": (("j", "i"), lat)},
        ("level", "j", "i"),
        name="t",
    )
    found = packed(one)
    assert (found.facts["kind"], found.facts["dimensions"]) == ("structured", [3, 2, 4])
    points = found.arrays[found.facts["points"]].reshape(4, 2, 3, 3)
    assert points[2, 1, 2].tolist() == pytest.approx([2.6, 6, 2])


def test_one_time_is_left_out_and_several_are_a_loop() -> None:
    one = field(time=np.array(["2020-01-01"], "M8[ns]"), y=[0, 1], x=[0, 1])
    found = packed(one)
    assert found.facts["dimensions"] == [2, 2, 1]
    assert values(found, "time").tolist() == [1577836800]
    two = field(time=np.array(["2020-01-01", "2020-01-02"], "M8[ns]"), y=[0, 1], x=[0, 1])
    with pytest.raises(DataError, match=r"'time' is time, with 2 steps.*isel\(time=step\)"):
        packed(two)
    assert packed(two[1]).facts["dimensions"] == [2, 2, 1]


def test_a_dataset_is_several_arrays() -> None:
    one = field(y=[0, 1], x=[0, 1])
    found = packed(xarray.Dataset({"p": one, "q": one * 2, "level": 3}))
    assert [entry["name"] for entry in found.facts["arrays"]] == ["p", "q", "level"]
    with pytest.raises(DataError, match=r"several: 'p' \(y, x\), 's' \(x\)"):
        packed(xarray.Dataset({"p": one, "s": one[0]}))


def test_one_dimension_is_a_table_and_none_is_too_few() -> None:
    found = packed(field(time=np.array(["2020-01-01", "2020-01-02"], "M8[ns]")))
    assert found.facts["kind"] == "table"
    assert [entry["name"] for entry in found.facts["arrays"]] == ["time", "t"]
    with pytest.raises(DataError, match="at least one dimension"):
        packed(xarray.DataArray(3.0))


def test_a_vector_has_its_components_last() -> None:
    one = xarray.DataArray(np.zeros((2, 3, 4, 3)), dims=("z", "y", "x", "component"), name="v")
    assert packed(one).facts["arrays"][0]["components"] == 3
    assert packed(one[0], vector=True).facts["dimensions"] == [4, 3, 1]


@pytest.mark.parametrize("x", [[0.0, 2.0, 1.0], [0.0, 1.0, 1.0], [0.0, np.nan, 2.0]])
def test_a_coordinate_in_disorder_says_what_to_do(x: list[float]) -> None:
    with pytest.raises(DataError, match=r"data\.sortby\('x'\)"):
        packed(field(y=[0, 1], x=x))


def test_too_many_dimensions_say_which() -> None:
    with pytest.raises(DataError, match="5 dimensions"):
        packed(xarray.DataArray(np.zeros((2,) * 5)))
