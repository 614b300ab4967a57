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
from pvlink.errors import EngineLost, PvlinkError

ROUNDS = 15
# A question that takes longer is felt in a drag.
SLOW_MS = 50.0
BUSY = (
    "A question to the engine took more than {seconds:.0f} s: it is at work on something long, or hangs.",
    "Wait for it, or interrupt the cell. `pvlink.session().restart()` ends it and brings the pipeline back.",
)
# How a viewer came in (the wire's own words), in the user's.
WAYS = {
    "jupyter": "by Jupyter's relay",
    "link": "by a shared link",
    "direct": "directly, past Jupyter",
    "comm": "by the kernel's own messages, which rest while a cell runs",
}
RESTART = "`pvlink.session().restart()` in a cell"
# Of the active view; a heavier scene is not waited for.
PICTURE_PATIENCE = 3.0


class Session(Protocol):
    """What the doctor asks of any session."""

    id: str

    @property
    def alive(self) -> bool: ...
    def active_view(self) -> Any: ...
    def view_id(self, obj: Any) -> str | None: ...
    def ask(self, op: str, **facts: Any) -> dict[str, Any]: ...


def engine(session: Any) -> Iterator[Finding]:
    """Whether what draws is alive, and how long a question to it takes."""
    about: dict[str, Any] | None = getattr(session, "about", None)
    if about is None:
        sentence = f"{session.name} of this kernel draws: its views are as alive as the kernel is idle"
        yield Finding("engine", "ok", sentence, facts={"name": session.name, "inside": True})
        return
    pid = int(about["pid"])
    facts: Facts = {"pid": pid, **{key: str(value) for key, value in about.items() if key != "pid"}}
    state = _state(pid) or "X"
    if state == "T":
        sentence = f"{about['name']}'s process ({pid}) is stopped: by a debugger, or by hand"
        yield Finding("engine", "problem", sentence, f"`kill -CONT {pid}` in a terminal lets it go on.", facts)
        return
    try:
        milliseconds = None if state in "XZ" else _median(lambda: session.view_id(None))
    except EngineLost:
        milliseconds = None
    if milliseconds is None:
        cure = f"The kernel and its variables are unharmed. {RESTART} brings the pipeline back as it was."
        yield Finding("engine", "problem", f"{about['name']}'s process ({pid}) has ended", cure, facts)
        return
    facts["round_trip_ms"] = round(milliseconds, 2)
    slow = milliseconds > SLOW_MS
    yield Finding(
        "engine",
        "note" if slow else "ok",
        f"{about['name']} is alive (process {pid}, {about['screen']}); a question to it takes {milliseconds:.1f} ms",
        "The machine is busy: `top` in a terminal says with what." if slow else "",
        facts,
    )
    # Without a picture the driver is not asked: where nothing was drawn that may end the process.
    with contextlib.suppress(PvlinkError, ValueError):
        view = session.active_view()
        if view is not None:
            session.picture(session.watch(view), PICTURE_PATIENCE)
            yield graphics(dict(session.desk.renderer(view)))


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
            f"{listens}, and on {', '.join(doors)} (TLS; a password or a ticket opens it)",
            "`share.revoke()` or the view's Sharing panel ends a link, and its door with it.",
            {"socket": str(path), "doors": doors},
        )
    else:
        yield Finding("listening", "ok", f"{listens}; no port is open", facts={"socket": str(path), "doors": doors})


def _viewers(said: dict[str, Any]) -> Iterator[Finding]:
    """Who watches each view, and which way its pictures take."""
    for view, stats in said["views"].items():
        ways = sorted(set(stats["ways"]))
        facts: Facts = {"view": view, "clients": stats["clients"], "frames_per_s": stats["frames_per_s"], "ways": ways}
        by = f" ({', '.join(WAYS.get(way, way) for way in ways)})" if ways else ""
        sentence = f"View {view}: {stats['clients']} watching{by}, {stats['frames']} pictures so far"
        if stats["input_ms"]:
            facts["input_ms"] = stats["input_ms"]["p50"]
            sentence += f"; from a hand's move to its picture {stats['input_ms']['p50']:.0f} ms"
        slow = "comm" in ways
        cure = "'server' and 'frontend' in this report say why Jupyter's relay is not used." if slow else ""
        yield Finding("viewers", "note" if slow else "ok", sentence, cure, facts)


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
