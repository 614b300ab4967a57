"""What this machine gives one user: open files, memory, a place for sockets."""

from __future__ import annotations

import contextlib
import os
import resource
import secrets
from collections.abc import Iterator
from pathlib import Path

from pvlink import rendezvous
from pvlink.checkup.findings import Facts, Finding
from pvlink.errors import PvlinkError

# Kernel, engine and streamer together need some 150; each viewer a few more. JupyterLab itself likes a thousand.
FEWEST_FILES = 256
FEW_FILES = 1024
# ParaView with nothing loaded takes 300 MB, its streamer 100.
LITTLE_MEMORY = 1 << 30
MIB = 1 << 20


def sockets() -> Iterator[Finding]:
    """Whether the streamer could listen: by doing it, for a moment."""
    session = secrets.token_hex(16)
    try:
        listener, path = rendezvous.listen(session)
    except (OSError, PvlinkError, RuntimeError) as error:
        yield Finding(
            "sockets",
            "problem",
            str(error),
            "`mkdir -m 700 /dev/shm/pvl-$USER; export PVLINK_RUNTIME_DIR=/dev/shm/pvl-$USER` before Jupyter starts, so "
            "that Jupyter and the kernel have the same.",
            {"candidates": [str(one) for one in rendezvous.candidates()]},
        )
        return
    listener.close()
    path.unlink(missing_ok=True)
    facts: Facts = {"directory": str(path.parent), "candidates": [str(one) for one in rendezvous.candidates()]}
    wish = rendezvous.candidates()[0]
    if path.parent != wish:
        reason = rendezvous.refusal(wish)
        yield Finding(
            "socket-wish",
            "note",
            f"{wish} cannot be used for sockets ({reason}). They go to {path.parent} instead",
            "Nothing, if the view is there. To mend it: set PVLINK_RUNTIME_DIR to the short path of a directory on a "
            "local disk that is yours and has mode 0700, for kernel and Jupyter server alike.",
            {"wish": str(wish), "reason": reason},
        )
    yield Finding("sockets", "ok", f"Sockets can be made in {path.parent}, which only you can enter", facts=facts)
    alive, dead = sessions()
    if alive or dead:
        said = f"{len(alive)} session{'s' * (len(alive) != 1)} of yours on this machine"
        if dead:
            said += f"; {len(dead)} dead socket{'s' * (len(dead) != 1)} from before, removed at the next start"
        yield Finding("sessions", "ok", said, facts={"alive": list(map(str, alive)), "dead": list(map(str, dead))})


def sessions() -> tuple[list[Path], list[Path]]:
    """Sockets of sessions that answer, and of those that are gone."""
    alive: list[Path] = []
    dead: list[Path] = []
    for session in _named():
        # `find` looks whether the directory is to be trusted, and local.
        path = rendezvous.find(session)
        if path is not None:
            (alive if rendezvous.answers(path) else dead).append(path)
    return alive, dead


def _named() -> Iterator[str]:
    for directory in rendezvous.candidates():
        with contextlib.suppress(OSError):
            for path in directory.iterdir():
                if path.suffix == ".sock" and rendezvous.SESSION.fullmatch(path.stem):
                    yield path.stem


def files() -> Iterator[Finding]:
    """How many files and sockets one process may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    facts: Facts = {"soft": soft, "hard": hard}
    raised = f"`ulimit -n {min(hard, 4096)}` in the terminal or job script, before Jupyter starts."
    if soft < FEWEST_FILES:
        yield Finding(
            "open-files",
            "problem",
            f"A process may have only {soft} files and sockets open; pvlink needs {FEWEST_FILES} to be safe.",
            raised
            if hard >= FEWEST_FILES
            else f"The limit cannot be raised above {hard} by yourself: ask your administrator.",
            facts,
        )
    elif soft < FEW_FILES:
        sentence = f"A process may have {soft} files and sockets open: enough for a few views and viewers"
        yield Finding("open-files", "note", sentence, raised if hard >= FEW_FILES else "", facts)
    else:
        yield Finding("open-files", "ok", f"A process may have {soft} files and sockets open", facts=facts)


def memory() -> Iterator[Finding]:
    """What is free; in a job or container that is less than the machine has."""
    free = _available()
    limit = _limit(Path("/sys/fs/cgroup"), Path("/proc/self/cgroup"))
    left = min([free, *([limit] if limit is not None else [])])
    facts: Facts = {"free_mib": left // MIB, "machine_free_mib": free // MIB}
    if left < LITTLE_MEMORY:
        yield Finding(
            "memory",
            "note",
            f"Only {left // MIB} MiB of memory are free"
            + (" in this job or container" if limit is not None and limit < free else "")
            + "; ParaView with nothing loaded takes 300, and is killed where there is no more.",
            "Ask for more memory (Slurm: --mem), or end what you do not need.",
            facts,
        )
    else:
        yield Finding("memory", "ok", f"{left / (1 << 30):.1f} GiB of memory are free", facts=facts)


def _available() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _limit(root: Path, mine: Path) -> int | None:
    """What the control groups (version 2) above this process leave of their limits."""
    left: int | None = None
    with contextlib.suppress(OSError, ValueError):
        name = next(line[3:] for line in mine.read_text().splitlines() if line.startswith("0::"))
        group = root / name.strip("/")
        for folder in [group, *group.parents]:
            if not folder.is_relative_to(root):
                break
            with contextlib.suppress(OSError, ValueError):
                # "max" is no number, and no limit.
                here = int((folder / "memory.max").read_text()) - int((folder / "memory.current").read_text())
                left = here if left is None else min(left, here)
    return left
