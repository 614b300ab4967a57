"""What the doors and the link know of whoever receives what viewers say."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from pvlink.protocol import Way
from pvlink.streamer.tickets import Guest, Ticket


class Refused(Exception):
    """What the viewer asked is not possible; the sentence is for its user."""


class Receiver(Protocol):
    """Who lets viewers in and gets what they say. Every method returns at once."""

    def redeem(self, ticket: str, way: Way) -> Ticket | None: ...
    def on_entered(self, client: str, guest: Guest) -> bool: ...
    def on_call(self, client: str, argument: Struct) -> Struct | None: ...
    def on_written(self, client: str, milliseconds: float) -> None: ...
    def on_closed(self, client: str) -> None: ...
