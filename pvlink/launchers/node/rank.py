"""Becomes one rank of a server: `rank.py PLAN.json FOLDER ARGUMENTS...`. The first on a node starts its X server.

MPI's or Slurm's own process is our parent, and when that ends, so do we. An X server cannot see who needs it: a keeper
ends it with the rank that has started it, and clears the node's folder away.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from pvlink.launchers.node.doors import mark
from pvlink.servers.chain import die_with_parent, life
from pvlink.servers.screen import Screen

# Who is first on its node, by those who start ranks: Open MPI, Slurm, Hydra (MPICH, Intel).
LOCAL = ("OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID", "MPI_LOCALRANKID", "PMI_LOCAL_RANK")
# For an X server on a busy node; 0.3 s are usual.
SCREEN_SECONDS = 30.0
# Ranks are started together: so long after the first one's end the others of its node have read what is told them.
READ_SECONDS = 2.0


def main(arguments: list[str]) -> None:
    plan = json.loads(Path(arguments[0]).read_text())
    die_with_parent(signal.SIGKILL, os.getppid())
    # MPI tells other nodes little of the environment, and by this an epilogue finds what is ours.
    os.environ["PVLINK_JOB"] = plan["key"]
    if plan["display"] == "own":
        _see(Path(arguments[1]), first=_local() == 0)
    else:
        os.environ.pop("DISPLAY", None)
    command = [plan["pvserver"], *arguments[2:]]
    try:
        os.execvp(command[0], command)  # noqa: S606 - becoming it is the point
    except OSError as error:
        sys.exit(f"{command[0]} on {os.uname().nodename}: {error.strerror}")


def _local() -> int:
    """This rank's number on its node."""
    found = next((os.environ[name] for name in LOCAL if name in os.environ), "0")
    return int(found) if found.isdigit() else 0


def _see(folder: Path, *, first: bool) -> None:
    """Have this node's display."""
    told = folder / "display"
    if first:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark(folder)
        _keep(folder, told)
    deadline = time.monotonic() + SCREEN_SECONDS
    while not told.exists():
        if time.monotonic() > deadline:
            sys.exit(f"No X server came on {os.uname().nodename}: {_why(folder)}")
        time.sleep(0.02)
    said: dict[str, Any] = json.loads(told.read_text())
    if "error" in said:
        sys.exit(f"No X server on {os.uname().nodename}: {said['error']}")
    os.environ["DISPLAY"], os.environ["XAUTHORITY"] = said["display"], said["cookie"]


def _why(folder: Path) -> str:
    return f"nothing is in {folder}" if not folder.exists() else f"the first rank there has made none in {folder}"


def _keep(folder: Path, told: Path) -> None:
    """A process that holds the X server as long as this one lives."""
    rank = os.getpid()
    with contextlib.suppress(FileNotFoundError):
        told.unlink()
    if os.fork():
        return
    # From here on it is the keeper, which must not return.
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(nothing, fd)
        asked, write = os.pipe()
        signal.signal(signal.SIGTERM, lambda *_: os.write(write, b"."))
        end = life(rank)
        lives = [asked, *([] if end is None else [end])]
        try:
            _hold(folder, told, rank, lives)
        except OSError as error:
            _tell(told, {"error": str(error)})
            # The other ranks of this node are to read that; whoever ends the job is not to wait for it.
            select.select(lives, [], [], SCREEN_SECONDS if os.getppid() == rank else 0.0)
            select.select([asked], [], [], READ_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os._exit(0)


def _hold(folder: Path, told: Path, rank: int, lives: list[int]) -> None:
    """`lives`: readable when it is to end, by a signal or with its rank."""
    program = shutil.which("Xvfb")
    if program is None:
        raise OSError('there is no Xvfb; for a ParaView that draws without X the site says display = "none"')
    screen = Screen(program, folder, lives)
    try:
        _tell(told, {"display": screen.display, "cookie": str(screen.cookie)})
        while screen.ended() is None and os.getppid() == rank and not select.select(lives, [], [], 0.5)[0]:
            pass
        if screen.ended() is not None and os.getppid() == rank:
            # It would find out at its next picture, in the midst of that.
            os.kill(rank, signal.SIGKILL)
    finally:
        screen.end()


def _tell(told: Path, facts: dict[str, Any]) -> None:
    draft = told.with_suffix(".new")
    draft.write_text(json.dumps(facts))
    draft.rename(told)


if __name__ == "__main__":
    main(sys.argv[1:])
