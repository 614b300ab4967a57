"""Processes that end with the one that started them; and what is below one.

Standard library only, any Python from 3.9. `chain.py PID COMMAND...` becomes COMMAND, a rank of the server that the
warden PID holds.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def parent_of(pid: int) -> int:
    """0 if it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return 0


def die_with_parent(number: int, ancestor: int) -> None:
    """`number` when the parent ends. At once where `ancestor` is none of ours any more: the chain broke before."""
    parent = os.getppid()
    _libc.prctl(PDEATHSIG, number, 0, 0, 0)
    above = parent
    while above not in (0, 1, ancestor):
        above = parent_of(above)
    if above != ancestor or os.getppid() != parent:
        os._exit(1)


def rank(warden: int, command: list[str]) -> None:
    """This process becomes one rank; its number and pid are left in a file for the warden."""
    die_with_parent(signal.SIGKILL, warden)
    if os.getppid() == warden and "PVLINK_MPI" in os.environ:
        # mpiexec has ended already, and the warden has inherited us.
        os._exit(1)
    names = [name for name in ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK") if name in os.environ]
    mine = os.environ[names[0]] if names else "0"
    folder = Path(os.environ["PVLINK_FOLDER"])
    draft = folder / f"draft.{os.getpid()}"
    draft.write_text(str(os.getpid()))
    draft.rename(folder / f"rank.{int(mine)}")
    os.execvp(command[0], command)  # noqa: S606 - becoming it is the point: its parent stays mpiexec


def descendants(root: int) -> list[int]:
    """All processes below `root`."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            children.setdefault(parent_of(int(entry.name)), []).append(int(entry.name))
    found, unseen = [], [root]
    while unseen:
        below = children.get(unseen.pop(), [])
        found += below
        unseen += below
    return found


def state(pid: int) -> str:
    """ "S" and the like, as ps(1) lists them: "T" is stopped, "Z" ended; empty if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def life(pid: int) -> int | None:
    """A descriptor that is readable once the process has ended; none on Linux before 5.3, or if it has."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


if __name__ == "__main__":
    rank(int(sys.argv[1]), sys.argv[2:])
