"""What an object is made of: plain facts, and the arrays they name by number (docs/wire.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from pvlink.cargo import values
from pvlink.errors import OptionError

Facts = dict[str, Any]
Array = np.ndarray[Any, np.dtype[Any]]
Place = Literal["points", "cells", "rows", "field"]
# VTK's number for the array that gives colours when nobody says which.
SCALARS = 0
# What VTK does not draw, by its numbers.
HIDDEN = {"points": 2, "cells": 32}
GHOSTS = "vtkGhostType"


@dataclass(frozen=True)
class Options:
    """What the caller of `put` has said."""

    name: str
    spacing: tuple[float, ...] | None = None
    origin: tuple[float, ...] | None = None
    # Whether the last axis is the components of a vector; none: as the number of axes says.
    vector: bool | None = None
    at: Literal["points", "cells"] = "points"

    def refuse_grid(self, what: str) -> None:
        """An object that has a geometry of its own takes no other."""
        given = {"spacing": self.spacing, "origin": self.origin}
        for name, value in given.items():
            if value is not None:
                raise OptionError(f"pvlink.put: {name}= is for plain arrays; {what} says itself where its points are.")


@dataclass
class Cargo:
    """Facts about the object, and its arrays: as they lie in the user's memory, wherever that can be."""

    facts: Facts = field(default_factory=dict)
    arrays: list[Array] = field(default_factory=list)

    def add(self, array: Array) -> int:
        """The number of an array."""
        self.arrays.append(array)
        return len(self.arrays) - 1

    def numbers(self, at: Place, name: str, array: Any, components: int = 1) -> None:
        """An array of values, one row of `components` for each point, cell or row. Raises DataError."""
        plain, hidden = values.plain(array, name)
        if np.iscomplexobj(array):
            components *= 2
        self._entry(at, name, array=self.add(plain), components=components)
        if hidden is not None:
            self._hide(at, np.asarray(hidden.reshape(-1, components).any(1)))

    def text(self, at: Place, name: str, texts: list[str]) -> None:
        """An array of texts."""
        encoded = [text.encode("utf-8", "surrogateescape") for text in texts]
        offsets = np.zeros(len(encoded) + 1, "i8")
        np.cumsum([len(text) for text in encoded], out=offsets[1:])
        self._entry(at, name, text=[self.add(np.frombuffer(b"".join(encoded), "u1")), self.add(offsets)])

    def _entry(self, at: Place, name: str, **what: Any) -> None:
        entries = self.facts.setdefault("arrays", [])
        first = at in ("points", "cells") and not any(entry["at"] == at for entry in entries)
        entries.append({"at": at, "name": name, "roles": [SCALARS] if first and "array" in what else [], **what})

    def _hide(self, at: Place, hidden: Array) -> None:
        """Points or cells that are not to be drawn, besides those that others hide."""
        if at not in HIDDEN:
            return
        self._add_ghosts(at, np.where(hidden, HIDDEN[at], 0).astype("u1"))
        if at == "points" and "dimensions" in self.facts:
            # What draws surfaces looks at the cells only.
            corners = hidden.reshape(tuple(reversed(self.facts["dimensions"])))
            self._hide("cells", _touched(corners).reshape(-1))

    def _add_ghosts(self, at: Place, ghosts: Array) -> None:
        for entry in self.facts["arrays"]:
            if (entry["at"], entry["name"]) == (at, GHOSTS):
                self.arrays[entry["array"]] |= ghosts
                return
        self.facts["arrays"].append({"at": at, "name": GHOSTS, "roles": [], "array": self.add(ghosts), "components": 1})


def _touched(corners: Array) -> Array:
    """The cells of a grid that have one of these points for a corner."""
    for axis in range(corners.ndim):
        if corners.shape[axis] > 1:
            ends = [slice(None)] * corners.ndim, [slice(None)] * corners.ndim
            ends[0][axis], ends[1][axis] = slice(None, -1), slice(1, None)
            corners = corners[tuple(ends[0])] | corners[tuple(ends[1])]
    return corners
