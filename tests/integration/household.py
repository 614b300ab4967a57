"""What belongs to one kernel on this machine: processes, descriptors, files."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil


def until(condition: Callable[[], object], patience: float = 30.0) -> None:
    """Wait for what other processes do. How soon is no matter here: where it is, say so by `patience`."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen in {patience} s"
        time.sleep(0.02)


def children(pid: int) -> list[str]:
    """Names of the living descendants of a process."""
    return [p.name() for p in psutil.Process(pid).children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]


def household(directory: Path) -> dict[int, str]:
    """Living processes with this directory in their environment, whoever their parent is now.

    A zombie has no environment; one whose parent is init is init's business.
    """
    found = {}
    for process in psutil.process_iter():
        try:
            if process.environ().get("PVLINK_RUNTIME_DIR") == str(directory):
                found[process.pid] = process.name()
        except psutil.Error:
            continue
    return found


def descriptors(pid: int) -> int:
    return psutil.Process(pid).num_fds()


def listeners(directory: Path) -> list[str]:
    """Sockets that are there, by name."""
    return sorted(path.name for path in directory.iterdir() if path.is_socket())


def x_socket(screen: str) -> Path:
    """Where an engine's own X server listens, from what the session says about its screen."""
    return Path(f"/tmp/.X11-unix/X{screen.rpartition(':')[2]}")
