"""The engine's memory, read where it lies: pools of slots in memfds, never copied."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from pvlink.protocol import MAX_SIDE, Camera

# Enough for any engine; a number from a confused one must not map the whole address space.
MAX_SLOTS = 16


class FrameFacts(Struct, tag_field="op", tag="frame"):
    """What the engine says about a frame."""

    view: str
    pool: int
    slot: int
    frame: int
    full: bool
    time: float
    # A chart has none.
    camera: Camera | None = None
    inputs: dict[str, int] = {}
    render_ms: float = 0.0
    readback_ms: float = 0.0
    # Of the picture, which fills only a part of its slot if it is a smaller one; 0: as the slot.
    width: int = 0
    height: int = 0


@dataclass(eq=False, slots=True, frozen=True)
class Shot:
    """A frame in shared memory. Its slot stays as it is until `free` is called."""

    facts: FrameFacts
    # Keeps the mapping alive by itself, also when the engine has gone or has moved to another pool.
    pixels: npt.NDArray[np.uint8]
    free: Callable[[], None]

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


@dataclass(slots=True)
class _Pool:
    number: int
    width: int
    height: int
    slots: int
    memory: mmap.mmap


@dataclass(slots=True)
class Pools:
    """The current pool of each view. A former one is unmapped when its last picture is dropped."""

    _pools: dict[str, _Pool] = field(default_factory=dict)

    def open(self, view: str, number: int, width: int, height: int, slots: int, fd: int) -> None:
        """Maps a pool; the descriptor is closed in any case."""
        try:
            if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE and 1 <= slots <= MAX_SLOTS):
                message = f"a pool of {slots} slots of {width} x {height} is out of bounds"
                raise ValueError(message)
            size = width * height * 4 * slots
            # Reading past the end of a memfd is a SIGBUS.
            if os.fstat(fd).st_size < size:
                message = f"the pool has {os.fstat(fd).st_size} bytes, {size} are needed"
                raise ValueError(message)
            memory = mmap.mmap(fd, size, access=mmap.ACCESS_READ)
        finally:
            os.close(fd)
        self._pools[view] = _Pool(number, width, height, slots, memory)

    def shot(self, facts: FrameFacts, free: Callable[[], None]) -> Shot:
        pool = self._pools.get(facts.view)
        if pool is None or pool.number != facts.pool or not 0 <= facts.slot < pool.slots:
            message = f"no slot {facts.slot} in pool {facts.pool} of view {facts.view}"
            raise ValueError(message)
        width, height = facts.width or pool.width, facts.height or pool.height
        if not (1 <= width <= pool.width and 1 <= height <= pool.height):
            message = f"a picture of {width} x {height} in a slot of {pool.width} x {pool.height}"
            raise ValueError(message)
        start = facts.slot * pool.width * pool.height * 4
        flat = np.frombuffer(pool.memory, np.uint8, width * height * 4, start)
        return Shot(facts, flat.reshape(height, width, 4), free)

    def close(self, view: str) -> None:
        self._pools.pop(view, None)
