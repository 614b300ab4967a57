"""xarray: coordinates make the grid. Evenly spaced ones an image, others a rectilinear grid, two-dimensional ones a
structured grid; what counts down is turned round, values and all.

Which dimension is x, y or z is told by the attributes that the CF conventions have for it, then by the name, and where
neither says, by the order: the last is x.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pvlink.cargo import columns, values
from pvlink.cargo.library import is_of
from pvlink.cargo.manifest import Array, Cargo, Options
from pvlink.errors import DataError

_NAMES = {
    "x": ("x", "lon", "longitude", "easting", "i", "nx", "xc", "projection_x_coordinate", "grid_longitude"),
    "y": ("y", "lat", "latitude", "northing", "j", "ny", "yc", "projection_y_coordinate", "grid_latitude"),
    "z": ("z", "lev", "level", "depth", "height", "altitude", "pressure", "plev", "k", "nz", "zc"),
}
_CF = {"X": "x", "Y": "y", "Z": "z"}
# How far from evenly spaced a coordinate may be, in parts of the spacing: files round what they write.
_EVEN = {4: 1e-3, 8: 1e-6}


def is_one(obj: Any) -> bool:
    return is_of(obj, "xarray", "DataArray", "Dataset")


def pack(obj: Any, cargo: Cargo, options: Options) -> None:
    options.refuse_grid("xarray's data")
    obj = _at_one_time(obj)
    if is_of(obj, "xarray", "Dataset"):
        named = {str(name): obj[name] for name in obj.data_vars}
    else:
        named = {str(obj.name) if obj.name is not None else options.name: obj}
    single = {name: one for name, one in named.items() if one.ndim == 0}
    named = {name: one for name, one in named.items() if one.ndim}
    if len({one.dims for one in named.values()}) != 1:
        if not named:
            raise DataError("pvlink.put needs data with at least one dimension; this has none.")
        said = ", ".join(f"{name!r} ({', '.join(map(str, one.dims))})" for name, one in named.items())
        raise DataError(
            f"The variables of one grid have the same dimensions; these have several: {said}. "
            f"Choose some, such as dataset[[{next(iter(named))!r}]], and put the others under another name."
        )
    first = next(iter(named.values()))
    if 0 in first.shape:
        raise DataError(f"The data is empty (its shape is {first.shape}): there is nothing to show.")
    if first.ndim == 1:
        _table(named, cargo)
    else:
        _grid(named, cargo, options)
    for name, one in {**_scalars(first), **single}.items():
        if np.asarray(one).dtype.kind in "biufmM":
            cargo.numbers("field", name, np.asarray(one).reshape(1))


def _at_one_time(obj: Any) -> Any:
    """Without a dimension of time; more than one time is a loop."""
    for dim in obj.dims:
        if len(obj.dims) == 1 or not _is_time(obj, dim):
            continue
        if obj.sizes[dim] > 1:
            raise DataError(
                f"The dimension {dim!r} is time, with {obj.sizes[dim]} steps; a grid is of one. One after the other: "
                f"for step in range({obj.sizes[dim]}): pvlink.put(data.isel({dim}=step), name=...)"
            )
        obj = obj.isel({dim: 0})
    return obj


def _is_time(obj: Any, dim: Any) -> bool:
    coordinate = obj.coords.get(dim)
    if coordinate is None:
        return str(dim).lower() in ("time", "t")
    by_kind = coordinate.dtype.kind in "mM" or (
        coordinate.dtype.kind == "O" and "cftime" in str(type(coordinate.values[0]))
    )
    return by_kind or coordinate.attrs.get("axis") == "T" or str(dim).lower() in ("time", "t")


def _scalars(one: Any) -> dict[str, Any]:
    """What holds for all of it, such as the time it was taken."""
    return {str(name): value for name, value in one.coords.items() if value.ndim == 0}


def _table(named: dict[str, Any], cargo: Cargo) -> None:
    cargo.facts["kind"] = "table"
    first = next(iter(named.values()))
    along = {
        str(name): value.values for name, value in first.coords.items() if value.ndim == 1 and str(name) not in named
    }
    columns.add(
        cargo,
        {
            **along,
            **{
                name: one.to_masked_array(copy=False) if one.dtype.kind in "f" else one.values
                for name, one in named.items()
            },
        },
    )


def _grid(named: dict[str, Any], cargo: Cargo, options: Options) -> None:
    first = next(iter(named.values()))
    vector = options.vector if options.vector is not None else first.ndim == 4
    if first.ndim - vector not in (2, 3):
        raise DataError(
            f"The data has {first.ndim} dimensions ({', '.join(map(str, first.dims))}); a grid has two or three"
            f"{', and one for the components of vectors' if vector else ''}. Choose with data.isel(...)."
        )
    last = (first.dims[-1],) if vector else ()
    axes = _axes(first, first.dims[: first.ndim - vector])
    across = _across(first, axes)
    if across is None:
        named = _ascending(named, axes)
        first = next(iter(named.values()))
    order = tuple(axes[axis] for axis in "zyx" if axis in axes) + last
    ready = {name: one.transpose(*order) for name, one in named.items()}
    shape = next(iter(ready.values())).shape
    components = shape[-1] if vector else 1
    sizes = {axis: first.sizes[dim] for axis, dim in axes.items()}
    if across is not None:
        _curved(cargo, first, axes, across, sizes)
    else:
        _straight(cargo, {axis: _positions(first, dim) for axis, dim in axes.items()}, sizes)
    for name, one in ready.items():
        cargo.numbers("points", name, one.values, components)


def _axes(one: Any, dims: tuple[Any, ...]) -> dict[str, Any]:
    """Which dimension goes along x, y and z."""
    found: dict[str, Any] = {}
    for dim in dims:
        attrs = one.coords[dim].attrs if dim in one.coords else {}
        axis = _CF.get(str(attrs.get("axis", "")).upper())
        for candidate, names in _NAMES.items():
            if axis is None and (str(dim).lower() in names or attrs.get("standard_name") in names):
                axis = candidate
        if axis is not None and axis not in found:
            found[axis] = dim
    # A plane may lie across any two axes; where nothing is said, the last dimension is x.
    for dim in reversed([dim for dim in dims if dim not in found.values()]):
        found[next(axis for axis in "xyz" if axis not in found)] = dim
    return found


def _across(one: Any, axes: dict[str, Any]) -> dict[str, Any] | None:
    """Two-dimensional coordinates that say where the points are, such as those of a turned or curved grid."""
    dims = set(axes.values())
    found: dict[str, Any] = {}
    for name, value in one.coords.items():
        if value.ndim < 2 or not set(value.dims) <= dims or value.dtype.kind not in "fiu":
            continue
        kind = [str(name).lower(), str(value.attrs.get("standard_name", "")).lower()]
        for axis, names in _NAMES.items():
            if axis not in found and any(word in names or word.rstrip("0123456789_c") in names for word in kind):
                found[axis] = value
    return found if {"x", "y"} <= set(found) else None


def _ascending(named: dict[str, Any], axes: dict[str, Any]) -> dict[str, Any]:
    turned = dict(named)
    for dim in axes.values():
        first = next(iter(turned.values()))
        positions = _positions(first, dim)
        if positions is not None and len(positions) > 1 and positions[0] > positions[-1]:
            turned = {name: one.isel({dim: slice(None, None, -1)}) for name, one in turned.items()}
    return turned


def _positions(one: Any, dim: Any) -> Array | None:
    """The coordinate of a dimension; none if it has none, or one of words."""
    if dim not in one.coords or one.coords[dim].dtype.kind not in "iufmM":
        return None
    found = np.asarray(one.coords[dim].values)
    found = values.seconds(found) if found.dtype.kind in "mM" else found
    steps = np.diff(found.astype("f8"))
    if not np.isfinite(found).all() or not ((steps > 0).all() or (steps < 0).all()):
        raise DataError(
            f"The coordinate {dim!r} neither grows nor falls all along. Bring it into order with data.sortby({dim!r}), "
            f"and leave out what is no number or comes twice: data.drop_duplicates({dim!r})."
        )
    return found


def _straight(cargo: Cargo, positions: dict[str, Array | None], sizes: dict[str, int]) -> None:
    spacing, origin, even = [1.0] * 3, [0.0] * 3, True
    for number, axis in enumerate("xyz"):
        found = positions.get(axis)
        if found is not None:
            origin[number] = float(found[0])
            if len(found) > 1:
                spacing[number] = (float(found[-1]) - float(found[0])) / (len(found) - 1)
                ideal = np.linspace(float(found[0]), float(found[-1]), len(found))
                limit = _EVEN.get(found.dtype.itemsize, 1e-6) * spacing[number]
                even = even and bool((np.abs(found - ideal) <= limit).all())
    cargo.facts["dimensions"] = [sizes.get(axis, 1) for axis in "xyz"]
    if even:
        cargo.facts.update(kind="image", spacing=spacing, origin=origin)
        return
    found_or_counted = [positions.get(axis) for axis in "xyz"]
    counted = [
        np.arange(sizes.get(axis, 1), dtype="f8") if found is None else found
        for axis, found in zip("xyz", found_or_counted, strict=True)
    ]
    cargo.facts.update(kind="rectilinear", coordinates=[cargo.add(values.plain(axis, "")[0]) for axis in counted])


def _curved(cargo: Cargo, one: Any, axes: dict[str, Any], across: dict[str, Any], sizes: dict[str, int]) -> None:
    order = [axes[axis] for axis in "zyx" if axis in axes]
    shape = [sizes[axis] for axis in "zyx" if axis in axes]
    points = np.zeros([*shape, 3])
    for number, axis in enumerate("xyz"):
        value = across.get(axis)
        if value is None and axis in axes and axis == "z":
            line = _positions(one, axes["z"])
            value = line if line is not None else np.arange(sizes["z"], dtype="f8")
            points[..., number] = value.reshape(-1, 1, 1)
        elif value is not None:
            missing = {dim: one.sizes[dim] for dim in order if dim not in value.dims}
            points[..., number] = value.expand_dims(missing).transpose(*order).values
    if not np.isfinite(points).all():
        raise DataError("Some of the coordinates are no numbers: a grid needs a place for each of its points.")
    cargo.facts.update(
        kind="structured", dimensions=[sizes.get(axis, 1) for axis in "xyz"], points=cargo.add(points.reshape(-1, 3))
    )
