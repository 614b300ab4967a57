"""pandas: a frame is a table. Dates are seconds since 1970, categories what they stand for, all else text."""

from __future__ import annotations

from typing import Any

import numpy as np

from pvlink.cargo import columns
from pvlink.cargo.library import is_of
from pvlink.cargo.manifest import Cargo, Options
from pvlink.errors import DataError


def is_one(obj: Any) -> bool:
    return is_of(obj, "pandas", "DataFrame", "Series", "Index")


def pack(obj: Any, cargo: Cargo, options: Options) -> None:
    options.refuse_grid("a table")
    frame = obj
    if not is_of(obj, "pandas", "DataFrame"):
        frame = obj.to_frame(name=obj.name if obj.name is not None else options.name)
    if not len(frame) or not len(frame.columns):
        raise DataError(f"The frame is empty (its shape is {frame.shape}): there is nothing to show.")
    cargo.facts["kind"] = "table"
    if not is_of(obj, "pandas", "Index") and not _counts(frame.index):
        levels = range(frame.index.nlevels)
        for level in levels:
            values = frame.index.get_level_values(level)
            name = values.name if values.name is not None else "index" + str(level) * (len(levels) > 1)
            columns.column(cargo, _free(cargo, str(name)), _numpy(values))
    for place, name in enumerate(frame.columns):
        label = "_".join(str(part) for part in name) if isinstance(name, tuple) else str(name)
        columns.column(cargo, _free(cargo, label), _numpy(frame.iloc[:, place]))


def _counts(index: Any) -> bool:
    """Whether it only numbers the rows."""
    return is_of(index, "pandas", "RangeIndex") and index.name is None and index.start == 0 and index.step == 1


def _numpy(values: Any) -> Any:
    kind = values.dtype
    if is_of(kind, "pandas", "CategoricalDtype"):
        return (
            _numpy(values.astype(kind.categories.dtype)) if kind.categories.dtype.kind in "biufM" else _objects(values)
        )
    if getattr(kind, "tz", None) is not None:
        convert = getattr(values, "dt", values).tz_convert
        return np.asarray(convert(None).to_numpy(dtype="datetime64[ns]"))
    if isinstance(kind, np.dtype):
        return values.to_numpy()
    if getattr(kind, "kind", "O") in "biuf":
        # With places that hold nothing, whole numbers are floats, as in pandas itself.
        missing = bool(values.isna().any())
        return (
            values.to_numpy(dtype="f8", na_value=np.nan)
            if missing
            else values.to_numpy(dtype=kind.kind + str(kind.itemsize))
        )
    if getattr(kind, "kind", "O") in "mM":
        return values.to_numpy(dtype=f"{'timedelta64' if kind.kind == 'm' else 'datetime64'}[ns]")
    return _objects(values)


def _objects(values: Any) -> Any:
    return np.asarray(values.astype(object).to_numpy(), dtype=object)


def _free(cargo: Cargo, name: str) -> str:
    """Names may come twice in pandas, and not in VTK."""
    taken = {entry["name"] for entry in cargo.facts.get("arrays", ())}
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
