"""How a server ended, in words: from what its warden saw, and what mpiexec said. Pure."""

from __future__ import annotations

import re
from typing import Any


def by(code: int) -> str:
    """A process's exit code, as Python gives it."""
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"


def words(how: dict[str, Any], said: str, *, with_mpi: bool) -> str:
    """`how`: the warden's last word; `said`: what server and mpiexec said last."""
    if how.get("asked"):
        return "it was ended, as asked"
    if how.get("terminated"):
        return "the process that held it was asked to end (SIGTERM)"
    if "failed" in how:
        return f"it could not be started: {how['failed']}"
    if "xvfb" in how:
        return f"its X server (Xvfb) {by(how['xvfb'])}"
    if "asked" in how or "kernel" in how:
        return "the session that had started it was gone"
    status = how.get("status")
    if status == 0:
        return "it ended by itself, in order (exit code 0)"
    if not with_mpi:
        return f"rank 0 {by(status)}" if status is not None else "rank 0 ended"
    if status is not None and status < 0:
        return f"mpiexec {by(status)}"
    if named := rank_that_ended(said):
        return named
    if status is not None:
        return f"mpiexec {by(status)}"
    # Open MPI's hangs, one time in seven, when all its ranks are killed at once.
    gone = [str(one) for one in how.get("dead", [])]
    return f"rank{'s' if len(gone) > 1 else ''} {' and '.join(gone)} ended, and mpiexec did not say how"


def rank_that_ended(said: str) -> str:
    """Which rank mpiexec names in its last words, and how that one ended; empty if it names none."""
    if found := re.search(r"process rank (\d+) .*?exited on\s+signal (\d+)", said, re.DOTALL):
        return f"rank {found[1]} was killed by signal {found[2]}"
    if found := re.search(r"Process name: \[\[\d+,\d+\],(\d+)\]\s+Exit code:\s+(\d+)", said):
        return f"rank {found[1]} ended with exit code {found[2]}"
    if found := re.search(r"=\s+EXIT CODE: (\d+)", said):
        # Hydra does not say which.
        signalled = "(signal " in said or "KILLED BY SIGNAL" in said
        return f"a rank {by(-int(found[1]) if signalled else int(found[1]))}"
    return ""
