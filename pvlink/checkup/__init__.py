"""`pvlink doctor` and `pvlink.doctor()`: what works here, what does not, and what to do about it, in plain words.

It looks and changes nothing: what it starts (ParaView, for one picture) it ends. Each look has a bound in time.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from pvlink import pvpython
from pvlink.checkup import displays, engines, extensions, frontends, machine, running, servers, software
from pvlink.checkup.bounds import FAREWELL_SECONDS, Check, Pending
from pvlink.checkup.findings import Finding, Report
from pvlink.errors import PvlinkError

# How long ParaView may take to start and draw; two seconds are usual, a cold network disk takes half a minute.
PATIENCE = 45.0
# For what only reads a few files, or asks a server on this machine.
SHORT = 15.0

__all__ = ["PATIENCE", "Finding", "Report", "examine"]


def examine(session: Any = None, *, patience: float = PATIENCE) -> Report:
    """Look at everything. `session`: the kernel's; `patience`: seconds that ParaView may take to start."""
    return Report(_findings(session, patience))


def _findings(session: Any, patience: float) -> Iterator[Finding]:
    first: list[tuple[str, Check]] = [("pvlink", software.this), ("sockets", machine.sockets)]
    for name, check in first:
        found = Pending(name, check, SHORT).findings()
        yield from found
    sockets_work = all(finding.good for finding in found)
    # Everything below looks at the same time; it is told in the order in which it stands here.
    checks: list[tuple[str, Check, float]] = [
        ("libraries", software.libraries, software.LIBRARY_PATIENCE + FAREWELL_SECONDS + 2),
        ("viewer", software.viewer, SHORT),
        *_paraview(session, patience, own_sockets=not sockets_work),
        ("open-files", machine.files, SHORT),
        ("memory", machine.memory, SHORT),
        ("jupyter", lambda: _jupyter(session), 3 * SHORT),
        ("frontend", frontends.findings, SHORT),
        *_session(session),
        ("policy", software.policies, SHORT),
    ]
    for pending in [Pending(*check) for check in checks]:
        yield from pending.findings()


def _paraview(session: Any, patience: float, *, own_sockets: bool) -> list[tuple[str, Check, float]]:
    """Tried, unless one that lives shows that it works, or the kernel has its own and start() would refuse."""
    if session is None and frontends.loaded():
        return [("paraview", _in_the_kernel, SHORT)]
    if session is not None and session.alive:
        return [("paraview", engines.which, SHORT), ("display", lambda: [engines.screen(displays.look(), None)], SHORT)]

    def start() -> Iterator[Finding]:
        display = displays.look()
        try:
            path = str(pvpython.find().path)
        except PvlinkError:
            path = ""
        trial = engines.attempt(patience, own_sockets=own_sockets)
        if path or trial.about:
            yield from engines.verdict(trial, path, display, patience)
        yield engines.screen(display, trial)

    return [("paraview", engines.which, SHORT), ("start", start, patience + FAREWELL_SECONDS + 5)]


def _in_the_kernel() -> Iterator[Finding]:
    yield Finding(
        "paraview",
        "note",
        f"This kernel has imported {' and '.join(frontends.loaded())} itself: its own views are drawn in the "
        "kernel, and are as alive as it is idle",
        "For views that live while a cell runs: restart the kernel, and call `pvlink.start()` before anything else.",
    )


def _jupyter(session: Any) -> Iterator[Finding]:
    folders = extensions.paths()
    yield from extensions.settings(folders)
    connection = frontends.connection_file()
    # A kernel's own file lies where its server keeps its own.
    runtime = [*folders.get("runtime", []), *([connection.parent] if connection else [])]
    mine = servers.parent() if connection else None
    yield from servers.findings(dict.fromkeys(runtime), None if session is None else session.id, mine)


def _session(session: Any) -> list[tuple[str, Check, float]]:
    if session is None:
        return []
    return [
        ("engine", functools.partial(running.engine, session), SHORT),
        ("streamer", functools.partial(running.streamer, session), SHORT),
    ]
