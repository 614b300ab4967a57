"""What waits to be sent to one viewer: answers in order, the newest state, one frame."""

from __future__ import annotations

import asyncio
from collections import deque

# Answers that a viewer has not taken. Above it nothing is dropped: it asks and does not read, so it is cut off.
MAX_REPLIES = 256


class Outbox:
    """Filled without waiting, emptied by one writer. Words go before pictures."""

    def __init__(self) -> None:
        self._replies: deque[bytes] = deque()
        self._state: bytes | None = None
        self._frame: bytes | None = None
        self._wake = asyncio.Event()

    @property
    def has_words(self) -> bool:
        return bool(self._replies) or self._state is not None

    def reply(self, message: bytes) -> bool:
        """False if there are too many already."""
        if len(self._replies) >= MAX_REPLIES:
            return False
        self._replies.append(message)
        self._wake.set()
        return True

    def state(self, message: bytes) -> None:
        """Replaces a state that is still here."""
        self._state = message
        self._wake.set()

    def frame(self, message: bytes) -> None:
        """Replaces a frame that is still here."""
        self._frame = message
        self._wake.set()

    async def next(self) -> tuple[bytes, bool]:
        """What to send now, and whether it is a frame."""
        while True:
            if self._replies:
                return self._replies.popleft(), False
            if self._state is not None:
                message, self._state = self._state, None
                return message, False
            if self._frame is not None:
                message, self._frame = self._frame, None
                return message, True
            self._wake.clear()
            await self._wake.wait()
