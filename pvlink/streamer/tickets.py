"""Tickets: leave to open one websocket, once, soon; and the proofs by which both sides show that they hold one.

The key of a ticket goes to its holder over HTTP, where Jupyter or a password stood in front; over the websocket go
only its name, two nonces and two proofs. Pure: no clock, no socket; only the randomness comes from outside.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Literal

from pvlink.protocol import TICKET_SECONDS, Grant, Role, Way

# Whose tickets are good at the door of each way: the kernel's messages end at the same socket as Jupyter's relay.
_WELCOME: dict[Way, tuple[Way, ...]] = {"jupyter": ("jupyter", "comm"), "link": ("link",), "direct": ("direct",)}

# Given out and not yet used. A page that reconnects takes one each time; above it the door asks to wait.
MAX_WAITING = 512
# Of one shared link: a colleague's broken page must not use up everybody's.
MAX_WAITING_OF_LINK = 64

Side = Literal["streamer", "viewer"]


class TooManyTickets(Exception):
    """More were asked for than were used."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Who comes in: to which view, as what, how, and as whom the owner sees it."""

    view: str
    role: Role
    way: Way
    who: str = ""
    # The share it comes by.
    share: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    name: str
    key: str
    guest: Guest
    expires: float


class Tickets:
    """Those given out and not used yet, the oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[str, Ticket] = {}

    def issue(self, guest: Guest, now: float, name: str = "", key: str = "") -> Grant:
        """A new ticket; with name and key if its holder has thrown them, and then its name must be new."""
        self._forget_old(now)
        of_link = sum(ticket.guest.share == guest.share for ticket in self._waiting.values()) if guest.share else 0
        if len(self._waiting) >= MAX_WAITING or of_link >= MAX_WAITING_OF_LINK:
            raise TooManyTickets
        if name in self._waiting:
            raise TooManyTickets
        name, key = name or secrets.token_urlsafe(16), key or secrets.token_urlsafe(32)
        ticket = Ticket(name, key, guest, now + TICKET_SECONDS)
        self._waiting[ticket.name] = ticket
        return Grant(ticket.name, ticket.key, guest.view, guest.role)

    def redeem(self, name: str, way: Way, now: float) -> Ticket | None:
        """The ticket of this name, if it is good at this door; it is used up by asking."""
        self._forget_old(now)
        ticket = self._waiting.pop(name, None)
        return ticket if ticket is not None and ticket.guest.way in _WELCOME[way] else None

    def forget_share(self, share: str) -> None:
        """What was given out for a share that is no more."""
        self._waiting = {name: ticket for name, ticket in self._waiting.items() if ticket.guest.share != share}

    def _forget_old(self, now: float) -> None:
        while self._waiting and next(iter(self._waiting.values())).expires <= now:
            del self._waiting[next(iter(self._waiting))]


def nonce() -> str:
    return secrets.token_urlsafe(24)


def proof(side: Side, ticket: Ticket, viewer_nonce: str, streamer_nonce: str) -> str:
    """What `side` shows to the other; nobody else can make it, and no other side or connection can use it."""
    said = "\n".join((f"pvlink {side}", ticket.name, viewer_nonce, streamer_nonce))
    return hmac.digest(ticket.key.encode(), said.encode(), "sha256").hex()


def proves(shown: object, expected: str) -> bool:
    """Whether a foreign value is the expected proof; takes as long for a near miss as for a far one."""
    return isinstance(shown, str) and hmac.compare_digest(shown.encode("utf-8", "replace"), expected.encode())
