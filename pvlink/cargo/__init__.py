"""FAMILY: what an object of a user's is made of. A file for each kind of object, and one for the way back.

Each kind has `is_one(obj) -> bool`, which imports nothing, and `pack(obj, cargo, options) -> None`, which writes down
what VTK needs. Which library an object is of is told by the names of its classes: none of them is ever required.
"""

from __future__ import annotations

from typing import Any, Protocol

from pvlink.cargo import datasets, frames, grids, labelled, meshes, unpacked
from pvlink.cargo.manifest import Cargo, Options
from pvlink.cargo.unpacked import Dataset
from pvlink.errors import DataError

__all__ = ["Cargo", "Dataset", "Options", "pack"]


class Kind(Protocol):
    """One kind of object."""

    def is_one(self, obj: Any) -> bool: ...

    def pack(self, obj: Any, cargo: Cargo, options: Options) -> None: ...


# The first that knows an object takes it: numbers of any kind are last.
_KINDS: tuple[Kind, ...] = (datasets, unpacked, labelled, frames, meshes, grids)


def pack(obj: Any, options: Options) -> Cargo:
    """What an object is made of. Raises DataError."""
    for kind in _KINDS:
        if kind.is_one(obj):
            cargo = Cargo()
            kind.pack(obj, cargo, options)
            return cargo
    raise DataError(
        f"pvlink.put cannot take a {type(obj).__module__}.{type(obj).__qualname__}. It takes numpy arrays, dicts of "
        "them, xarray's DataArray and Dataset, pandas' DataFrame and Series, meshio's Mesh, datasets of VTK and "
        "PyVista, and what pvlink.fetch gives."
    )
