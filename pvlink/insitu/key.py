"""A secret of the user's that simulation and notebook both read: Catalyst Live itself has none.

Standard library only, any Python from 3.9: both sides prove to each other that they have it, before a byte of a
simulation passes.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

# Another place, where the two have no home in common.
VARIABLE = "PVLINK_INSITU_KEY"
LENGTH = 32
# An id for one proof.
NONCE = 16


class NoKey(OSError):
    """It cannot be read; the sentence says why."""


def place() -> Path:
    if named := os.environ.get(VARIABLE):
        return Path(named)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "pvlink" / "insitu.key"


def read() -> bytes:
    """The key, made if there is none yet. Raises NoKey."""
    path = place()
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except NoKey:
        raise
    except OSError as error:
        raise NoKey(f"{path} cannot be read: {error.strerror or error}. {VARIABLE} may name another file.") from None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Whole or not at all: the other side may come at the same moment.
        made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(LENGTH))
            with contextlib.suppress(FileExistsError):
                # Who is first has it.
                os.link(made, path)
        finally:
            made.unlink()
        return _read(path)
    except OSError as error:
        raise NoKey(f"No key can be kept in {path.parent}: {error.strerror or error}. {VARIABLE} may name "
                    "another file.") from None  # fmt: skip


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if status.st_uid != os.getuid() or status.st_mode & 0o077:
            raise NoKey(f"{path} can be read by others, or is somebody else's: `chmod 600 {path}`, or delete it.")
        key = file.read(LENGTH + 1)
    if len(key) < LENGTH:
        raise NoKey(f"{path} is no key: delete it, and another one is made.")
    return key[:LENGTH]


def nonce() -> str:
    return secrets.token_hex(NONCE)


def proof(key: bytes, who: str, *nonces: str) -> str:
    """That `who` has the key, for these nonces only."""
    return hmac.new(key, "\0".join((who, *nonces)).encode(), hashlib.sha256).hexdigest()


def proven(given: object, expected: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(errors="replace"), expected.encode())
