"""Columns of a table: numbers as they are, all else as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pvlink.cargo.manifest import Array, Cargo
from pvlink.errors import DataError


def add(cargo: Cargo, arrays: Mapping[str, Any], components: int = 1) -> None:
    """The columns of a table, of one length. Raises DataError."""
    lengths = {len(array) for array in arrays.values()}
    if len(lengths) > 1:
        said = ", ".join(f"{name!r} {len(array)}" for name, array in arrays.items())
        raise DataError(f"The columns of a table have one length; these have several: {said}.")
    for name, array in arrays.items():
        column(cargo, name, array, components)


def column(cargo: Cargo, name: str, array: Any, components: int = 1) -> None:
    """One of them. What is masked is no number."""
    if isinstance(array, np.ma.MaskedArray) and np.ma.getmaskarray(array).any():
        numbers = array.dtype.kind in "biuf"
        array = np.ma.filled(array.astype("f8"), np.nan) if numbers else np.ma.filled(array)
    kind = array.dtype.kind
    texts = _texts(array) if kind in "OSUT" else None
    if texts is not None:
        cargo.text("rows", name, texts)
    else:
        cargo.numbers("rows", name, _numbers(array, name) if kind == "O" else array, components)


def _texts(array: Array) -> list[str] | None:
    """None: these are numbers."""
    items = array.tolist()
    if array.dtype.kind == "S":
        return [item.decode("utf-8", "surrogateescape") for item in items]
    if array.dtype.kind == "O" and not any(isinstance(item, str) for item in items):
        return None
    return ["" if _is_missing(item) else str(item) for item in items]


def _is_missing(item: Any) -> bool:
    # None, NaN, NaT and pandas' NA: whatever is not equal to itself, or does not know.
    if item is None or isinstance(item, str):
        return item is None
    return type(item == item) is not bool or item != item


def _numbers(array: Array, name: str) -> Array:
    try:
        return np.array([np.nan if _is_missing(item) else float(item) for item in array.tolist()], "f8")
    except (TypeError, ValueError):
        first = next(type(item).__name__ for item in array.tolist() if not isinstance(item, (int, float)))
        raise DataError(
            f"The column {name!r} holds Python objects (a {first} among them). Make numbers or texts of them first: "
            f"table[{name!r}].astype(float), or .astype(str)."
        ) from None
