"""Where browsers reach this machine without a Jupyter server between, as `pvlink.start(direct=...)` says it."""

from __future__ import annotations

import re
from typing import Any

from pvlink.errors import OptionError

_NAME = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]\s/]{1,253}))(?::([0-9]{1,5}))?")
# Alone: its colons name no port.
_SIXTH = re.compile(r"()([0-9A-Fa-f:.]{2,45})()")


def place(wish: bool | str) -> dict[str, Any]:
    """The host and the port to ask the streamer for; an empty host is this machine, under its own name."""
    if wish is True:
        return {"host": "", "port": 0}
    if isinstance(wish, str):
        found = (_SIXTH if wish.count(":") > 1 and "[" not in wish else _NAME).fullmatch(wish)
        if found and int(found[3] or 0) <= 65535:
            return {"host": found[1] or found[2], "port": int(found[3] or 0)}
    raise OptionError(f"direct={wish!r}: it is True, or where browsers reach this machine: 'node7', 'node7:8443'.")
