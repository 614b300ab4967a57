"""Shared memory that frames are read back into, and that the streamer encodes from."""

from __future__ import annotations

import mmap
import os
from typing import Any

import numpy
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

# One slot is being rendered into, one is being encoded, one is kept as the newest picture.
SLOTS = 3


class FramePool:
    """A few slots of one size. The memory has no name, so it is gone when both sides have let go of it."""

    def __init__(self, number: int, width: int, height: int) -> None:
        self.number = number
        self.slots = SLOTS
        self.width, self.height = width, height
        self._bytes = width * height * 4
        self.fd = os.memfd_create("pvlink-frames")
        os.ftruncate(self.fd, self._bytes * SLOTS)
        self._memory = mmap.mmap(self.fd, self._bytes * SLOTS)
        self._pixels = [numpy.frombuffer(self._memory, numpy.uint8, self._bytes, i * self._bytes) for i in range(SLOTS)]
        self._free = list(range(SLOTS))

    def take(self) -> int | None:
        """A free slot, or none: then the streamer is behind and nothing should be rendered."""
        return self._free.pop() if self._free else None

    @property
    def has_free(self) -> bool:
        return bool(self._free)

    def free(self, slot: int) -> None:
        if 0 <= slot < SLOTS and slot not in self._free:
            self._free.append(slot)

    def read(self, window: Any, slot: int, width: int, height: int) -> None:
        """Copy what the window shows into the slot, bottom row first; it may be smaller than the slot.

        A VTK array that is the memory: reading back into it is the only copy (0.3 ms at 1080p). One of another length
        would be given memory of its own by VTK, without a word.
        """
        size = width * height * 4
        array = vtkUnsignedCharArray()
        array.SetNumberOfComponents(4)
        array.SetVoidArray(self._pixels[slot][:size], size, 1)
        window.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, array, 0)

    def close(self) -> None:
        os.close(self.fd)
