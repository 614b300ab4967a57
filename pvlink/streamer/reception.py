"""Lets viewers in and knows who is there: tickets, shared links, and the doors they lead through."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from typing import Protocol

from pvlink import policy
from pvlink.protocol import CLOSE_REVOKED, Door, Grant, People, Person, Role, ShareInfo, Way
from pvlink.streamer import certificate
from pvlink.streamer.doors import DirectDoor, LinkDoor
from pvlink.streamer.link import Link
from pvlink.streamer.shares import Share, ShareError, Shares, UnknownShare
from pvlink.streamer.tickets import Guest, Ticket, Tickets

REVOKED = "The owner has stopped sharing this view."
EXPIRED = "The time of this link is over. Ask its owner for another."
# A year; whoever wants more wants a server.
LONGEST_SECONDS = 366 * 86400.0
# The more to the left the more a role may.
_RANKS: tuple[Role, ...] = ("owner", "control", "view")
log = logging.getLogger(__name__)


def lesser(one: Role, other: Role) -> Role:
    return max(one, other, key=_RANKS.index)


class Wish(Protocol):
    """What the kernel says about a link that is wanted."""

    @property
    def view(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def expires(self) -> float: ...
    @property
    def password(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def certificate(self) -> str: ...
    @property
    def key(self) -> str: ...


class Reception:
    """Everybody who is in has come past here."""

    def __init__(self, link: Link, role: Role, changed: Callable[[str], None]) -> None:
        """`role`: what those who come through Jupyter may be at most; `changed` hears whose people are others now."""
        self._link = link
        self._role = role
        self._changed = changed
        self._tickets = Tickets()
        self._shares = Shares()
        self._guests: dict[str, tuple[Guest, float]] = {}
        # By origin, each with what its links have in common.
        self._doors: dict[str, tuple[LinkDoor, tuple[str, str]]] = {}
        # The one for viewers that come straight to us, and what it was asked for with.
        self._direct: tuple[DirectDoor, Door, tuple[str, int, str]] | None = None
        self._opening = asyncio.Lock()
        self._alarm: asyncio.TimerHandle | None = None
        self._goodbyes: set[asyncio.Task[None]] = set()

    # Coming and going.

    def ticket_for_jupyter(self, view: str, role: Role, who: str) -> Grant:
        return self._tickets.issue(Guest(view, lesser(role, self._role), "jupyter", who), time.monotonic())

    def ticket_for_link(self, share: str, password: str, address: str) -> Grant:
        return self._tickets.issue(self._shares.knock(share, password, address, time.time()), time.monotonic())

    def ticket_for_browser(self, view: str, name: str, key: str, *, direct: bool) -> tuple[Role, Door | None]:
        """For the notebook's own user, whom only the kernel can hear; `name` and `key` were thrown by the browser."""
        door = self._direct[1] if direct and self._direct is not None else None
        way: Way = "comm" if door is None else "direct"
        grant = self._tickets.issue(Guest(view, self._role, way), time.monotonic(), name, key)
        return grant.role, door

    def redeem(self, ticket: str, way: Way) -> Ticket | None:
        found = self._tickets.redeem(ticket, way, time.monotonic())
        if found is None:
            log.warning("a ticket was shown at the %s door that is not good there", way)
        return found

    def entered(self, client: str, guest: Guest) -> bool:
        """False if its share has ended since it showed its ticket."""
        if guest.share and self._shares.get(guest.share) is None:
            return False
        self._guests[client] = (guest, time.time())
        self._changed(guest.view)
        return True

    def left(self, client: str) -> None:
        if found := self._guests.pop(client, None):
            self._changed(found[0].view)

    def guest(self, client: str) -> Guest | None:
        found = self._guests.get(client)
        return found[0] if found else None

    def people(self, view: str) -> People:
        viewers = [
            Person(client, guest.who, guest.role, guest.way, guest.share, since)
            for client, (guest, since) in self._guests.items()
            if guest.view == view
        ]
        return People(viewers, [share.info() for share in self._shares.of(view)])

    # Sharing.

    async def share(self, wish: Wish) -> tuple[ShareInfo, str, str]:
        """A new link, its password, and what else its owner should know."""
        if not wish.host:
            raise ShareError('host="" names no address. "0.0.0.0" stands for all of this machine\'s.')
        if not 1.0 <= wish.expires <= LONGEST_SECONDS:
            raise ShareError(f"expires={wish.expires:g}: a link lasts 1 second to 366 days.")
        if refusal := policy.load().refusal(wish.host, wish.expires, wish.role):
            raise ShareError(refusal)
        # Reading, making and keeping certificates may wait for a file system.
        identity = await asyncio.to_thread(certificate.identity, wish.certificate, wish.key)
        try:
            async with self._opening:
                origin = await self._open_door(wish.host, wish.port, identity)
                share, password = self._shares.create(
                    wish.view,
                    wish.role,
                    wish.password,
                    time.time() + wish.expires,
                    origin=origin,
                    fingerprint=identity.fingerprint,
                )
        except ShareError:
            await self._close_idle_doors()
            raise
        self._set_alarm()
        self._changed(wish.view)
        return share.info(), password, identity.note

    def password(self, name: str, view: str) -> str:
        return self._own(name, view).password

    def revoke(self, name: str, view: str = "", reason: str = REVOKED) -> None:
        """Ends a link and everybody's visit that came by it. With a view: only if it is that view's."""
        share = self._own(name, view)
        self._shares.revoke(name)
        self._tickets.forget_share(name)
        for client, (guest, _) in list(self._guests.items()):
            if guest.share == name:
                self._later(self._link.dismiss(client, CLOSE_REVOKED, reason))
        self._later(self._close_idle_doors())
        self._set_alarm()
        self._changed(share.view)

    async def open_direct(self, host: str, port: int, certificate_file: str, key_file: str) -> tuple[Door, str]:
        """The door for those who come straight to us, and what its owner should know. An empty host is this machine."""
        if refusal := policy.load().direct_refusal(host):
            raise ShareError(refusal)
        identity = await asyncio.to_thread(certificate.identity, certificate_file, key_file)
        async with self._opening:
            wish = (host, port, identity.fingerprint)
            if self._direct is not None:
                if self._direct[2] == wish:
                    return self._direct[1], identity.note
                await self._direct[0].close()
                self._direct = None
            address = await asyncio.to_thread(certificate.place, host)
            listener = await _listen(address, port)
            known_as = await asyncio.to_thread(certificate.url_host, host or address)
            names = await asyncio.to_thread(certificate.host_names, host or address)
            door = DirectDoor(self._link, frozenset(names))
            try:
                await door.open(listener, identity.context())
            except BaseException:
                listener.close()
                raise
            at = f"{known_as}:{listener.getsockname()[1]}"
            told = Door(f"wss://{at}/ws", f"https://{at}/", identity.fingerprint)
            self._direct = door, told, wish
        return told, identity.note

    @property
    def listening(self) -> list[str]:
        """The addresses of the doors that are open to the network."""
        return [*self._doors, *([] if self._direct is None else [self._direct[1].page.rstrip("/")])]

    async def close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        doors, self._doors = self._doors, {}
        closing = [door.close() for door, _ in doors.values()]
        if self._direct is not None:
            closing.append(self._direct[0].close())
        await asyncio.gather(*self._goodbyes, *closing, return_exceptions=True)

    def _own(self, name: str, view: str) -> Share:
        share = self._shares.get(name)
        if share is None or (view and share.view != view):
            raise UnknownShare
        return share

    async def _open_door(self, host: str, port: int, identity: certificate.Identity) -> str:
        """Where the links of this host lead; a door that is open already serves the next link too."""
        kind = (host, identity.fingerprint)
        for origin, (_, there) in self._doors.items():
            if there == kind and port in (0, int(origin.rpartition(":")[2])):
                return origin
        context = identity.context()
        listener = await _listen(host, port)
        names = await asyncio.to_thread(certificate.host_names, host)
        known_as = await asyncio.to_thread(certificate.url_host, host)
        door = LinkDoor(self._link, self, frozenset(names))
        try:
            await door.open(listener, context)
        except BaseException:
            listener.close()
            raise
        origin = f"https://{known_as}:{listener.getsockname()[1]}"
        self._doors[origin] = door, kind
        return origin

    async def _close_idle_doors(self) -> None:
        async with self._opening:
            used = self._shares.origins()
            for origin in [origin for origin in self._doors if origin not in used]:
                await self._doors.pop(origin)[0].close()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        end = self._shares.next_end()
        loop = asyncio.get_running_loop()
        # Not longer than an hour at a time: the machine's clock may be set meanwhile.
        self._alarm = None if end is None else loop.call_later(min(3600.0, max(0.0, end - time.time())), self._ring)

    def _ring(self) -> None:
        for name in self._shares.expired(time.time()):
            self.revoke(name, reason=EXPIRED)
        self._set_alarm()

    def _later(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._goodbyes.add(task)
        task.add_done_callback(self._goodbyes.discard)


async def _listen(host: str, port: int) -> socket.socket:
    try:
        # Looking up a name may take seconds, and the views must not stand still meanwhile.
        return await asyncio.to_thread(socket.create_server, (host, port), family=_family(host), backlog=128)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ShareError(f"Nothing can listen at {host}, port {port or 'any'}: {why}.") from None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
