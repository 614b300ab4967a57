"""What a server has on this machine: a folder, a mark on its processes, an X server; and its clearing away.

The warden clears away after itself. This is for when it could not: it was killed, or with it the kernel.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pvlink.errors import ServerError
from pvlink.servers import mpi, screen

# In the environment of all its processes, by which those are found that their warden left.
MARK = "PVLINK_SERVED"
# A folder without its lock is being made, for so long.
YOUNG = 60.0
_SHARED = Path("/dev/shm")  # noqa: S108 - ours in there is made by mkdtemp, 0700


class Belongings:
    """Of one server. `display`: its own X server's name, once it has one."""

    def __init__(self) -> None:
        sweep()
        self.display = ""
        self._mark = secrets.token_hex(8)
        # In memory, where MPI puts what its ranks share, and where nothing is after a restart of the machine.
        self.folder = Path(tempfile.mkdtemp(prefix=_prefix(), dir=_place()))
        self._lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def start_warden(self, control: int, log: int, kind: mpi.Mpi | None) -> subprocess.Popen[bytes]:
        """It holds the lock from now on. Raises ServerError."""
        environment = mpi.environment(os.environ, kind, root=os.geteuid() == 0, folder=str(self.folder))
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", Path(__file__).with_name("warden.py"), str(control)],
                pass_fds=[control, self._lock],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment | {MARK: self._mark},
                # An interrupt of the kernel is not for them.
                start_new_session=True,
            )
        except OSError as error:
            self.clear()
            raise ServerError(f"{sys.executable} cannot be run: {error.strerror}.") from error
        finally:
            os.close(self._lock)

    def clear(self) -> None:
        """With the warden gone: what carries the mark, what an X server could not remove, the folder."""
        deadline = time.monotonic() + 1.0
        while (left := marked(self._mark)) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        if self.display:
            screen.sweep(self.display)
        shutil.rmtree(self.folder, ignore_errors=True)


def marked(mark: str) -> list[int]:
    """The processes that carry it. Others' environments cannot be read, and are not ours."""
    word = f"\0{MARK}={mark}\0".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if word in b"\0" + (entry / "environ").read_bytes():
                    found.append(int(entry.name))
    return found


def sweep() -> None:
    """The folders of those whose warden and kernel were killed at once: nobody holds their locks."""
    for folder in _place().glob(f"{_prefix()}*"):
        with contextlib.suppress(OSError):
            status = folder.lstat()
            if status.st_uid == os.getuid() and stat.S_ISDIR(status.st_mode) and _left(folder, status.st_mtime):
                shutil.rmtree(folder, ignore_errors=True)


def _left(folder: Path, since: float) -> bool:
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return time.time() - since > YOUNG
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def _place() -> Path:
    return _SHARED if os.access(_SHARED, os.W_OK) else Path(tempfile.gettempdir())


def _prefix() -> str:
    return f"pvlink-served-{os.getuid()}-"
