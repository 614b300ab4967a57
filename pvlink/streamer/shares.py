"""The links by which an owner lets others in, with a password each and an end. Pure: time is passed in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from pvlink.protocol import Role, ShareInfo
from pvlink.streamer import passwords
from pvlink.streamer.passwords import Guesses
from pvlink.streamer.tickets import Guest

# Links at a time; an owner who needs more has forgotten to stop sharing.
MAX_SHARES = 64


class ShareError(Exception):
    """Cannot be shared like this; the sentence is for the owner."""


class UnknownShare(Exception):
    """No such link, or no longer."""


class WrongPassword(Exception):
    """Not the password of this link."""


class TooFast(Exception):
    """One guess a second; `wait` is how long until the next is looked at."""

    def __init__(self, wait: float) -> None:
        super().__init__(wait)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Share:
    name: str
    view: str
    role: Role
    password: str = field(repr=False)
    url: str
    fingerprint: str
    # Unix time.
    expires: float
    guesses: Guesses = field(default_factory=Guesses, repr=False, compare=False)

    def info(self) -> ShareInfo:
        return ShareInfo(self.name, self.role, self.url, self.fingerprint, self.expires)


class Shares:
    """Those that are open, by name."""

    def __init__(self) -> None:
        self._open: dict[str, Share] = {}

    def __len__(self) -> int:
        return len(self._open)

    def create(
        self, view: str, role: Role, password: str, expires: float, *, origin: str, fingerprint: str
    ) -> tuple[Share, str]:
        """A new link, and its password. `expires` is Unix time; an empty password is made up."""
        if role not in ("control", "view"):
            raise ShareError(f"A link is for 'view' or 'control'; {role!r} stays with you.")
        if password and (weak := passwords.weakness(password)):
            raise ShareError(f"The password {weak}. Leave it out, and a good one is made for you.")
        if len(self._open) >= MAX_SHARES:
            raise ShareError(f"{MAX_SHARES} links are open already. Revoke some: share.revoke().")
        name = secrets.token_urlsafe(12)
        share = Share(name, view, role, password or passwords.make(), f"{origin}/s/{name}", fingerprint, expires)
        self._open[name] = share
        return share, share.password

    def knock(self, name: str, password: str, address: str, now: float) -> Guest:
        """Who comes in with this password; `now` is Unix time."""
        share = self._open.get(name)
        if share is None or share.expires <= now:
            raise UnknownShare
        if wait := share.guesses.wait(address, now):
            raise TooFast(wait)
        if not passwords.same(password, share.password):
            share.guesses.wrong(address, now)
            raise WrongPassword
        share.guesses.right(address)
        return Guest(share.view, share.role, "link", address, name)

    def get(self, name: str) -> Share | None:
        return self._open.get(name)

    def of(self, view: str) -> list[Share]:
        return [share for share in self._open.values() if share.view == view]

    def revoke(self, name: str) -> Share | None:
        return self._open.pop(name, None)

    def expired(self, now: float) -> list[str]:
        return [share.name for share in self._open.values() if share.expires <= now]

    def next_end(self) -> float | None:
        return min((share.expires for share in self._open.values()), default=None)

    def origins(self) -> set[str]:
        """`https://host:port` of those that are open: doors that must stay."""
        return {share.url.partition("/s/")[0] for share in self._open.values()}
