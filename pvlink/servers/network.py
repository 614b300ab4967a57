"""A network of one's own, and doors that are shut. Run as a script it says whether the first is to be had.

Standard library only, any Python from 3.9.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import secrets
import socket
import struct
import sys
from pathlib import Path

NEWUSER, NEWNET = 0x10000000, 0x40000000
PIDFD_GETFD, ATTACH_FILTER, MD5_SIGNATURE = 438, 26, 32
# An IPv4 address, as a socket for both sees it: any.
_MAPPED = bytes(10) + b"\xff\xff" + bytes(4)
_libc = ctypes.CDLL(None, use_errno=True)


def own_network() -> None:
    """A network in which nothing is but us, with `lo` up. OSError says what this machine forbids."""
    uid, gid = os.getuid(), os.getgid()
    # As root without a user namespace: in one, root could not read the files of others any more.
    if uid != 0 or _unshare(NEWNET):
        if why := _unshare(NEWUSER | NEWNET):
            raise OSError(why, f"no network namespace: {os.strerror(why)}")
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            Path("/proc/self", name).write_text(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up_and_running = 0x1 | 0x40
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", up_and_running))


def _unshare(flags: int) -> int:
    return ctypes.get_errno() if _libc.unshare(flags) else 0


def shut_doors(pid: int, *, all_of_them: bool) -> bool:
    """Lets nobody knock any more at the TCP ports where a process of ours listens; or at those beyond loopback.

    mpiexec listens for daemons on other hosts, on all addresses, and believes those who come. It needs none of it once
    its ranks are there. Closing its sockets makes it spin and crash; ones that drop what arrives do not.
    """
    try:
        handle = os.pidfd_open(pid)
    except (AttributeError, OSError):
        return False
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            if not str(entry.readlink()).startswith("socket:"):
                continue
            fd = _libc.syscall(PIDFD_GETFD, handle, int(entry.name), 0)
            if fd < 0:
                return False
            with socket.socket(fileno=fd) as sock:
                listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                if sock.family == socket.AF_UNIX or not listens:
                    continue
                if all_of_them or not sock.getsockname()[0].startswith("127."):
                    deafen(sock)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def deafen(listener: socket.socket) -> None:
    """It drops each packet that comes. OSError where the kernel allows it in neither way."""
    drop = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    try:
        listener.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("HxxxxxxP", 1, ctypes.addressof(drop)))
    except OSError:
        # New kernels (6.18) let only root filter TCP. But anybody may ask for signatures, with a key that nobody has.
        any_v4 = struct.pack("H6x8x", socket.AF_INET)
        any_v6, mapped = (struct.pack("H6x16sI", socket.AF_INET6, word, 0) for word in (bytes(16), _MAPPED))
        for peer in (any_v4,) if listener.family == socket.AF_INET else (any_v6, mapped):
            by_prefix, of_length, bits = 1, 0, 80
            word = struct.pack("128sBBHi80s", peer, by_prefix, of_length, bits, 0, secrets.token_bytes(80))
            listener.setsockopt(socket.IPPROTO_TCP, MD5_SIGNATURE, word)


if __name__ == "__main__":
    try:
        own_network()
    except OSError as refusal:
        sys.stdout.write(refusal.strerror or str(refusal))
    else:
        sys.stdout.write("ok")
