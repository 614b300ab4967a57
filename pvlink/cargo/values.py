"""Kinds of numbers: which of numpy's VTK has, and what becomes of the rest."""

from __future__ import annotations

from typing import Any

import numpy as np

from pvlink.errors import DataError

Array = np.ndarray[Any, np.dtype[Any]]
_SIZES = {"i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (4, 8)}
EPOCH_SECONDS = "datetime64[ns]"


def plain(array: Any, name: str) -> tuple[Array, Array | None]:
    """The same numbers in a kind that VTK has, by a view where that is possible, and what is masked. DataError: none.

    A bool is 0 or 1, a half float a float, a complex number two (real, imaginary), a date its seconds since 1970.
    """
    hidden = (
        np.ma.getmaskarray(array) if np.ma.isMaskedArray(array) and np.ma.getmask(array) is not np.ma.nomask else None
    )
    found = np.asarray(np.ma.getdata(array))
    kind, size = found.dtype.kind, found.dtype.itemsize
    if kind in _SIZES and size in _SIZES[kind]:
        return found, hidden
    if kind == "b":
        return found.view("u1"), hidden
    if kind == "f" and size == 2:
        return found.astype("f4"), hidden
    if kind == "c" and size in (8, 16):
        parts = found if found.flags.c_contiguous and found.dtype.isnative else found.astype(f"c{size}", order="C")
        pairs = parts[..., np.newaxis].view(f"f{size // 2}")
        return pairs, None if hidden is None else np.repeat(hidden[..., np.newaxis], 2, axis=-1)
    if kind in "mM":
        return seconds(found), hidden
    raise DataError(f"{_said(name)} holds {_what(found)}. {_cure(found)}")


def seconds(dates: Array) -> Array:
    """Seconds since 1970, or of a duration; what is no time is no number."""
    kind = "datetime64" if dates.dtype.kind == "M" else "timedelta64"
    since = dates.astype(f"{kind}[ns]").astype("i8").astype("f8") / 1e9
    since[np.isnat(dates)] = np.nan
    return since


def _said(name: str) -> str:
    return f"The array {name!r}" if name else "The array"


def _what(array: Array) -> str:
    kind = array.dtype.kind
    if kind == "O":
        example = next((type(item).__name__ for item in array.ravel()[:1]), "nothing")
        return f"Python objects (the first is a {example})"
    if kind in "fc":
        return f"numbers of {array.dtype.itemsize * 8} bits ({array.dtype}), and VTK has none so long"
    if kind in "SUT":
        return "texts"
    return f"{array.dtype}"


def _cure(array: Array) -> str:
    kind = array.dtype.kind
    if kind == "O":
        return "Make numbers of them first: array.astype(float)."
    if kind == "f":
        return "Give array.astype('float64')."
    if kind == "c":
        return "Give array.astype('complex128')."
    if kind in "SUT":
        return "Texts go with tables: put a pandas DataFrame, or a dict of one-dimensional arrays."
    return "Give numbers: integers, floats, or bool."
