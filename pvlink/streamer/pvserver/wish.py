"""What the kernel asks for: one ParaView server, on one line or two (data server and render server apart)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct


class LineWish(Struct, frozen=True):
    """How one socket to the server comes about."""

    # We go there; it comes to us; it is connected already, and came along as a descriptor; it is at a unix socket.
    way: Literal["connect", "listen", "fd", "path"]
    # Of a unix socket: its path.
    host: str = ""
    # 0, where we listen: any.
    port: Annotated[int, Meta(ge=0, le=65535)] = 0

    @property
    def place(self) -> str:
        """For sentences: "host:port"."""
        if self.way == "fd":
            return "the other end of a socket that was handed over"
        if self.way == "path":
            return self.host
        host = self.host or "127.0.0.1"
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


class ServerWish(Struct, frozen=True):
    """A server, and who we are to it."""

    lines: Annotated[list[LineWish], Meta(min_length=1, max_length=2)]
    # Of the engine's ParaView, as "5.11"; more digits are not looked at, as ParaView itself does not.
    version: Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]+")]
    connect_id: Annotated[int, Meta(ge=0)] = 0
    timeout: Annotated[float, Meta(gt=0.0, le=86400.0)] = 10.0
    # What the user calls it; empty: its place.
    label: str = ""
    # Whether a process of another user of this machine will do.
    trust: bool = False
    # Of its first process, where the kernel has started it.
    pid: Annotated[int, Meta(ge=0)] = 0

    @property
    def short_version(self) -> str:
        return ".".join(self.version.split(".")[:2])

    @property
    def name(self) -> str:
        """For sentences."""
        return self.label or " and ".join(line.place for line in self.lines)


def descriptors(server: dict[str, object] | None) -> int:
    """How many descriptors come along with this wish, also with one that is wrong otherwise."""
    lines = (server or {}).get("lines")
    return sum(isinstance(line, dict) and line.get("way") == "fd" for line in lines) if isinstance(lines, list) else 0


def wished(server: dict[str, object] | None) -> ServerWish:
    """Raises ValueError with what is wrong with it."""
    try:
        wish = msgspec.convert(server, ServerWish)
    except msgspec.ValidationError as error:
        raise ValueError(f"This is no ParaView server to open: {error}.") from None
    for line in wish.lines:
        if line.way == "connect" and not (line.host and line.port):
            raise ValueError("A line that connects has a host and a port.")
        if line.way == "path" and not line.host.startswith("/"):
            raise ValueError("A unix socket has a whole path.")
    return wish
