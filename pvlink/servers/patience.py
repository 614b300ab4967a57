"""What an interrupt means while ParaView waits for its server: one that says nothing more is cut off.

ParaView cannot be interrupted in that wait, and a server cannot be told to stop. So one that is heard within 2.5 s is
left to finish, and the cell is free; the connection to one that stays silent is ended. Unless ParaView's own process
computes meanwhile: an idle client often has the last word, so that alone is no sign that it waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pvlink.servers.link import NOTICE, SILENT, TICK
from pvlink.servers.origins import Origin

# A process that has used so much of the time works; one that waits in recv uses none.
AT_WORK = 0.2


def interrupted(
    address: str,
    origin: Origin,
    state: Callable[[], dict[str, Any]],
    cut: Callable[[str], None],
    look: Callable[[float], bool | None],
    worked: Callable[[], float],
) -> None:
    """Return once the cell may go on: the answer is there, or the server is at work, or it was cut off.

    `look` waits for some seconds; whether the answer is there, none where the user has interrupted again. `worked`:
    seconds of a processor that ParaView's own process has used.
    """
    began, before = time.monotonic(), worked()
    hung = origin.hung()
    while not hung and time.monotonic() - began < SILENT:
        done = look(TICK)
        if done:
            return
        now = state()
        silent = now["heard"] is None or now["heard"] >= time.monotonic() - began
        if now["state"] != "live" or not now["waiting"] or not silent:
            # The server is at work, or it is not the server that is waited for.
            return
        if done is None:
            break
    if not hung and worked() - before > AT_WORK * (time.monotonic() - began):
        return
    seconds = state()["heard"] or 0.0
    cut(
        f"The ParaView server at {address} had said nothing for {seconds:.0f} s, and was cut off when the cell was "
        "interrupted."
        + (f" {hung}" if hung else "")
        + " The picture is the last one. pvlink.session().reconnect() brings the pipeline back."
    )
    deadline = time.monotonic() + NOTICE
    while time.monotonic() < deadline and look(TICK) is False:
        pass
