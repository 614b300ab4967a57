"""`pvlink doctor` and `pvlink.doctor()`: what works here, what does not, and what to do about it, in plain words.

It looks and changes nothing: what it starts (ParaView, for one picture) it ends. Each look has a bound in time.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Iterator
from typing import Any

from pvlink import pvpython
from pvlink.checkup import displays, engines, extensions, frontends, machine, pvservers, running, servers, software
from pvlink.checkup.bounds import FAREWELL_SECONDS, Pending
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
    yield from software.this()
    sockets = Pending("sockets", machine.sockets, SHORT).findings()
    yield from sockets
    own_sockets = any(not finding.good for finding in sockets)
    # All of these look at the same time; they are told in the order in which they stand here.
    looking = [
        Pending("libraries", software.libraries, software.LIBRARY_PATIENCE + FAREWELL_SECONDS + 2),
        Pending("viewer", software.viewer, SHORT),
        *_paraview(session, patience, own_sockets=own_sockets),
        Pending("pvserver", pvservers.findings, SHORT),
        Pending("open-files", machine.files, SHORT),
        Pending("memory", machine.memory, SHORT),
        Pending("jupyter", lambda: _jupyter(session), 3 * SHORT),
        Pending("frontend", frontends.findings, SHORT),
        Pending("policy", software.policies, SHORT),
    ]
    if session is not None and not _inside(session):
        looking.append(Pending("engine", functools.partial(running.engine, session), SHORT, running.BUSY))
        looking.append(Pending("streamer", functools.partial(running.streamer, session), SHORT))
    for pending in looking:
        yield from pending.findings()
    if session is not None and _inside(session):
        # Its pictures are drawn by whoever asks: in this thread, or never.
        yield from running.engine(session)
        yield from running.streamer(session)


def _inside(session: Any) -> bool:
    """Whether the kernel itself draws."""
    return not hasattr(session, "about")


def _paraview(session: Any, patience: float, *, own_sockets: bool) -> list[Pending]:
    """Tried, unless a session that lives shows that it works, or the kernel has its own and start() would refuse."""
    if session is None and frontends.loaded():
        return [Pending("paraview", _in_the_kernel, SHORT)]
    if session is not None and session.alive:
        kinds = [] if _inside(session) else [Pending("paraview", engines.which, SHORT)]
        return [*kinds, Pending("display", lambda: [engines.screen(displays.look(), None)], SHORT)]

    def start() -> Iterator[Finding]:
        display = displays.look()
        try:
            path = str(pvpython.find().path)
        except PvlinkError:
            # Told by `which`.
            yield engines.screen(display, None)
            return
        trial = engines.attempt(patience, own_sockets=own_sockets)
        yield from engines.verdict(trial, path, display, patience)
        yield engines.screen(display, trial)

    seconds = patience + FAREWELL_SECONDS + 5
    return [Pending("paraview", engines.which, SHORT), Pending("start", start, seconds)]


def _in_the_kernel() -> Iterator[Finding]:
    yield Finding(
        "paraview",
        "note",
        f"This kernel has imported {' and '.join(frontends.loaded())} itself: its own views are drawn in the "
        "kernel, and are as alive as it is idle",
        "`display(view)` or `pvlink.show(plotter)` shows one. For views that live while a cell runs: restart the "
        "kernel and call `pvlink.start()` before anything else.",
    )


def _jupyter(session: Any) -> Iterator[Finding]:
    folders = extensions.paths(sys.executable)
    connection = frontends.connection_file()
    # A kernel's own file lies where its server keeps its own.
    runtime = list(dict.fromkeys([*folders.get("runtime", []), *([connection.parent] if connection else [])]))
    mine = servers.parent() if connection else None
    python = None if mine is None else servers.python_of(mine)
    if python is not None and servers.environment(python) != servers.environment(sys.executable):
        # What counts is what Jupyter has, not what the kernel has.
        settings = list(extensions.settings(extensions.paths(python), python))
    else:
        settings = list(extensions.settings(folders, sys.executable))
    # Where Jupyter is nobody knows where, this may not be the environment that counts.
    found_out = mine is None or any(server.pid == mine for server in servers.running(runtime))
    yield from settings if found_out else map(_noted, settings)
    yield from servers.findings(runtime, None if session is None else session.id, mine)


def _noted(finding: Finding) -> Finding:
    return finding if finding.good else dataclasses.replace(finding, level="note")
