"""VTK and PyVista: a dataset of this kernel's own VTK, which is needed only when one is given."""

from __future__ import annotations

from typing import Any

from pvlink.cargo.library import is_of
from pvlink.cargo.manifest import Cargo, Options
from pvlink.errors import DataError


def is_one(obj: Any) -> bool:
    return is_of(obj, "vtkmodules", "vtkDataObject", "vtkAlgorithm")


def pack(obj: Any, cargo: Cargo, options: Options) -> None:
    # It imports VTK, which is there: this is one of its objects.
    from pvlink.engine.refusal import Refusal
    from pvlink.engine.sources import vtk_data
    from pvlink.engine.unpacked import Unpacked

    options.refuse_grid("a dataset")
    try:
        data = vtk_data(obj)
        found = Unpacked(data)
    except Refusal as error:
        raise DataError(str(error)) from None
    if _is_empty(data):
        raise DataError(f"The {data.GetClassName()} is empty: there is nothing to show.")
    cargo.facts, cargo.arrays = found.facts, found.arrays


def _is_empty(data: Any) -> bool:
    counts = (f"GetNumberOf{what}" for what in ("Points", "Rows", "Blocks"))
    return any(getattr(data, count)() == 0 for count in counts if hasattr(data, count))
