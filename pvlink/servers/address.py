"""Where a ParaView server is, in ParaView's own words: cs://host:port and its three siblings."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from pvlink.errors import OptionError

Scheme = Literal["cs", "csrc", "cdsrs", "cdsrsrc"]
# ParaView's own, where a URL names none.
SERVER_PORT = 11111
RENDER_PORT = 22221
# Of each scheme: whether data and rendering are apart, and whether the server comes to us.
_SCHEMES: dict[str, tuple[bool, bool]] = {
    "cs": (False, False),
    "csrc": (False, True),
    "cdsrs": (True, False),
    "cdsrsrc": (True, True),
}
_RIGHT = {
    "cs": "cs://node17:11111",
    "csrc": "csrc://:11111",
    "cdsrs": "cdsrs://data:11111//render:22221",
    "cdsrsrc": "cdsrsrc://:11111//:22221",
}
_WAYS = (
    "Ways to write one: cs://node17:11111 (a server that waits there), csrc://:11111 (we wait, the server comes), "
    "cdsrs://data:11111//render:22221 (data and render server apart), cdsrsrc://:11111//:22221 (both come to us); "
    "an IPv6 address in brackets: cs://[::1]:11111."
)
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,252}[A-Za-z0-9_.])?")
# Not all of RFC 4291: what is none is told by the resolver, and nothing else can hide in these characters.
_IPV6 = re.compile(r"[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9_.-]{1,15})?")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//.*|)")
_PLACE = re.compile(r"(?:\[([^\]]*)\]|([^:/\[\]]*))(?::([^:/]*))?")


@dataclass(frozen=True)
class Place:
    """A host and a port. In reverse the host is where the server runs, and may be unknown: ""."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Address:
    """One server, or a data server and a render server; where they wait, or where they come to."""

    server: Place
    # Where rendering has a server of its own, which makes `server` the one for data.
    render: Place | None = None
    # The server connects, we listen.
    reverse: bool = False

    @property
    def scheme(self) -> Scheme:
        if self.render is None:
            return "csrc" if self.reverse else "cs"
        return "cdsrsrc" if self.reverse else "cdsrs"

    @property
    def places(self) -> tuple[Place, ...]:
        return (self.server,) if self.render is None else (self.server, self.render)

    def with_ports(self, server: int | None = None, render: int | None = None) -> Address:
        """The same with other ports."""
        changed = self if server is None else replace(self, server=replace(self.server, port=server))
        if render is None or changed.render is None:
            return changed
        return replace(changed, render=replace(changed.render, port=render))

    def __str__(self) -> str:
        return f"{self.scheme}://{'//'.join(map(str, self.places))}"


def parse(text: str) -> Address:
    """The address that a URL of ParaView's means; a bare host, or host:port, is one with cs://. Raises OptionError."""
    if not text or not text.isprintable() or not text.isascii() or " " in text:
        raise _wrong(text, "it is empty" if not text else "it has a space, a control character or a letter of no URL")
    url = _URL.fullmatch(text)
    if url is None:
        if text.count(":") > 1 and not text.startswith("["):
            raise _wrong(text, "it has more than one colon; an IPv6 address stands in brackets")
        return Address(_place(text, text, "cs", SERVER_PORT))
    scheme = url[1].lower()
    if scheme not in _SCHEMES:
        raise _wrong(text, _no_scheme(scheme))
    if not url[2]:
        raise _wrong(text, "what follows the colon is missing", scheme)
    apart, reverse = _SCHEMES[scheme]
    rest = url[2].removeprefix("//")
    if not apart:
        return Address(_place(rest.removesuffix("/"), text, scheme, SERVER_PORT), reverse=reverse)
    # ParaView's documents write one slash between the two, its own files two.
    data, slash, render = rest.removesuffix("/").partition("/")
    if not slash:
        raise _wrong(text, f"{scheme}:// names two servers, for data and for rendering", scheme)
    one = _place(data, text, scheme, SERVER_PORT)
    other = _place(render.removeprefix("/"), text, scheme, RENDER_PORT)
    if one.port == other.port and (reverse or one.host == other.host):
        raise _wrong(text, f"the two servers cannot share port {one.port}", scheme)
    return Address(one, other, reverse)


def port_of(text: str | int, what: str) -> int:
    """A port, from what somebody gave for `what`."""
    said = str(text)
    if not (said.isascii() and said.isdigit() and 1 <= int(said[:6]) <= 65535):
        raise OptionError(f"{what}: {said!r} is no port; a port is a number from 1 to 65535.")
    return int(said)


def _place(text: str, whole: str, scheme: str, default: int) -> Place:
    found = _PLACE.fullmatch(text)
    if found is None:
        raise _wrong(whole, f"{text!r} is not a host and a port", scheme)
    ipv6, name, port = found[1], found[2] or "", found[3]
    if ipv6 is not None:
        if not _IPV6.fullmatch(ipv6) or ":" not in ipv6:
            raise _wrong(whole, f"{ipv6!r} is no IPv6 address", scheme)
    elif name:
        if not _NAME.fullmatch(name):
            raise _wrong(whole, f"{name!r} is no host's name", scheme)
    elif not _SCHEMES[scheme][1]:
        raise _wrong(whole, "the host is missing", scheme)
    if port is None:
        return Place(ipv6 or name, default)
    if not (port.isdigit() and 1 <= int(port[:6]) <= 65535):
        raise _wrong(whole, f"{port!r} is no port; a port is a number from 1 to 65535", scheme)
    return Place(ipv6 or name, int(port))


def _no_scheme(scheme: str) -> str:
    if scheme == "catalyst":
        return "catalyst:// is a running simulation, which is watched, not connected to: pvlink.session().monitor(...)"
    if scheme == "builtin":
        return (
            "builtin: is ParaView without a server; that is what a session has before connect(), and after disconnect()"
        )
    if scheme in ("http", "https", "ws", "wss"):
        return f"{scheme}:// is a web server's; pvserver speaks ParaView's own protocol"
    if scheme in ("ssh", "sftp", "scp"):
        return f"{scheme}:// is a login, not a ParaView server"
    return f"ParaView has no {scheme}://"


def _wrong(text: str, why: str, scheme: str = "") -> OptionError:
    right = f"A right one: {_RIGHT[scheme]}." if scheme in _RIGHT and scheme != "cs" else _WAYS
    return OptionError(f"{text!r} is not the address of a ParaView server: {why}. {right}")
