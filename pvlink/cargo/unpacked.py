"""The way back: facts and arrays as a `Dataset`, a table, or one array. And a `Dataset` is packed again, as it is."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pvlink.cargo import manifest
from pvlink.cargo.manifest import Array, Cargo, Facts, Options
from pvlink.errors import DataError

_GRIDS = ("image", "rectilinear", "structured")
_TREES = ("multiblock", "collection", "partitioned")
_SURFACE = ("verts", "lines", "polys", "strips")
_PLACES = {"points": "point_data", "cells": "cell_data", "field": "field_data"}


@dataclass(frozen=True, eq=False)
class Dataset:
    """What `pvlink.fetch` gives for a dataset: numpy arrays that are yours. What a kind has not is None or empty.

    `kind` is "image", "rectilinear", "structured", "polydata" or "unstructured". In the first three `dimensions`
    counts the points along x, y and z, and arrays have the shape (nz, ny, nx), with one more axis for components.
    """

    kind: str
    dimensions: tuple[int, int, int] | None = None
    spacing: tuple[float, float, float] | None = None
    origin: tuple[float, float, float] | None = None
    # Of an image that is turned: the directions of its axes, as columns.
    direction: Array | None = None
    # Of a rectilinear grid: positions along x, y and z.
    coordinates: tuple[Array, Array, Array] | None = None
    # (n, 3), or (nz, ny, nx, 3) in a structured grid.
    points: Array | None = None
    # "connectivity" and "offsets" as VTK has them, "types" in an unstructured grid; a polydata has "verts_offsets" etc.
    cells: dict[str, Array] = field(default_factory=dict)
    point_data: dict[str, Any] = field(default_factory=dict)
    cell_data: dict[str, Any] = field(default_factory=dict)
    field_data: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """In a line: what there is, not the numbers."""
        said = [self.kind]
        if self.dimensions is not None:
            said.append(" x ".join(map(str, self.dimensions)))
        elif self.points is not None:
            said.append(f"{len(self.points)} points")
        for place in _PLACES.values():
            arrays = getattr(self, place)
            if arrays:
                said.append(f"{place} {', '.join(arrays)}")
        return f"<pvlink Dataset: {'; '.join(said)}>"


# -- facts and arrays to what a user is given ----------------------------------------------------------


def dataset(facts: Facts, arrays: list[Array]) -> Any:
    """A Dataset; a table of pandas'; a dict of those of a dataset with blocks."""
    kind = facts["kind"]
    if kind in _TREES:
        return _tree(facts, lambda block: dataset(block, arrays))
    if kind == "table":
        return _frame(facts, arrays)
    if kind == "serialized":
        raise DataError(
            f"pvlink.fetch has no shape in numpy for a {facts['class']}. Turn it into another kind with a filter "
            "of ParaView's first, and fetch that."
        )
    places: dict[str, Any] = {name: {} for name in _PLACES.values()}
    for entry in facts["arrays"]:
        places[_PLACES[entry["at"]]][entry["name"]] = _values(facts, entry, arrays)
    return Dataset(kind, **_geometry(facts, arrays), **places)


def array(facts: Facts, arrays: list[Array]) -> Any:
    """The one array that was asked for; a dict of them for a dataset with blocks."""
    if facts["kind"] in _TREES:
        found = _tree(facts, lambda block: array(block, arrays))
        return {name: one for name, one in found.items() if one is not None and not (isinstance(one, dict) and not one)}
    entries = facts.get("arrays", [])
    return _values(facts, entries[0], arrays) if entries else None


def _tree(facts: Facts, read: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, (name, block) in enumerate(facts["blocks"]):
        key = name if name and name not in found else f"{name or 'block'}_{number}"
        found[key] = None if block is None else read(block)
    return found


def _values(facts: Facts, entry: Facts, arrays: list[Array]) -> Any:
    if "text" in entry:
        data, offsets = (arrays[number] for number in entry["text"])
        raw, ends = data.tobytes(), offsets.tolist()
        texts = [raw[a:b].decode("utf-8", "replace") for a, b in itertools.pairwise(ends)]
        return np.array(texts, dtype=object)
    found = arrays[entry["array"]]
    components = entry["components"]
    more = (components,) if components != 1 else ()
    if facts["kind"] in _GRIDS and entry["at"] in ("points", "cells"):
        less = int(entry["at"] == "cells")
        shape = tuple(max(side - less, 1) for side in reversed(facts["dimensions"])) + more
        # A dataset without points has arrays without values.
        return found.reshape(shape) if found.size == np.prod(shape) else found
    return found.reshape((-1, *more)) if found.size else found


def _geometry(facts: Facts, arrays: list[Array]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in ("dimensions", "spacing", "origin"):
        if key in facts:
            found[key] = tuple(facts[key])
    if "direction" in facts:
        found["direction"] = np.array(facts["direction"], "f8").reshape(3, 3)
    if "coordinates" in facts:
        found["coordinates"] = tuple(arrays[number] for number in facts["coordinates"])
    if "points" in facts:
        points = arrays[facts["points"]].reshape(-1, 3)
        grid = facts["kind"] == "structured" and points.size
        found["points"] = points.reshape((*reversed(facts["dimensions"]), 3)) if grid else points
    found["cells"] = {name: arrays[number] for name, number in _cell_arrays(facts).items()}
    return found


def _cell_arrays(facts: Facts) -> dict[str, int]:
    named: dict[str, int] = {}
    if "cells" in facts:
        named |= zip(("offsets", "connectivity", "types"), facts["cells"], strict=True)
    for key in (*_SURFACE, "faces", "face_locations"):
        if key in facts:
            named |= zip((f"{key}_offsets", f"{key}_connectivity"), facts[key], strict=True)
    return named


def _frame(facts: Facts, arrays: list[Array]) -> Any:
    named = {entry["name"]: entry for entry in facts["arrays"] if entry["at"] == "rows"}
    found = {name: _values(facts, entry, arrays) for name, entry in named.items()}
    if importlib.util.find_spec("pandas") is None:
        return found
    pandas = importlib.import_module("pandas")
    flat: dict[str, Any] = {}
    for name, values in found.items():
        if values.ndim == 1:
            flat[name] = values
        else:
            flat |= {f"{name}_{number}": values[:, number] for number in range(values.shape[1])}
    # What VTK's own tables may be: columns of different lengths.
    if len({len(values) for values in flat.values()}) > 1:
        return found
    return pandas.DataFrame(flat, copy=False)


# -- a Dataset, packed again ---------------------------------------------------------------------------


def is_one(obj: Any) -> bool:
    return isinstance(obj, Dataset)


def pack(obj: Dataset, cargo: Cargo, options: Options) -> None:
    options.refuse_grid("a Dataset")
    facts = cargo.facts
    facts["kind"] = obj.kind
    for key in ("dimensions", "spacing", "origin"):
        if getattr(obj, key) is not None:
            facts[key] = list(getattr(obj, key))
    if obj.direction is not None:
        facts["direction"] = [float(value) for value in obj.direction.ravel()]
    if obj.coordinates is not None:
        facts["coordinates"] = [cargo.add(axis) for axis in obj.coordinates]
    if obj.points is not None:
        facts["points"] = cargo.add(obj.points)
    if "types" in obj.cells:
        facts["cells"] = [cargo.add(obj.cells[name]) for name in ("offsets", "connectivity", "types")]
    for key in (*_SURFACE, "faces", "face_locations"):
        if f"{key}_offsets" in obj.cells:
            facts[key] = [cargo.add(obj.cells[f"{key}_{part}"]) for part in ("offsets", "connectivity")]
    places: tuple[tuple[manifest.Place, dict[str, Any]], ...] = (
        ("points", obj.point_data),
        ("cells", obj.cell_data),
        ("field", obj.field_data),
    )
    for at, named in places:
        for name, values in named.items():
            _pack_values(obj, cargo, at, name, values)


def _pack_values(obj: Dataset, cargo: Cargo, at: manifest.Place, name: str, values: Any) -> None:
    if values.dtype.kind in "OUS":
        return
    axes = 3 if obj.kind in _GRIDS and at != "field" else 1
    cargo.numbers(at, name, values, int(np.prod(values.shape[axes:], dtype=int)))
