"""A network of one's own, and doors that are shut. Run as a script it says whether the first is to be had.

Standard library only, any Python from 3.9.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

NEWUSER, NEWNET = 0x10000000, 0x40000000
PIDFD_GETFD, ATTACH_FILTER = 438, 26
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
    its ranks are there. Closing its sockets makes it spin and crash; a filter that drops what arrives does not.
    """
    drop = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HxxxxxxP", 1, ctypes.addressof(drop))
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
                    sock.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, program)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


if __name__ == "__main__":
    try:
        own_network()
    except OSError as refusal:
        sys.stdout.write(refusal.strerror or str(refusal))
    else:
        sys.stdout.write("ok")
