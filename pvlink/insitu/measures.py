"""Numbers of a simulation's arrays, over all of its ranks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy
from vtkmodules.util.numpy_support import vtk_to_numpy

from pvlink.insitu.conditions import Quantity
from pvlink.insitu.ranks import Ranks

GHOSTS = "vtkGhostType"
# Of what belongs to another rank, or counts for nothing: duplicated and hidden, of points and cells alike.
NOT_OURS = 1 | 2 | 32


def measured(wanted: set[Quantity], grids: Mapping[str, Any], ranks: Ranks) -> dict[str, float]:
    """By `str(quantity)`; those whose array no rank has are not in it. Every rank has to ask for the same."""
    names = sorted({quantity.array for quantity in wanted})
    if not names:
        return {}
    lowest, highest, sums = [], [], []
    for name in names:
        low, high, count, total, squares = math.inf, -math.inf, 0.0, 0.0, 0.0
        for numbers in _arrays(name, grids):
            if len(numbers):
                # A NaN anywhere is the news: it shows in each of these.
                low = float(numpy.minimum(low, numbers.min()))
                high = float(numpy.maximum(high, numbers.max()))
                count += len(numbers)
                total += float(numbers.sum(dtype=numpy.float64))
                squares += float(numpy.square(numbers, dtype=numpy.float64).sum())
        lowest.append(low)
        highest.append(high)
        sums += [count, total, squares]
    lows = ranks.gather(numpy.array(lowest), "min")
    highs = ranks.gather(numpy.array(highest), "max")
    all_sums = ranks.gather(numpy.array(sums), "sum").reshape(-1, 3)
    found = {}
    for i, name in enumerate(names):
        count, total, squares = all_sums[i]
        if not count:
            continue
        mean = total / count
        of = {
            "min": lows[i], "max": highs[i], "mean": mean, "sum": total,
            "std": numpy.sqrt(max(squares / count - mean * mean, 0.0)) if squares == squares else numpy.nan,
        }  # fmt: skip
        found.update({str(q): float(of[q.measure]) for q in wanted if q.array == name})
    return found


def _arrays(name: str, grids: Mapping[str, Any]) -> Iterator[numpy.ndarray[Any, Any]]:
    """Of that name in all that this rank has; of a vector its length. Points before cells, and not both."""
    for grid in grids.values():
        for part in _parts(grid):
            for data in (part.GetPointData(), part.GetCellData()):
                array = data.GetArray(name)
                if array is not None:
                    yield _counted(vtk_to_numpy(array), data.GetArray(GHOSTS))
                    break


def _counted(numbers: Any, ghosts: Any) -> Any:
    if numbers.ndim == 2:
        numbers = numpy.linalg.norm(numbers.astype(numpy.float64, copy=False), axis=1)
    return numbers if ghosts is None else numbers[(vtk_to_numpy(ghosts) & NOT_OURS) == 0]


def _parts(grid: Any) -> Iterator[Any]:
    if grid is None:
        return
    if hasattr(grid, "NewIterator"):
        walk = grid.NewIterator()
        walk.InitTraversal()
        while not walk.IsDoneWithTraversal():
            yield walk.GetCurrentDataObject()
            walk.GoToNextItem()
    elif hasattr(grid, "GetPointData"):
        yield grid
