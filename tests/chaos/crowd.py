"""Many viewers in one process: they look at what a frame says about itself, never at its picture."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from pvlink.protocol import Drawn
from tests.unit.streamer.harness import Viewer

HEADER = struct.Struct("<III")
FRAME = b"publish:pvlink.frame"
# A frame's facts come first, its picture last.
FACTS, PICTURE = b"\xa6result", b"\xa4data"


@dataclass(slots=True)
class Seen:
    """What is known of a frame that nobody looked at."""

    id: int
    codec: str
    still: bool
    encode_ms: float
    size: int
    at: float


class Onlooker(Viewer):
    """Takes frames and confirms them. Fifty of these cost less than one that decodes."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.seen: list[Seen] = []
        # The longest time without a word, or a piece of a picture.
        self.silence = 0.0
        self._heard = time.monotonic()
        # Frames that are still coming in, by wslink's number.
        self._coming: dict[int, Seen] = {}

    async def _skims(self, data: bytes) -> bool:
        now = time.monotonic()
        self.silence, self._heard = max(self.silence, now - self._heard), now
        number, offset, total = HEADER.unpack_from(data)
        if offset == 0 and FRAME in data[HEADER.size : HEADER.size + 64]:
            self._coming[number] = _facts(data, total)
        elif number not in self._coming:
            return False
        if offset + len(data) - HEADER.size == total:
            seen = self._coming.pop(number)
            seen.at = time.monotonic()
            self.seen.append(seen)
            if self.confirms:
                await self._confirm(seen.id)
        return True

    async def _confirm(self, order: int) -> None:
        arguments = [msgspec.to_builtins(Drawn(order, 1.0, 1.0))]
        await self.send({"wslink": "1.0", "id": "rpc:c0:d", "method": "pvlink.drawn", "args": arguments})

    @property
    def listens(self) -> bool:
        """Whether its line has not ended, as far as it knows."""
        return self._reader is not None and not self._reader.done()

    def since(self, moment: float) -> int:
        """How many different frames came since; the still of a frame that came before is no other."""
        return len({seen.id for seen in self.seen if seen.at >= moment})


def _facts(data: bytes, total: int) -> Seen:
    begin = data.index(FACTS) + len(FACTS)
    end = data.index(PICTURE, begin)
    # A map of one field less.
    facts: dict[str, Any] = msgspec.msgpack.decode(bytes([data[begin] - 1]) + data[begin + 1 : end])
    return Seen(facts["id"], facts["codec"], facts["still"], facts["encode_ms"], total, 0.0)


async def together(
    number: int, one: Callable[[], Awaitable[Onlooker]], at_once: int = 0
) -> tuple[list[Onlooker], list[float]]:
    """So many viewers, all at the same time (or `at_once` of them); how long each waited to be let in."""
    turn = asyncio.Semaphore(at_once or number)
    waited: list[float] = []

    async def come() -> Onlooker:
        async with turn:
            began = time.monotonic()
            viewer = await one()
            waited.append(time.monotonic() - began)
            return viewer

    return list(await asyncio.gather(*(come() for _ in range(number)))), waited


async def disperse(viewers: Sequence[Viewer]) -> None:
    await asyncio.gather(*(viewer.close() for viewer in viewers))


def share(times: Sequence[float], part: float) -> float:
    """The time that this part of all did not exceed."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def photographs(width: int, height: int) -> Callable[[int, int, int], npt.NDArray[np.uint8]]:
    """Pictures for the fake engine that are as hard to pack as a real scene, and cost nothing to make.

    Smooth shapes with some grain: 720p is about 100 KB of JPEG.
    """
    rows, columns = np.mgrid[0 : height + 64, 0:width].astype(np.float32)
    chance = np.random.default_rng(1)
    wide = np.empty((height + 64, width, 4), np.uint8)
    for channel in range(3):
        shapes = 120 + 90 * np.sin(columns / (37 + 9 * channel)) * np.cos(rows / (23 + 5 * channel))
        wide[..., channel] = np.clip(shapes + chance.normal(0, 6, shapes.shape), 0, 255)
    wide[..., 3] = 0

    def picture(number: int, wanted_width: int, wanted_height: int) -> npt.NDArray[np.uint8]:
        assert (wanted_width, wanted_height) == (width, height)
        return wide[number % 64 : number % 64 + height]

    return picture


def noise(width: int, height: int) -> Callable[[int, int, int], npt.NDArray[np.uint8]]:
    """The hardest picture there is: without loss it is as big as its pixels."""
    chance = np.random.default_rng(1)
    made = chance.integers(0, 256, (height, width, 4), np.uint8)

    def picture(_number: int, wanted_width: int, wanted_height: int) -> npt.NDArray[np.uint8]:
        assert (wanted_width, wanted_height) == (width, height)
        return made

    return picture
