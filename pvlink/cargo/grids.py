"""numpy: an array is a grid, (nz, ny, nx) as numpy counts; of one axis it is a table. Lists and dicts of arrays too."""

from __future__ import annotations

from typing import Any

import numpy as np

from pvlink.cargo import columns
from pvlink.cargo.manifest import Array, Cargo, Options
from pvlink.errors import DataError, OptionError

_SHAPES = "It takes (nz, ny, nx), (ny, nx), (n), each with one more axis for the components of vectors."


def is_one(obj: Any) -> bool:
    if isinstance(obj, (np.ndarray, np.generic, list, tuple, dict, int, float, complex)):
        return True
    return hasattr(type(obj), "__array__") or hasattr(type(obj), "__array_interface__")


def pack(obj: Any, cargo: Cargo, options: Options) -> None:
    arrays = _named(obj, options.name)
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) > 1 and not all(array.ndim == 1 for array in arrays.values()):
        said = ", ".join(f"{name!r} {array.shape}" for name, array in arrays.items())
        raise DataError(f"Arrays of one grid have one shape; these have several: {said}. Put them under several names.")
    shape, components = split(next(iter(arrays.values())), options.vector)
    if len(shape) == 1:
        options.refuse_grid("a table")
        cargo.facts["kind"] = "table"
        columns.add(cargo, arrays, components)
        return
    grid(cargo, shape, options)
    for name, array in arrays.items():
        cargo.numbers(options.at, name, array, components)


def split(array: Array, vector: bool | None) -> tuple[tuple[int, ...], int]:
    """Shape of the grid and number of components. DataError: it is no grid."""
    shape = array.shape
    if vector is None:
        vector = array.ndim == 4
    axes = array.ndim - bool(vector)
    if not 1 <= axes <= 3:
        if array.ndim == 0:
            raise DataError("pvlink.put needs an array with at least one axis; this is a single number.")
        said = " with vector=True" if vector else ""
        raise DataError(f"pvlink.put cannot make a grid of an array of the shape {shape}{said}. {_SHAPES}")
    if 0 in shape:
        raise DataError(f"The array is empty (its shape is {shape}): there is nothing to show.")
    return (shape[:-1], shape[-1]) if vector else (shape, 1)


def grid(cargo: Cargo, shape: tuple[int, ...], options: Options) -> None:
    """Facts of an image."""
    more = int(options.at == "cells")
    dimensions = [side + more for side in reversed(shape)]
    dimensions += [1] * (3 - len(dimensions))
    spacing = three("spacing", options.spacing, 1.0, len(shape))
    if not all(side > 0 for side in spacing):
        raise OptionError(f"spacing={options.spacing!r}: distances between points are greater than zero.")
    cargo.facts.update(
        kind="image", dimensions=dimensions, spacing=spacing, origin=three("origin", options.origin, 0.0, len(shape))
    )


def three(name: str, given: tuple[float, ...] | None, usual: float, axes: int) -> list[float]:
    """Numbers for x, y and z; where there are two axes, z may be left out."""
    if given is None:
        return [usual] * 3
    try:
        found = [float(value) for value in np.atleast_1d(np.asarray(given, dtype=float))]
    except (TypeError, ValueError):
        found = []
    if not (len(found) == 3 or len(found) == axes) or not np.all(np.isfinite(found)):
        raise OptionError(f"{name}={given!r}: it is three numbers, for x, y and z.")
    return found + [usual] * (3 - len(found))


def _named(obj: Any, name: str) -> dict[str, Array]:
    if isinstance(obj, dict):
        found = {str(key): _array(value, str(key)) for key, value in obj.items()}
        if not found:
            raise DataError("The dict is empty: there is nothing to show.")
        return found
    array = _array(obj, name)
    if array.dtype.names is None:
        return {name: array}
    return {field: array[field] for field in array.dtype.names}


def _array(obj: Any, name: str) -> Array:
    try:
        return np.asanyarray(obj)
    except (TypeError, ValueError) as error:
        raise DataError(f"numpy cannot make an array of {name!r}: {error}") from None
