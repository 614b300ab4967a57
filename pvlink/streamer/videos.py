"""Videos: each frame needs the one before it.

So a video is dropped before it is encoded, never after: a frame is encoded for those viewers that can take it, and each
of them gets it. A viewer that could not has lost its place in the video, and the next frame that it takes is one that
needs no other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic

from pvlink.streamer.acts import Content, Picture
from pvlink.streamer.clients import Client
from pvlink.streamer.forms import Form

# A viewer that has not taken the last frame of a video holds up the others for so long; then it loses its place.
LAG_SECONDS = 0.1
# Frames that need no other are big: viewers that have lost their place get no more of them than one in so many seconds,
# as long as others have kept theirs.
KEY_SECONDS = 0.5


@dataclass(eq=False, slots=True)
class Video(Generic[Content]):
    """One form's video of a view, and who is at which place of it."""

    form: Form
    # The newest frame that was encoded.
    picture: Picture[Content] | None = None
    # How many were: one and the same picture may be encoded twice.
    count: int = 0
    running: bool = False
    # For whom the newest frame was or is being encoded, and who has not got it yet.
    booked: list[Client] = field(default_factory=list)
    _key_at: float = float("-inf")
    # Since when somebody could have had the frame that others are waited for.
    _waiting_since: float | None = None

    @property
    def place(self) -> tuple[Form, int]:
        return self.form, self.count

    @property
    def wake_at(self) -> float | None:
        return None if self._waiting_since is None else self._waiting_since + LAG_SECONDS

    def has(self, order: int) -> bool:
        return self.picture is not None and self.picture.order == order

    def encoded(self, picture: Picture[Content]) -> None:
        self.picture = picture
        self.count += 1

    def book(self, order: int, wanting: list[Client], now: float) -> bool | None:
        """Begin with the frame of this number, for those of the viewers that can take it; none: not now.

        Answers whether it has to be one that needs no other.
        """
        if self.running or self.booked:
            return None
        ready = [client for client in wanting if client.ready]
        kept = [client for client in ready if client.place == self.place]
        if kept and now < self._key_at + KEY_SECONDS:
            ready = kept
        late = any(client.place == self.place for client in wanting if not client.ready)
        # The others have this one already: whoever has lost the place takes the next, which will be here in a moment.
        if not ready or ((late or self.has(order)) and self._waits(now)):
            if not ready:
                self._waiting_since = None
            return None
        self._waiting_since = None
        key = len(kept) < len(ready)
        if key:
            self._key_at = now
        self.running, self.booked = True, ready
        for client in ready:
            client.booked = True
        return key

    def _waits(self, now: float) -> bool:
        self._waiting_since = now if self._waiting_since is None else self._waiting_since
        return now < self._waiting_since + LAG_SECONDS

    def receivers(self) -> list[Client]:
        """Those of the booked that can be handed the frame now."""
        return [] if self.running else list(self.booked)

    def release(self, client: Client) -> None:
        """It is handed the frame, or does not want it any more."""
        client.booked = False
        self.booked.remove(client)
