"""Passwords of shared links: made, judged, guessed. Pure: time is passed in."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict

# Easy to read out over the telephone: nothing that looks like something else.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LETTERS = 4, 5
SHORTEST = 10
# A password of fewer different characters is a pattern.
FEWEST_DIFFERENT = 6
# What guessers try first, as far as it can be ten characters long.
_COMMON = ("password", "passwort", "paraview", "pvlink", "jupyter", "qwerty", "qwertz", "letmein", "welcome", "secret")
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop")
# What is left of a password, the common words and runs taken out, must still be this long.
_OWN_CHARACTERS = 6
GUESS_SECONDS = 1.0
# Addresses that have known the password; the one unheard for longest goes first.
MAX_KNOWN = 256


def make() -> str:
    """About 99 bits: nobody guesses it at any rate."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LETTERS)) for _ in range(_GROUPS))
    return "-".join(groups)


def weakness(password: str) -> str | None:
    """Why a user's own password will not do, as the end of a sentence; none if it will."""
    if any(ord(character) < 32 or ord(character) == 127 for character in password):
        return "has control characters in it"
    if len(password) < SHORTEST:
        return f"has {len(password)} characters; {SHORTEST} are the least"
    if len(password) > 200:
        return "has more than 200 characters"
    if len(set(password.lower())) < FEWEST_DIFFERENT:
        return "repeats the same few characters"
    left = password.lower()
    for known in (*_COMMON, *_runs()):
        left = left.replace(known, "")
    return None if len(left) >= _OWN_CHARACTERS else "is made of what guessers try first"


def _runs() -> list[str]:
    """Rows of the alphabet and the keyboard of four and more, both ways, the longest first."""
    found = []
    for row in _RUNS:
        for way in (row, row[::-1]):
            found += [way[at : at + length] for length in range(4, len(way) + 1) for at in range(len(way) - length + 1)]
    return sorted(found, key=len, reverse=True)


def same(given: str, password: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), password.encode("utf-8", "replace"))


class Guesses:
    """One wrong guess a second, all strangers together; whoever knew the password before is not held up by them."""

    def __init__(self) -> None:
        self._strangers_next = 0.0
        # When each address that has known it may guess again.
        self._known: OrderedDict[str, float] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """Seconds until a guess from there is looked at; 0: now."""
        # Never longer than that, should the machine's clock be set back.
        return min(GUESS_SECONDS, max(0.0, self._known.get(address, self._strangers_next) - now))

    def wrong(self, address: str, now: float) -> None:
        if address in self._known:
            self._known[address] = now + GUESS_SECONDS
        else:
            self._strangers_next = now + GUESS_SECONDS

    def right(self, address: str) -> None:
        self._known[address] = 0.0
        self._known.move_to_end(address)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
