"""Nothing the doctor looks at may hold it up: checks with a bound in time, also where a file system does not answer."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pvlink.checkup.findings import Finding

# How long a process may take to tidy up after it was told to end.
FAREWELL_SECONDS = 6.0
# Of what a program says, the end is what counts.
MAX_SAID = 4000
LATE = (
    "Looking at this ({name}) took more than {seconds:.0f} s, and was given up.",
    (
        "Most often a network file system does not answer: try `df` in a terminal, and ask your administrator if it "
        "hangs too. On a busy machine try again."
    ),
)
Check = Callable[[], Iterable[Finding]]


class Pending:
    """A check at work in a thread of its own, which is left behind if it does not come back."""

    def __init__(self, name: str, check: Check, seconds: float, late: tuple[str, str] = LATE) -> None:
        """`late`: sentence and cure for one that does not come back."""
        self._name = name
        self._late = late
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._findings: list[Finding] = []
        self._thread = threading.Thread(target=self._run, args=(check,), daemon=True, name=f"doctor-{name}")
        self._thread.start()

    def _run(self, check: Check) -> None:
        try:
            found = list(check())
        except Exception as error:  # noqa: BLE001 - a check that fails is a finding, and the others go on
            found = [_failed(self._name, error)]
        self._findings = found

    def findings(self) -> list[Finding]:
        """What it found, or that it did not come back in time."""
        self._thread.join(max(0.0, self._deadline - time.monotonic()))
        if self._thread.is_alive():
            sentence, cure = self._late
            return [Finding(self._name, "problem", sentence.format(name=self._name, seconds=self._seconds), cure)]
        return self._findings


def _failed(name: str, error: Exception) -> Finding:
    return Finding(
        name,
        "problem",
        f"Looking at this ({name}) failed: {type(error).__name__}: {error}",
        "If the other lines do not explain it, report it as a bug of pvlink with this whole report.",
    )


@dataclass(frozen=True)
class Said:
    """How a program ended; `code` is none for one that had to be ended."""

    code: int | None
    out: str
    err: str


def program(command: list[str], seconds: float, env: Mapping[str, str] | None = None, **fds: int) -> Said:
    """Run it for so long at most. What it has started ends with it. `fds`: descriptors appended as arguments."""
    # Files, not pipes: a grandchild that lives on would hold a pipe open, and us with it.
    out, err = os.memfd_create("doctor-out"), os.memfd_create("doctor-err")
    try:
        process = subprocess.Popen(
            [*command, *map(str, fds.values())],
            pass_fds=tuple(fds.values()),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=None if env is None else dict(env),
            start_new_session=True,
        )
        code = _wait(process, seconds)
        return Said(code, _read(out), _read(err))
    finally:
        os.close(out)
        os.close(err)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(seconds)
    with contextlib.ExitStack() as held:
        # By descriptors: the number of one that has ended may be another's a moment later.
        begun = _held(held, [*descendants(process.pid), process.pid])
        # Asked first, so that it ends what it has started by itself.
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(FAREWELL_SECONDS)
        for one in [*begun, *_held(held, descendants(process.pid))]:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(one, signal.SIGKILL)
        # One that waits for a dead file system does not even die.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1.0)
    return None


def _held(held: contextlib.ExitStack, pids: Iterable[int]) -> list[int]:
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            found.append(os.pidfd_open(pid))
            held.callback(os.close, found[-1])
    return found


def descendants(pid: int) -> list[int]:
    """Its children and theirs."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *descendants(int(child))]
    return found


def _read(fd: int) -> str:
    size = os.fstat(fd).st_size
    return os.pread(fd, MAX_SAID, max(0, size - MAX_SAID)).decode(errors="replace").strip()
