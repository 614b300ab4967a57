"""Where browsers reach this machine without a Jupyter server between, as `pvlink.start(direct=...)` says it."""

from __future__ import annotations

import os
import re
from typing import Any, Protocol

from pvlink.errors import OptionError, PvlinkError

# Where an administrator, or a kernel's specification, says it for all sessions.
VARIABLE = "PVLINK_DIRECT"

_NAME = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]\s/]{1,253}))(?::([0-9]{1,5}))?")
# Alone: its colons name no port.
_SIXTH = re.compile(r"()([0-9A-Fa-f:.]{2,45})()")


Place = dict[str, str | int]


def place(wish: bool | str) -> Place:
    """The host and the port to ask the streamer for; an empty host is this machine, under its own name."""
    if wish is True:
        return {"host": "", "port": 0}
    if isinstance(wish, str):
        found = (_SIXTH if wish.count(":") > 1 and "[" not in wish else _NAME).fullmatch(wish)
        if found and int(found[3] or 0) <= 65535:
            return {"host": found[1] or found[2], "port": int(found[3] or 0)}
    raise OptionError(f"direct={wish!r}: it is True, or where browsers reach this machine: 'node7', 'node7:8443'.")


class Asking(Protocol):
    def ask(self, op: str, **facts: Any) -> dict[str, Any]: ...


def open_door(session: Asking, where: Place | None) -> Place | None:
    """A door of the streamer's own; one that is open already stays, or moves to there. None opens none."""
    try:
        if where is not None:
            session.ask("direct", **where)
    except ValueError as error:
        raise PvlinkError(str(error)) from None
    return where


def usual() -> bool | str:
    """What the environment says, where the call says nothing."""
    said = os.environ.get(VARIABLE, "")
    return said.lower() == "true" or (said if said.lower() != "false" else False)
