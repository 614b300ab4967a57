"""The ranks of a server here, as /proc shows them: nothing is asked of a server that may hang."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pvlink.servers.chain import state


@dataclass(frozen=True)
class RankMemory:
    """What one rank holds."""

    rank: int
    pid: int
    host: str
    # Resident, in bytes; zero when it is gone.
    resident: int


def memory(pids: Mapping[int, int]) -> list[RankMemory]:
    """Of all ranks, in their order."""
    host = os.uname().nodename
    return [RankMemory(rank, pid, host, resident(pid)) for rank, pid in sorted(pids.items())]


def resident(pid: int) -> int:
    """Bytes in memory; zero when it is gone. Readable for all, unlike its maps."""
    try:
        found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def not_running(pids: Mapping[int, int]) -> list[int]:
    """The ranks that will not answer: stopped (also by a debugger), ended, or gone."""
    return [rank for rank, pid in sorted(pids.items()) if state(pid) in ("T", "t", "Z", "X", "")]


def listener_of(pid: int, port: int) -> bool:
    """Whether the TCP port of this host is where this process listens."""
    for table in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port and _holds(pid, fields[9]):
                return True
    return False


def _holds(pid: int, inode: str) -> bool:
    try:
        return any(str(one.readlink()) == f"socket:[{inode}]" for one in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
