"""A file in memory that holds the arrays of one put or fetch, one after the other.

Each begins at a multiple of 64 bytes. Writing goes through `pwrite`: it takes half the time of writing to a mapping of
new memory, and says so when there is none left, where a mapping ends the process.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref
from typing import Any

import numpy

ALIGNMENT = 64
# What an array that does not lie in one piece is brought into order by, at a time.
PIECE = 4 << 20
# Kind of number, shape, and where it begins.
Layout = list[tuple[str, tuple[int, ...], int]]

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_LIBC.mmap.restype = ctypes.c_void_p
_LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_FAILED = ctypes.c_void_p(-1).value


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


def read(fd: int, layout: Layout) -> list[Any]:
    """The arrays, on a mapping that goes when the last of them does. Closes the file.

    What is written to them is seen by nobody else, and takes memory of this process' own.
    """
    try:
        size = os.fstat(fd).st_size
        mapped = _mapped(fd, size) if size else bytearray()
    finally:
        os.close(fd)
    return [numpy.ndarray(shape, kind, mapped, begin if size else 0) for kind, shape, begin in layout]


def _mapped(fd: int, size: int) -> Any:
    # Python's own mmap keeps a descriptor open for each, and a process has a thousand.
    address = _LIBC.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE, fd, 0)
    if address in (None, _FAILED):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    memory = (ctypes.c_ubyte * size).from_address(address)
    # At the end of the process the system does it, after everybody else's last look.
    weakref.finalize(memory, _LIBC.munmap, address, size).atexit = False
    return memory
