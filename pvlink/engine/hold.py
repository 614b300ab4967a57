"""A file in memory that holds the arrays of one put or fetch, one after the other.

Each begins at a multiple of 64 bytes. Writing goes through `pwrite`: it takes half the time of writing to a mapping of
new memory, and says so when there is none left, where a mapping ends the process.
"""

from __future__ import annotations

import mmap
import os
from typing import Any

import numpy

ALIGNMENT = 64
# What an array that does not lie in one piece is brought into order by, at a time.
PIECE = 4 << 20
# Kind of number, shape, and where it begins.
Layout = list[tuple[str, tuple[int, ...], int]]


def write(fd: int, arrays: list[Any]) -> Layout:
    """Copy the arrays in, once."""
    layout, end = [], 0
    for array in arrays:
        begin = -(-end // ALIGNMENT) * ALIGNMENT
        layout.append((array.dtype.newbyteorder("=").str, tuple(array.shape), begin))
        end = begin + array.nbytes
        if array.flags.c_contiguous and array.dtype.isnative:
            _write(fd, array, begin)
        else:
            _write_pieces(fd, array, begin)
    os.ftruncate(fd, end)
    return layout


def _write(fd: int, array: Any, begin: int) -> None:
    if array.nbytes:
        left = memoryview(array.reshape(-1).view("u1"))
        while left:
            done = os.pwrite(fd, left, begin)
            begin, left = begin + done, left[done:]


def _write_pieces(fd: int, array: Any, begin: int) -> None:
    """In C order, whatever order it has, without a second copy of it all."""
    pieces = numpy.nditer(
        [array],
        ["external_loop", "buffered", "zerosize_ok"],
        [["readonly"]],
        [array.dtype.newbyteorder("=")],
        order="C",
        casting="equiv",
        buffersize=max(PIECE // array.itemsize, 1),
    )
    with pieces:
        for piece in pieces:
            values: Any = piece
            _write(fd, numpy.ascontiguousarray(values), begin)
            begin += values.nbytes


def read(fd: int, layout: Layout, access: int) -> list[Any]:
    """The arrays, on a mapping that goes when the last of them does. Closes the file."""
    try:
        size = os.fstat(fd).st_size
        mapped = mmap.mmap(fd, size, access=access) if size else bytearray()
    finally:
        os.close(fd)
    return [numpy.ndarray(shape, kind, mapped, begin if size else 0) for kind, shape, begin in layout]
