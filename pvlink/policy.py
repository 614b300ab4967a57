"""What the administrator of a machine lets its users share: small TOML files, and the strictest of them counts.

    # /etc/pvlink/policy.toml
    share = "loopback"          # "off": no links; "loopback": on this machine only; "any" (the default)
    share_max_seconds = 28800   # how long a link may live
    share_roles = ["view"]      # what a link may give: "view", "control"
    direct = "off"              # where pvlink.start(direct=...) may listen, likewise; as for `share` if not said

Read are `/etc/pvlink/policy.toml`, `<sys.prefix>/etc/pvlink/policy.toml` and the file that PVLINK_POLICY names. All
that exist apply, so the one a user can write himself can only take away. A file that cannot be read or understood
forbids sharing altogether: a misspelled prohibition must not be a permission.
"""

from __future__ import annotations

import ipaddress
import math
import os
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

# From the strictest on.
REACHES = ("off", "loopback", "any")
ROLES = ("view", "control")
KEYS = ("share", "share_max_seconds", "share_roles", "direct")
VARIABLE = "PVLINK_POLICY"


@dataclass(frozen=True)
class Policy:
    """What may be shared; each limit with the file that set it (none set the defaults)."""

    share: str = "any"
    share_max_seconds: float = math.inf
    share_roles: tuple[str, ...] = ROLES
    direct: str = "any"
    # Which file said so, by key.
    sources: dict[str, Path] = field(default_factory=dict)
    # A file is broken, in a sentence; then nothing may be shared.
    error: str = ""

    def refusal(self, host: str, seconds: float, role: str) -> str | None:
        """Why a link on this address, for this long, with this role is not to be; None if it may."""
        if self.error:
            return f"Nothing can be shared, because the administrator's policy cannot be read: {self.error}"
        if self.share == "off":
            return f"Sharing is off on this machine: {self._says('share')}."
        if self.share == "loopback" and not _is_loopback(host):
            return (
                f"Links are for this machine only, and the address {host!r} is open to others: {self._says('share')}. "
                'Share with host="127.0.0.1".'
            )
        if role not in self.share_roles:
            allowed = " or ".join(f'"{one}"' for one in self.share_roles) or "no role at all"
            return f"A link cannot give the role {role!r}, it gives {allowed}: {self._says('share_roles')}."
        # Not `seconds > limit`: that would let NaN pass.
        if not seconds <= self.share_max_seconds:
            limit = f"{self.share_max_seconds:g}"
            return f"A link lives {limit} s at most, not {seconds:g}: {self._says('share_max_seconds')}."
        return None

    def direct_refusal(self, host: str) -> str | None:
        """Why views are not to be reached directly at this address; None if they may."""
        if self.error:
            return f"No door can be opened, because the administrator's policy cannot be read: {self.error}"
        if self.direct == "off":
            return f"Views are not to be reached directly on this machine: {self._says('direct')}."
        if self.direct == "loopback" and not _is_loopback(host):
            return (
                f"Views are to be reached directly from this machine only: {self._says('direct')}. "
                'Start with direct="127.0.0.1".'
            )
        return None

    def _says(self, key: str) -> str:
        source = self.sources.get(key)
        return f"{source} says so ({key})" if source else "so it is everywhere"


def paths() -> list[Path]:
    """The files that count, whether they exist or not."""
    files = [Path("/etc/pvlink/policy.toml"), Path(sys.prefix) / "etc" / "pvlink" / "policy.toml"]
    if named := os.environ.get(VARIABLE):
        files.append(Path(named))
    return files


def load(files: Iterable[Path] | None = None) -> Policy:
    """The strictest of these files (by default `paths()`). Never raises: what is broken is in `Policy.error`."""
    named = os.environ.get(VARIABLE) if files is None else None
    policy = Policy()
    for file in paths() if files is None else files:
        try:
            text = file.read_bytes().decode()
        except FileNotFoundError as error:
            if named and file == Path(named):
                # Whoever names a file means it to count.
                return Policy(error=f"{file} (named by {VARIABLE}): {error.strerror}.")
            continue
        except (OSError, UnicodeDecodeError) as error:
            return Policy(error=f"{file}: {getattr(error, 'strerror', None) or 'it is not UTF-8'}.")
        try:
            policy = _tighten(policy, file, tomllib.loads(text))
        except ValueError as error:  # tomllib's own is one, too
            return Policy(error=f"{file}: {error}.")
    return policy


def _tighten(policy: Policy, file: Path, said: dict[str, object]) -> Policy:
    """The policy with what one file says; ValueError for what it should not say."""
    for key in said:
        if key not in KEYS:
            message = f"there is no key {key!r}; valid are {', '.join(KEYS)}"
            raise ValueError(message)
    share, seconds, roles, direct = policy.share, policy.share_max_seconds, policy.share_roles, policy.direct
    if "share" in said:
        share = min(share, _reach("share", said["share"]), key=REACHES.index)
    # Whoever wrote that nothing is to listen for links, and has not heard of direct views, means them too.
    direct = min(direct, _reach("direct", said.get("direct", said.get("share", "any"))), key=REACHES.index)
    if "share_max_seconds" in said:
        seconds = min(seconds, _seconds(said["share_max_seconds"]))
    if "share_roles" in said:
        allowed = _roles(said["share_roles"])
        roles = tuple(role for role in roles if role in allowed)
    tighter = Policy(share, seconds, roles, direct)
    changed = {key for key in KEYS if getattr(tighter, key) != getattr(policy, key)}
    return Policy(share, seconds, roles, direct, {**policy.sources, **dict.fromkeys(changed, file)})


def _reach(key: str, value: object) -> str:
    if isinstance(value, str) and value in REACHES:
        return value
    message = f'{key} is {value!r}; valid are "off", "loopback" and "any"'
    raise ValueError(message)


def _seconds(value: object) -> float:
    # True is an int to Python, and NaN a float.
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
        return float(value)
    message = f"share_max_seconds is {value!r}; valid is a number above 0"
    raise ValueError(message)


def _roles(value: object) -> list[str]:
    if isinstance(value, list) and all(isinstance(one, str) and one in ROLES for one in value):
        return value
    message = f'share_roles is {value!r}; valid is a list of "view" and "control"'
    raise ValueError(message)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # An empty host is every address, and a name may be any.
        return False
