"""Data of a server with several ranks, each of which holds a piece: brought here, and put together.

ParaView's `Fetch` puts surfaces together. Of a grid that is spread over the ranks it brings the first rank's part, and
says nothing of the rest; a tree of blocks becomes another tree. So all is fetched rank by rank, and joined here: grids
by their extents, trees leaf by leaf. What a rank has of its neighbours' (ghosts) is there once.
"""

from __future__ import annotations

from typing import Any

import numpy
from paraview import servermanager
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkDataSetAttributes
from vtkmodules.vtkFiltersCore import vtkAppendFilter, vtkAppendPolyData

from pvlink.engine.refusal import Refusal

GHOSTS = "vtkGhostType"
# A point or a cell that another piece has, too.
DUPLICATE = vtkDataSetAttributes.DUPLICATEPOINT


def fetched(source: Any, port: int) -> Any:
    """All that a source on a server holds."""
    ranks = int(servermanager.ActiveConnection.GetNumberOfDataPartitions())
    if ranks == 1:
        return servermanager.Fetch(source, idx=port)
    return joined([servermanager.Fetch(source, rank, idx=port) for rank in range(ranks)])


def joined(pieces: list[Any]) -> Any:
    """One data object of the pieces of one. Raises Refusal."""
    there = [piece for piece in pieces if piece is not None]
    filled = [piece for piece in there if not _is_empty(piece)]
    if len(filled) < 2:
        return (filled or there)[0]
    join = next((join for kind, join in _JOINS if filled[0].IsA(kind)), None)
    if join is None:
        raise Refusal(
            f"a {filled[0].GetClassName()} over {len(pieces)} ranks cannot be brought here as it is: fetch what "
            "MergeBlocks, or another filter, makes of it"
        )
    return join(filled)


def _is_empty(piece: Any) -> bool:
    """A rank that has nothing of a tree still has the tree."""
    if piece.IsA("vtkTable"):
        return bool(piece.GetNumberOfRows() == 0)
    if piece.IsA("vtkDataSet"):
        return bool(piece.GetNumberOfPoints() == 0)
    return False


# -- grids -----------------------------------------------------------------------------------------------


def _grid(pieces: list[Any]) -> Any:
    first = pieces[0]
    extents = _extents(pieces)
    whole = [limit(one[axis] for one in extents) for axis, limit in enumerate((min, max) * 3)]
    made = first.NewInstance()
    made.UnRegister(None)
    made.SetExtent(whole)
    points, cells = _Places(whole, extents, 1), _Places(whole, extents, 0)
    if first.IsA("vtkImageData"):
        made.SetOrigin(first.GetOrigin())
        made.SetSpacing(first.GetSpacing())
        made.SetDirectionMatrix(first.GetDirectionMatrix())
    elif first.IsA("vtkRectilinearGrid"):
        for axis, name in enumerate("XYZ"):
            parts = [getattr(piece, f"Get{name}Coordinates")() for piece in pieces]
            getattr(made, f"Set{name}Coordinates")(_axis(parts, whole[2 * axis : 2 * axis + 2], extents, axis))
    else:
        coordinates = first.GetPoints().NewInstance()
        coordinates.UnRegister(None)
        coordinates.SetData(points.joined([piece.GetPoints().GetData() for piece in pieces], _ghosts(pieces, "Point")))
        made.SetPoints(coordinates)
    for place, name in ((points, "Point"), (cells, "Cell")):
        _attributes(made, pieces, place, name)
    made.GetFieldData().ShallowCopy(first.GetFieldData())
    return made


def _extents(pieces: list[Any]) -> list[Any]:
    """Where the pieces are. Within a tree they come without that, and each begins at 0: then it is told by the place in
    space.
    """
    extents = [piece.GetExtent() for piece in pieces]
    first = pieces[0]
    if first.IsA("vtkImageData"):
        spacing = numpy.array(first.GetSpacing())
        away = [(numpy.array(piece.GetOrigin()) - first.GetOrigin()) / spacing for piece in pieces]
        shifts = [numpy.rint(one).astype(int) for one in away]
        return [tuple(numpy.array(one) + numpy.repeat(shift, 2)) for one, shift in zip(extents, shifts)]
    if first.IsA("vtkRectilinearGrid"):
        whole = [numpy.unique(numpy.concatenate([_coordinates(piece, axis) for piece in pieces])) for axis in range(3)]
        found = []
        for piece in pieces:
            lows = [int(numpy.searchsorted(whole[axis], _coordinates(piece, axis)[0])) for axis in range(3)]
            found.append(tuple(low + add for low, size in zip(lows, piece.GetDimensions()) for add in (0, size - 1)))
        return found
    return extents


def _coordinates(piece: Any, axis: int) -> Any:
    return vtk_to_numpy(getattr(piece, f"Get{'XYZ'[axis]}Coordinates")())


class _Places:
    """Where the values of pieces are in the whole: points (`more` is 1), or cells between them."""

    def __init__(self, whole: list[int], extents: list[Any], more: int) -> None:
        # A grid that is flat in a direction still has one cell in it.
        def count(low: int, high: int) -> int:
            return high - low + 1 if more else max(1, high - low)

        self.shape = tuple(count(*whole[2 * axis : 2 * axis + 2]) for axis in (2, 1, 0))
        self._of = []
        for extent in extents:
            starts = [extent[2 * axis] - whole[2 * axis] for axis in (2, 1, 0)]
            sizes = [count(*extent[2 * axis : 2 * axis + 2]) for axis in (2, 1, 0)]
            self._of.append((tuple(slice(a, a + n) for a, n in zip(starts, sizes)), tuple(sizes)))

    def joined(self, arrays: list[Any], ghosts: list[Any]) -> Any:
        first = arrays[0]
        components = first.GetNumberOfComponents()
        values = [vtk_to_numpy(array) for array in arrays]
        made = numpy.zeros((*self.shape, components), values[0].dtype)
        known = numpy.zeros(self.shape, bool)
        for value, ghost, (place, sizes) in zip(values, ghosts, self._of):
            new = ~known[place]
            if ghost is not None:
                # What is a piece's own counts; what it has of a neighbour's, only until that comes.
                new |= (ghost.reshape(sizes) & DUPLICATE) == 0
            made[place][new] = value.reshape((*sizes, components))[new]
            known[place] = True
        if not known.all():
            raise Refusal("the ranks' pieces leave gaps in the grid: fetch what MergeBlocks makes of it")
        out = numpy_to_vtk(made.reshape(-1, components), deep=True, array_type=first.GetDataType())
        out.SetName(first.GetName())
        for component in range(components):
            if first.GetComponentName(component):
                out.SetComponentName(component, first.GetComponentName(component))
        return out


def _ghosts(pieces: list[Any], name: str) -> list[Any]:
    found = [getattr(piece, f"Get{name}Data")().GetArray(GHOSTS) for piece in pieces]
    return [None if one is None else vtk_to_numpy(one) for one in found]


def _axis(parts: list[Any], whole: list[int], extents: list[Any], axis: int) -> Any:
    values = [vtk_to_numpy(part) for part in parts]
    made = numpy.zeros(whole[1] - whole[0] + 1, values[0].dtype)
    for value, extent in zip(values, extents):
        made[extent[2 * axis] - whole[0] : extent[2 * axis + 1] - whole[0] + 1] = value
    return numpy_to_vtk(made, deep=True, array_type=parts[0].GetDataType())


def _attributes(made: Any, pieces: list[Any], places: _Places, name: str) -> None:
    tables = [getattr(piece, f"Get{name}Data")() for piece in pieces]
    into, first, ghosts = getattr(made, f"Get{name}Data")(), tables[0], _ghosts(pieces, name)
    for number in range(first.GetNumberOfArrays()):
        array = first.GetArrayName(number)
        found = [table.GetArray(array) if array else None for table in tables]
        if None in found:
            # Some pieces only, or text: nothing that belongs to the whole.
            continue
        whole = places.joined(found, ghosts)
        if array != GHOSTS:
            into.AddArray(whole)
        elif (vtk_to_numpy(whole) & ~DUPLICATE).any():
            # Hidden ones; duplicates there are none in the whole.
            into.AddArray(whole)
    for role in range(vtkDataSetAttributes.NUM_ATTRIBUTES):
        active = first.GetAbstractAttribute(role)
        if active is not None and active.GetName():
            into.SetActiveAttribute(active.GetName(), role)


# -- the rest --------------------------------------------------------------------------------------------


def _appended(pieces: list[Any]) -> Any:
    append = vtkAppendPolyData() if pieces[0].IsA("vtkPolyData") else vtkAppendFilter()
    for piece in pieces:
        alone = vtkAppendPolyData() if piece.IsA("vtkPolyData") else vtkAppendFilter()
        alone.AddInputData(piece)
        alone.Update()
        alone.GetOutput().RemoveGhostCells()
        append.AddInputData(alone.GetOutput())
    append.Update()
    made = append.GetOutput()
    for place in (made.GetPointData(), made.GetCellData()):
        place.RemoveArray(GHOSTS)
    return made


def _table(pieces: list[Any]) -> Any:
    """Rows one below the other."""
    first = pieces[0]
    made = first.NewInstance()
    made.UnRegister(None)
    for number in range(first.GetNumberOfColumns()):
        column = first.GetColumn(number)
        joint = column.NewInstance()
        joint.UnRegister(None)
        joint.SetName(column.GetName())
        joint.SetNumberOfComponents(column.GetNumberOfComponents())
        for piece in pieces:
            part = piece.GetColumnByName(column.GetName())
            if part is None:
                raise Refusal(f"not every rank has the column {column.GetName()!r}: the rows cannot be joined")
            joint.InsertTuples(joint.GetNumberOfTuples(), part.GetNumberOfTuples(), 0, part)
        made.AddColumn(joint)
    return made


def _tree(pieces: list[Any], below: str) -> Any:
    first = pieces[0]
    made = first.NewInstance()
    made.UnRegister(None)
    number_of = f"GetNumberOf{below}s"
    for number in range(max(getattr(piece, number_of)() for piece in pieces)):
        owners = [piece for piece in pieces if number < getattr(piece, number_of)()]
        found = [part for piece in owners if (part := getattr(piece, f"Get{below}")(number)) is not None]
        if found:
            curved = [part for part in found if part.IsA("vtkStructuredGrid") and part.GetNumberOfPoints()]
            # Of a curved grid nobody could say how its pieces lie to each other: its cells are right all the same.
            leaf = _appended(curved) if len(curved) > 1 else joined(found)
            getattr(made, f"Set{below}")(number, leaf)
        described = next((piece for piece in owners if piece.HasMetaData(number)), None)
        if described is not None:
            made.GetMetaData(number).Copy(described.GetMetaData(number), 1)
    return made


def _parts(pieces: list[Any]) -> Any:
    made = pieces[0].NewInstance()
    made.UnRegister(None)
    set_one, get_one, count = (
        ("SetPartition", "GetPartition", "GetNumberOfPartitions")
        if made.IsA("vtkPartitionedDataSet")
        else ("SetPiece", "GetPiece", "GetNumberOfPieces")
    )
    for piece in pieces:
        for number in range(getattr(piece, count)()):
            if (part := getattr(piece, get_one)(number)) is not None:
                getattr(made, set_one)(getattr(made, count)(), part)
    return made


# By what they are; a table of the kinds that are joined.
_JOINS = (
    ("vtkImageData", _grid),
    ("vtkRectilinearGrid", _grid),
    ("vtkStructuredGrid", _grid),
    ("vtkPolyData", _appended),
    ("vtkUnstructuredGrid", _appended),
    ("vtkTable", _table),
    ("vtkMultiBlockDataSet", lambda pieces: _tree(pieces, "Block")),
    ("vtkPartitionedDataSetCollection", lambda pieces: _tree(pieces, "PartitionedDataSet")),
    ("vtkPartitionedDataSet", _parts),
)
