"""What waits to be sent to one viewer: answers in order, the newest of each kind of news, one frame."""

from __future__ import annotations

import asyncio
from collections import deque

# Answers that a viewer has not taken. Above it nothing is dropped: it asks and does not read, so it is cut off.
MAX_REPLIES = 256


class Outbox:
    """Filled without waiting, emptied by one writer. Words go before pictures."""

    def __init__(self) -> None:
        self._replies: deque[bytes] = deque()
        # By topic: a state, the people.
        self._news: dict[str, bytes] = {}
        self._frame: bytes | None = None
        self._wake = asyncio.Event()

    @property
    def has_words(self) -> bool:
        return bool(self._replies or self._news)

    def reply(self, message: bytes) -> bool:
        """False if there are too many already."""
        if len(self._replies) >= MAX_REPLIES:
            return False
        self._replies.append(message)
        self._wake.set()
        return True

    def news(self, topic: str, message: bytes) -> None:
        """Replaces what is still here of the same topic."""
        self._news[topic] = message
        self._wake.set()

    def frame(self, message: bytes) -> None:
        """Replaces a frame that is still here."""
        self._frame = message
        self._wake.set()

    def word(self) -> bytes | None:
        """What goes before a picture; none if nothing does."""
        if self._replies:
            return self._replies.popleft()
        if self._news:
            return self._news.pop(next(iter(self._news)))
        return None

    async def next(self) -> tuple[bytes, bool]:
        """What to send now, and whether it is a frame."""
        while True:
            if (word := self.word()) is not None:
                return word, False
            if self._frame is not None:
                message, self._frame = self._frame, None
                return message, True
            self._wake.clear()
            await self._wake.wait()
