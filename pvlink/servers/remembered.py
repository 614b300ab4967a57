"""What was answered last for each server configuration, kept for the next form. Never a connect-id or a password.

`~/.config/pvlink/servers.json`, for its user only: account names and paths are nobody else's business.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from pvlink.servers import pvsc
from pvlink.servers.configuration import Configuration

# Of servers whose answers are kept; of one more the oldest go.
MOST = 100
# A file of ours has a few kilobytes.
_MAX_BYTES = 1 << 20


def place() -> Path:
    """The file, whether it is there or not."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "pvlink" / "servers.json"


def answers(configuration: Configuration) -> dict[str, str]:
    """The last answers to the options that are still there and may be remembered."""
    mine = _all().get(configuration.name, {})
    return {
        option.name: mine[option.name] for option in configuration.options if option.remembered and option.name in mine
    }


def remember(name: str, given: Mapping[str, str]) -> None:
    """Keep these for the server of this name. Raises OSError."""
    if not given:
        return
    everything = _all()
    everything.pop(name, None)
    everything[name] = dict(given)
    newest = dict(list(everything.items())[-MOST:])
    pvsc.replace(place(), json.dumps(newest, indent=1).encode(), 0o600)


def _all() -> dict[str, dict[str, str]]:
    """What is in the file; nothing if there is none, or it is not ours any more."""
    try:
        with place().open("rb") as file:
            found = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        name: {key: value for key, value in of.items() if isinstance(value, str)}
        for name, of in found.items()
        if isinstance(of, dict)
    }
