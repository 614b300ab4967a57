"""The jobs this user has launched from this machine, in small files: for `pvlink jobs`, and to find one again."""

from __future__ import annotations

import os
import re
import secrets
import time
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

KEY = re.compile(r"[0-9]{8}-[0-9a-f]{8}")
# One that has ended is of interest for so long, in seconds.
KEPT = 14 * 86400.0


class Record(Struct, frozen=True):
    """One job. No secret: those are in its own folder."""

    key: str
    # Its site, and by what that is found again: its name, or its file.
    site: str
    where: str
    # Its number at Slurm's.
    job: str
    # Its folder there, and what it is, for people.
    place: str
    words: str
    # Seconds of the epoch, and how long it may take.
    launched: float
    seconds: int
    # What was asked for, so that it can be asked for again.
    options: dict[str, Any] = {}
    # The job of Slurm's that it is a process of, if it has none of its own.
    inside: str = ""
    # How it ended, once that is known.
    ended: str = ""


def new_key(now: float) -> str:
    """Of a job: the day, and chance."""
    return f"{time.strftime('%Y%m%d', time.gmtime(now))}-{secrets.token_hex(4)}"


def folder() -> Path:
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state") / "pvlink" / "jobs"


def write(record: Record) -> None:
    """Whole, or not at all."""
    place = folder()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = place / f".{record.key}.{os.getpid()}"
    draft.write_bytes(msgspec.json.encode(record))
    draft.rename(place / f"{record.key}.json")


def read() -> list[Record]:
    """All there are, the newest first. What is no record is passed over, and what is old is removed."""
    found = []
    for file in folder().glob("*.json") if folder().is_dir() else ():
        try:
            record = msgspec.json.decode(file.read_bytes(), type=Record)
        except (OSError, msgspec.MsgspecError):
            continue
        if record.ended and time.time() - record.launched > KEPT:
            file.unlink(missing_ok=True)
        elif KEY.fullmatch(record.key):
            found.append(record)
    return sorted(found, key=lambda record: record.launched, reverse=True)
