"""The session of this kernel: are its processes alive, how quick are they, who watches, what listens where."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from pvlink import rendezvous
from pvlink.checkup.engines import graphics
from pvlink.checkup.findings import Facts, Finding
from pvlink.errors import PvlinkError

ROUNDS = 15
# A question that takes longer is felt in a drag.
SLOW_MS = 50.0
RESTART = "`pvlink.session().restart()` in a cell"
_STATES = {"T": "is stopped (a debugger, or Ctrl-Z)", "Z": "has ended", "X": "has ended"}


class Session(Protocol):
    """What the doctor asks of a session."""

    id: str
    about: dict[str, Any]

    @property
    def alive(self) -> bool: ...
    def view_id(self, obj: Any) -> str | None: ...
    def ask(self, op: str, **facts: Any) -> dict[str, Any]: ...


def engine(session: Session) -> Iterator[Finding]:
    """Whether ParaView's process lives, and how long a question to it takes."""
    pid = int(session.about["pid"])
    facts: Facts = {"pid": pid, **{key: str(value) for key, value in session.about.items() if key != "pid"}}
    state = _state(pid)
    if state is None or state in _STATES:
        how = _STATES.get(state or "X", "")
        yield Finding(
            "engine",
            "problem",
            f"ParaView's process ({pid}) {how}. The kernel and its variables are unharmed",
            f"{RESTART} brings the pipeline back as it was after the last cell."
            if state != "T"
            else f"`kill -CONT {pid}` in a terminal lets it go on.",
            facts,
        )
        return
    milliseconds = _median(lambda: session.view_id(None))
    facts["round_trip_ms"] = round(milliseconds, 2)
    what = f"ParaView {session.about['paraview']}" if session.about.get("paraview") else "The engine"
    where = session.about.get("screen", "")
    sentence = f"{what} is alive (process {pid}, {where}); a question to it takes {milliseconds:.1f} ms"
    slow = milliseconds > SLOW_MS
    yield Finding(
        "engine",
        "note" if slow else "ok",
        sentence,
        "The machine is busy: `top` in a terminal says with what." if slow else "",
        facts,
    )
    with contextlib.suppress(PvlinkError, AttributeError, RuntimeError, ValueError):
        if said := _renderer(session):
            yield graphics(said)


def streamer(session: Session) -> Iterator[Finding]:
    """Whether the process that sends the pictures lives, who watches, and what it listens on."""
    path = rendezvous.find(session.id)
    try:
        milliseconds = _median(lambda: _knock(session))
        said = session.ask("report")["report"]
    except PvlinkError as error:
        yield Finding(
            "streamer",
            "problem",
            str(error).splitlines()[0],
            f"{RESTART} brings it back; the pipeline is untouched.",
        )
        return
    facts: Facts = {"round_trip_ms": round(milliseconds, 2), "socket": str(path)}
    yield Finding(
        "streamer",
        "ok",
        f"The process that sends the pictures is alive; a question to it takes {milliseconds:.1f} ms",
        facts=facts,
    )
    yield from _viewers(said)
    doors = [str(one) for one in said["doors"]]
    listens = f"It listens on {path} (yours only)"
    if doors:
        yield Finding(
            "listening",
            "note",
            f"{listens}, and for shared links on {', '.join(doors)} (TLS, with a password)",
            "`share.revoke()` or the view's Sharing panel ends a link, and its door with it.",
            {"socket": str(path), "doors": doors},
        )
    else:
        yield Finding("listening", "ok", f"{listens}; no port is open", facts={"socket": str(path), "doors": doors})


def _viewers(said: dict[str, Any]) -> Iterator[Finding]:
    for view, stats in said["views"].items():
        ways = ", ".join(sorted(set(stats["ways"]))) or "nobody"
        facts: Facts = {
            "view": view,
            "clients": stats["clients"],
            "frames_per_s": stats["frames_per_s"],
            "ways": sorted(stats["ways"]),
        }
        sentence = f"View {view}: {stats['clients']} watching (by {ways}), {stats['frames']} pictures so far"
        trip = stats.get("input_ms")
        if trip:
            facts["input_ms"] = trip["p50"]
            sentence += f"; from a hand's move to its picture {trip['p50']:.0f} ms"
        yield Finding("viewers", "ok", sentence, facts=facts)


def _knock(session: Session) -> None:
    # A streamer that refuses has answered.
    with contextlib.suppress(ValueError):
        session.ask("report")


def _state(pid: int) -> str | None:
    """A letter, as proc(5) has it; none for no such process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return None


def _median(ask: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times)


def _renderer(session: Any) -> dict[str, str] | None:
    """Of the active view; none where there is none."""
    view = session.desk.attribute("paraview.simple", "GetActiveView")()
    return None if view is None else dict(session.desk.renderer(view))
