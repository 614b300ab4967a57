"""Whose a connection of this machine is, from the kernel's tables (/proc/net/tcp and tcp6).

On loopback anybody may connect, and anybody may listen on a port before the one who was meant does. A table has one row
for each end of a connection, and the row of the other end has the uid of the other end.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import pwd
import re
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
LISTENING = 0x0A
Address = tuple[str, int]


@dataclass(frozen=True)
class Row:
    local: Address
    remote: Address
    state: int
    uid: int
    inode: int


def rows(table: str) -> Iterable[Row]:
    """The rows of a table's text. What is no row is passed over."""
    for line in table.splitlines():
        fields = line.split()
        if len(fields) < 10 or not fields[0].endswith(":"):
            continue
        with contextlib.suppress(ValueError, struct.error):
            yield Row(_address(fields[1]), _address(fields[2]), int(fields[3], 16), int(fields[7]), int(fields[9]))


def owner(table: Iterable[Row], *, theirs: Address, ours: Address) -> int | None:
    """The uid at the other end of a connection of ours; None: there is no such connection (any more)."""
    theirs, ours = plain(theirs), plain(ours)
    return next((row.uid for row in table if row.local == theirs and row.remote == ours), None)


def listeners(table: Iterable[Row], address: Address) -> list[Row]:
    """Who would take a connection to `address`: those who listen just there, or else those who listen everywhere."""
    host, port = plain(address)
    there = [row for row in table if row.state == LISTENING and row.local[1] == port]
    return [row for row in there if row.local[0] == host] or [row for row in there if row.local[0] in ("0.0.0.0", "::")]  # noqa: S104 - read, not bound


def plain(address: Address) -> Address:
    """Without the IPv6 dress of an IPv4 address, and without a zone."""
    ip = ipaddress.ip_address(address[0].partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return str(mapped or ip), address[1]


def is_loopback(host: str) -> bool:
    return ipaddress.ip_address(plain((host, 0))[0]).is_loopback


def read() -> list[Row]:
    """Both tables as they are now. A machine without IPv6 has one; OSError: there is none."""
    found = list(rows(Path(TABLES[0]).read_text(encoding="ascii", errors="replace")))
    with contextlib.suppress(FileNotFoundError):
        found += rows(Path(TABLES[1]).read_text(encoding="ascii", errors="replace"))
    return found


def is_local(sock: socket.socket) -> bool:
    """Whether the other end is on this machine, as far as its address tells."""
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    theirs, ours = plain(sock.getpeername()[:2]), plain(sock.getsockname()[:2])
    return theirs[0] == ours[0] or is_loopback(theirs[0])


def uid(sock: socket.socket) -> int | None:
    """Of the process at the other end of a connection within this machine."""
    return owner(read(), theirs=sock.getpeername()[:2], ours=sock.getsockname()[:2])


def holder(row: Row) -> str:
    """Who has this socket, for a sentence: a process of ours by name, another's by its user."""
    if row.uid != os.getuid():
        return f"a process of {user(row.uid)}"
    target = f"socket:[{row.inode}]"
    for process in Path("/proc").iterdir():
        if not re.fullmatch(r"[0-9]+", process.name):
            continue
        # It may end while we look, or hide its descriptors.
        with contextlib.suppress(OSError):
            if any(str(fd.readlink()) == target for fd in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return "a process of yours"


def user(number: int) -> str:
    try:
        return f"the user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"the user with the number {number}"


def _address(text: str) -> Address:
    """ "0100007F:2B67": words of four bytes, each in this machine's order."""
    digits, port = text.split(":")
    words = bytes.fromhex(digits)
    packed = b"".join(struct.pack(">I", word) for (word,) in struct.iter_unpack("=I", words))
    return plain((str(ipaddress.ip_address(packed)), int(port, 16)))
