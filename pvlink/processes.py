"""The two processes of a session, started and ended: how they are called, what they are given, what they said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pvlink.errors import EngineStartError
from pvlink.output import MemoryFile, Output

Process = subprocess.Popen[bytes]
# How long each process may take to end by itself before it is made to, in seconds.
GRACE = 2.0
# A cold file system on a busy login node; two seconds are usual.
START_PATIENCE = 120.0
# Variables that belong to the kernel's Python and would confuse ParaView's.
_NOT_FOR_ENGINE = ("PYTHONHOME", "PYTHONSAFEPATH", "PYTHONSTARTUP", "MPLBACKEND")


def start_engine(program: Path, output: Output, fds: Mapping[str, int | Sequence[int]], **config: Any) -> Process:
    """ParaView's Python with our loop in it. `fds`: descriptors it is given, under their names in its configuration."""
    given = [fd for value in fds.values() for fd in ([value] if isinstance(value, int) else value)]
    folder = Path(__file__).parent / "engine"
    config |= {
        **{name: value if isinstance(value, int) else list(value) for name, value in fds.items()},
        "die_with_parent": _main_thread(),
        "packages": {name: _folder(name) for name in ("rpyc",)},
    }
    environment = {key: value for key, value in os.environ.items() if key not in _NOT_FOR_ENGINE}
    # MPI's hwloc knocks at every X display from :0 to :9, other users' too, and prints each refusal.
    environment.setdefault("HWLOC_COMPONENTS", "-gl")
    try:
        return subprocess.Popen(
            [program, *_flags(program), folder / "__main__.py", json.dumps(config)],
            pass_fds=given,
            stdin=subprocess.DEVNULL,
            stdout=output.stdout.fd,
            stderr=output.stderr.fd,
            env=environment,
            # An interrupt of the kernel must not reach ParaView: its logger takes SIGINT for a crash.
            start_new_session=True,
        )
    except OSError as error:
        raise EngineStartError(f"{program} cannot be run: {error.strerror}.") from error


def start_streamer(session: str, role: str, controls: Sequence[int], log: MemoryFile) -> Process:
    """`role`: of those who come through Jupyter."""
    command = [sys.executable, "-P", "-m", "pvlink.streamer", "--session", session, "--role", role]
    for control in controls:
        command += ["--control-fd", str(control)]
    if _main_thread():
        command.append("--die-with-parent")
    return subprocess.Popen(
        command,
        pass_fds=controls,
        stdin=subprocess.DEVNULL,
        stdout=log.fd,
        stderr=log.fd,
        start_new_session=True,
    )


def why_not_an_engine(path: Path, why: str, ended_with: str | None, output: Output) -> str:
    """The sentence for a pvpython that did not become an engine; `ended_with` is none when it never answered."""
    end = f"gave no answer in {START_PATIENCE:.0f} s" if ended_with is None else f"ended with {ended_with}"
    said = output.stderr.tail() or output.stdout.tail()
    own = [line.removeprefix("pvlink: ") for line in said.splitlines() if line.startswith("pvlink: ")]
    if own:
        return f"{path} did not become an engine: {own[-1]}"
    return (
        f"{path} ({why}) is not a working pvpython: it {end}"
        + (f" and said:\n{said}" if said else " and said nothing.")
        + "\nName another one: pvlink.start(pvpython='/path/to/bin/pvpython')."
    )


def ended(process: Process) -> str:
    """How it ended."""
    try:
        code = process.wait(GRACE)
    except subprocess.TimeoutExpired:
        return "no exit code yet"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def end(process: Process) -> None:
    """Let it end by itself, then ask it to, then make it."""
    for push in (_nothing, subprocess.Popen.terminate, kill):
        push(process)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            continue
        return


def kill(process: Process) -> None:
    """With all that a wrapper script may have started: each of our processes leads a group of its own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def worked(pid: int) -> float:
    """Seconds of a processor that a process has used; none once it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # Of user and system: proc(5).
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _nothing(_: object) -> None: ...


def _main_thread() -> bool:
    # PDEATHSIG watches the thread that forked, not its process.
    return threading.current_thread() is threading.main_thread()


def _flags(program: Path) -> tuple[str, ...]:
    """What pvpython is told before the script; a plain Python that can import ParaView knows none of it.

    Without MPI, which one process has no use for, ParaView starts 0.4 s sooner, and OpenMPI starts no daemon and leaves
    no folder in /tmp for each engine that did not end by itself.
    """
    return ("--no-mpi",) if program.name.startswith("pvpython") else ()


def _folder(package: str) -> str:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent)
