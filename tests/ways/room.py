"""A room: a host of its own inside this machine, with processes, mounts, users and (if wanted) a network that nobody
else sees. It needs root. Nothing of it is left when its maker ends, however that ends: it is made of namespaces only.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

import pvlink


@dataclass(frozen=True)
class Person:
    """A user whom only the room knows."""

    name: str
    uid: int
    home: Path


def environment() -> list[Path]:
    """What must be readable to run the installed pvlink: Python, the environment, Node."""
    node = shutil.which("node")
    found = [Path(sys.base_prefix), Path(sys.prefix), Path(pvlink.__file__).parent]
    return [*found, *([Path(node).resolve().parent.parent] if node else [])]


def _closed(path: Path) -> Path | None:
    """The uppermost folder above a path which other users may not pass."""
    return next((above for above in reversed(path.parents) if not above.stat().st_mode & 0o001), None)


def masks(needed: Sequence[Path]) -> list[str]:
    """Shell commands that cover each closed folder by one that other users may pass, with what is needed in it."""
    inside: dict[Path, list[Path]] = {}
    for path in needed:
        if (closed := _closed(path)) is not None:
            inside.setdefault(closed, []).append(path)
    return [line for folder, paths in inside.items() for line in covered(folder, paths)]


def covered(folder: Path, paths: Sequence[Path], mode: str = "0755") -> list[str]:
    """Shell commands that cover a folder by an empty one in which only these paths are left.

    In the room only: outside nothing changes. `mount -c` takes the names as they are, and so a working directory that
    is covered by then still leads to what is below.
    """
    place = shlex.quote(str(folder))
    lines = [f"cd {place}", f"mount -c -t tmpfs -o mode={mode} pvlink {place}"]
    # A folder within another one that is needed is there with it.
    for path in [one for one in paths if not any(one != other and one.is_relative_to(other) for other in paths)]:
        there = shlex.quote(str(path))
        lines += [f"mkdir -p {there}", f"mount -c --bind {shlex.quote(str(path.relative_to(folder)))} {there}"]
    return [*lines, "cd /"]


def known(people: Sequence[Person], folder: Path) -> list[str]:
    """Shell commands that make users: the machine's own list, and them below it, in this room only."""
    lines = []
    for name, line in (("passwd", "{0.name}:x:{0.uid}:{0.uid}::{0.home}:/bin/sh"), ("group", "{0.name}:x:{0.uid}:")):
        own = folder / name
        own.write_text(Path("/etc", name).read_text() + "".join(line.format(one) + "\n" for one in people))
        own.chmod(0o644)
        lines.append(f"mount --bind {shlex.quote(str(own))} /etc/{name}")
    return lines


class Room:
    """Made by `with`; `start` runs a program in it."""

    def __init__(self, setup: Sequence[str] = (), *, network: bool = False) -> None:
        self._setup = setup
        self._spaces = ["--mount", "--pid", *(["--net"] if network else [])]
        self._holder: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        # The room's first process. It takes the dead ones away, which no server would do, and ends when this one does.
        script = "\n".join(["set -e", *self._setup, "echo ready", "exec 3<&0", "cat <&3 >/dev/null &", "wait"])
        apart = ["--propagation", "private", "--fork", "--kill-child", "--mount-proc"]
        self._holder = subprocess.Popen(
            ["unshare", *self._spaces, *apart, "sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
        )
        assert self._holder.stdout is not None
        if (said := self._holder.stdout.readline()) != b"ready\n":
            self.__exit__()
            raise RuntimeError(said.decode(errors="replace").strip() or "unshare ended")
        return self

    def __exit__(self, *_: object) -> None:
        if self._holder is not None:
            self._holder.kill()
            self._holder.communicate()

    @property
    def pid(self) -> int:
        """Of its first process, as this machine counts."""
        assert self._holder is not None
        (first,) = psutil.Process(self._holder.pid).children()
        return first.pid

    def start(self, command: Sequence[str], *, home: Path, env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
        """A program that goes on until the room ends."""
        # nsenter's own --wd would look for the folder outside.
        there = ["sh", "-c", 'cd "$0" && exec "$@"', str(home)]
        enter = ["nsenter", f"--target={self.pid}", *self._spaces, "--", *there]
        with log.open("w") as out:
            return subprocess.Popen([*enter, *command], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)


def no_room() -> str:
    """Why there can be no room here; empty if there can."""
    if os.getuid() != 0:
        return "needs root, to make a host with users and a network of its own"
    try:
        with Room(network=True):
            return ""
    except (OSError, RuntimeError) as error:
        return f"nobody can make namespaces here: {error}"


def processes_of(uid: int) -> list[psutil.Process]:
    """All that run as this user, without those that ended and were not fetched yet."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess):
            if process.uids().real == uid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found
