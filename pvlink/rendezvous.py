"""Where the streamer of a session listens: one unix socket in a directory only its user can enter.

Kernel, streamer and Jupyter server meet here. They may run with different environments (a kernel started by
Slurm or `sudo`, a server started by JupyterHub), so whoever searches looks into every candidate.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import stat
import struct
import time
from pathlib import Path

SESSION = re.compile(r"[0-9a-f]{32}")
# sun_path holds 108 bytes, the last one is zero (unix(7)).
MAX_PATH = 107
# A streamer lives under its temporary name for microseconds; one this old was left by a dead one.
STALE_SECONDS = 60.0
# Connections that wait to be accepted. To one more, connect() on a unix socket fails at once instead of waiting.
QUEUE = 1024


class RendezvousError(RuntimeError):
    """No directory for the sockets; the message says what was tried and what to do."""


def candidates() -> list[Path]:
    """Directories that may hold the sockets, best first."""
    found = []
    if own := os.environ.get("PVLINK_RUNTIME_DIR"):
        found.append(Path(own))
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        found.append(Path(runtime) / "pvlink")
    found.append(Path(f"/tmp/pvlink-{os.getuid()}"))  # noqa: S108 - validated in _flaw: ours, 0700, no symlink
    return [path for path in found if path.is_absolute()]


# File systems of other machines: a unix socket there is nobody's, or hangs with its server.
_REMOTE = frozenset(
    (
        "nfs",
        "nfs4",
        "lustre",
        "gpfs",
        "beegfs",
        "ceph",
        "cifs",
        "smb3",
        "smbfs",
        "glusterfs",
        "afs",
        "panfs",
        "orangefs",
        "pvfs2",
        "acfs",
        "wekafs",
        "daos",
    )
)
_REMOTE_FUSE = (
    "sshfs",
    "glusterfs",
    "ceph",
    "beegfs",
    "s3fs",
    "gcsfuse",
    "juicefs",
    "dfuse",
    "rclone",
    "moosefs",
    "mfs",
)


def file_system(path: Path, mounts: str) -> str:
    """The kind of file system a path is on, by the text of /proc/self/mountinfo (proc(5)); empty if unknown.

    By the table and not by asking the path: a file system whose server is away does not answer.
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if len(fields) < 5:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[4])
        # Of several on the same point the last one counts.
        if (point == "/" or f"{path}/".startswith(f"{point}/")) and len(point) >= best:
            best, kind = len(point), kinds[0]
    return kind


def _is_remote(kind: str) -> bool:
    family, _, name = kind.partition(".")
    return kind in _REMOTE or (family == "fuse" and name.startswith(_REMOTE_FUSE))


def _local_candidates() -> list[Path]:
    mounts = _mounts()
    return [directory for directory in candidates() if not _is_remote(file_system(directory, mounts))]


def _mounts() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    except OSError:
        return ""


def create() -> Path:
    """The first candidate that is, or can be made, a directory nobody else can enter."""
    reasons = []
    for directory in candidates():
        reason = refusal(directory)
        if reason is None:
            return directory
        reasons.append(f"{directory}: {reason}")
    raise RendezvousError(
        "pvlink found no directory for its sockets (" + "; ".join(reasons) + "). "
        "Set PVLINK_RUNTIME_DIR to the short path of a directory on a local disk that is yours and has mode 0700, "
        "for kernel and Jupyter server alike."
    )


def refusal(directory: Path) -> str | None:
    """Why no sockets can be in there; None if they can. Makes it if it is not there."""
    # Before anything touches it.
    kind = file_system(directory, _mounts())
    if _is_remote(kind):
        return f"is on a network file system ({kind}), where no socket can be"
    try:
        # mkdir's mode is narrowed by the umask (which may be 0777), never widened.
        directory.mkdir(mode=0o700)
        directory.chmod(0o700)
    except FileExistsError:
        pass
    except OSError as error:
        return error.strerror
    return _flaw(directory) or _too_long(directory)


def socket_path(session: str) -> Path:
    """Where the streamer of this session is to listen; makes the directory."""
    return create() / _name(session)


def find(session: str) -> Path | None:
    """The socket of this session, in whichever directory it is; None for an unknown or malformed session."""
    if not SESSION.fullmatch(session):
        return None
    for directory in _local_candidates():
        path = directory / _name(session)
        if _flaw(directory) is None and path.is_socket():
            return path
    return None


def listen(session: str) -> tuple[socket.socket, Path]:
    """A listening socket of this session, and its path.

    It is bound under another name and renamed once it listens: a socket under its final name that refuses
    connections is always a dead one, so `sweep` never takes a streamer that is just starting.
    """
    path = socket_path(session)
    hidden = path.with_name(f".{session[:16]}-{os.getpid()}")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Linux gives the file the mode of the unbound socket, less the umask: never wider than 0600.
        os.fchmod(listener.fileno(), 0o600)
        listener.bind(str(hidden))
        hidden.chmod(0o600)
        listener.listen(QUEUE)
        hidden.rename(path)
    except BaseException as error:
        listener.close()
        with contextlib.suppress(OSError):
            hidden.unlink()
        if isinstance(error, OSError):
            raise RendezvousError(
                f"no socket can be made in {path.parent}: {error.strerror or error}. Make room there, or set "
                "PVLINK_RUNTIME_DIR to the short path of another directory on a local disk, for kernel and Jupyter "
                "server alike."
            ) from error
        raise
    return listener, path


def answers(path: Path) -> bool:
    """Whether a process of ours listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            return True  # The backlog is full: alive, and busy.
        except OSError:
            return False
        return peer_uid(probe) == os.getuid()


def peer_uid(connected: socket.socket) -> int:
    """Who is at the other end of a connected unix socket, as the kernel of the machine knows it."""
    _, uid, _ = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(uid)


def sweep() -> list[Path]:
    """Removes the sockets that nobody listens on any more (a streamer killed with -9 leaves one)."""
    removed = []
    for directory in _local_candidates():
        if _flaw(directory) is not None:
            continue
        for path in directory.iterdir():
            if _is_dead(path):
                path.unlink(missing_ok=True)
                removed.append(path)
    return removed


def _name(session: str) -> str:
    if not SESSION.fullmatch(session):
        message = f"a session is 32 hexadecimal digits, not {session[:40]!r}"
        raise ValueError(message)
    return f"{session}.sock"


def _flaw(directory: Path) -> str | None:
    """Why this directory cannot be trusted; None if it can."""
    try:
        status = directory.lstat()
    except OSError as error:
        return error.strerror
    if stat.S_ISLNK(status.st_mode):
        return "is a symbolic link; remove it"
    if not stat.S_ISDIR(status.st_mode):
        return "is not a directory; remove it"
    if status.st_uid != os.getuid():
        return f"belongs to user {status.st_uid}, not to you ({os.getuid()})"
    if stat.S_IMODE(status.st_mode) & 0o077:
        return f"has mode {stat.S_IMODE(status.st_mode):04o}, others can enter; run chmod 700 on it"
    return None


def _too_long(directory: Path) -> str | None:
    length = len(os.fsencode(directory / _name("0" * 32)))
    return None if length <= MAX_PATH else f"its socket paths would have {length} bytes, {MAX_PATH} are allowed"


def _is_dead(path: Path) -> bool:
    with contextlib.suppress(OSError):
        status = path.lstat()
        if stat.S_ISSOCK(status.st_mode):
            if path.name.startswith("."):
                return time.time() - status.st_mtime > STALE_SECONDS
            return bool(SESSION.fullmatch(path.stem)) and refuses(path)
    return False


def refuses(path: Path) -> bool:
    """Whether this socket is a dead process's: still there, and nobody listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False
