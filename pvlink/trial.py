"""Start pvlink as a user would, draw one picture, say how it went: the doctor's trial, in a process of its own.

Of its own, so that whatever ParaView does on this machine (hang, crash, take a driver with it) is only told.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import statistics
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any

from pvlink import api
from pvlink.errors import PvlinkError
from pvlink.sessions import Session

SIZE = (320, 240)
ROUNDS = 20
PICTURE_PATIENCE = 30.0
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """The only argument: the descriptor that takes the report, one JSON object a line."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
    fd = int(sys.argv[1])

    def say(**facts: object) -> None:
        os.write(fd, json.dumps(facts).encode() + b"\n")

    began = time.monotonic()
    session: Session | None = None
    try:
        session = api.start()
        say(stage="started", about=dict(session.about), seconds=time.monotonic() - began)
        say(stage="drawn", **_picture(session))
    except (PvlinkError, ValueError, RuntimeError, OSError, ImportError) as error:
        say(stage="failed", kind=type(error).__name__, message=str(error))
    except KeyboardInterrupt:
        say(stage="interrupted")
    finally:
        if session is not None:
            session.stop()


def _picture(session: Session) -> dict[str, Any]:
    """What a sphere looked like, how long that took, and how long a question takes."""
    began = time.monotonic()
    view = _scene(session)
    name = session.watch(view, *SIZE)
    png = session.picture(name, PICTURE_PATIENCE)
    drawn = time.monotonic() - began
    return {
        "seconds": drawn,
        "values": distinct_values(png),
        "renderer": dict(session.desk.renderer(view)),
        "engine_ms": median_ms(lambda: session.view_id(None)),
        "streamer_ms": median_ms(lambda: session.stats(name)),
    }


def _scene(session: Session) -> Any:
    return _window(session) if session.about["kind"] == "vtk" else _view(session)


def _view(session: Session) -> Any:
    """ParaView's active view, of a sphere."""

    def simple(name: str, *arguments: Any) -> Any:
        return session.desk.call("paraview.simple", name, arguments, {})

    simple("Show", simple("Sphere"))
    return simple("GetActiveView")


def _window(session: Session) -> Any:
    """A window of VTK's, of a sphere."""

    def make(name: str, module: str = "vtkRenderingCore") -> Any:
        return session.desk.attribute(f"vtkmodules.{module}", name)()

    sphere, mapper, actor = make("vtkSphereSource", "vtkFiltersSources"), make("vtkPolyDataMapper"), make("vtkActor")
    mapper.SetInputConnection(sphere.GetOutputPort())
    actor.SetMapper(mapper)
    renderer, window = make("vtkRenderer"), make("vtkRenderWindow")
    renderer.AddActor(actor)
    window.AddRenderer(renderer)
    return window


def median_ms(ask: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times)


def distinct_values(png: bytes) -> int:
    """How many different bytes a PNG holds, unpacked: a flat picture has a few, a lit sphere many."""
    packed, at = b"", 8
    while at < len(png):
        length = int.from_bytes(png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + length]
        at += 12 + length
    return len(set(zlib.decompress(packed)))


if __name__ == "__main__":
    main()
