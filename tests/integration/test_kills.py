"""kill -9, of one or two at once, in an order nobody chose: five seconds later all is gone, or on its way back."""

from __future__ import annotations

import os
import random
import signal
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import pytest
from jupyter_client.manager import start_new_kernel

from tests.integration.household import household, listeners, until, x_socket
from tests.integration.watcher import Watcher

pytestmark = pytest.mark.trust

SEED = 20
# Who is killed; of these, all but one of the processes that could tidy up may be dead at once.
VICTIMS = [
    ("kernel",),
    ("engine",),
    ("streamer",),
    ("x",),
    ("engine", "streamer"),
    ("streamer", "engine"),
    ("streamer", "x"),
    ("engine", "x"),
    ("streamer", "kernel"),
    ("kernel", "streamer"),
    ("kernel", "engine"),
]
BEGIN = """\
import pvlink
session = pvlink.start()
from paraview.simple import *
cone = Cone(Resolution=9)
Show(cone)
view = GetActiveView()
widget = pvlink.show(view)
session.desk.save()
"""
WHO = "print(session.about['pid'], session._streamer.pid, session.id, widget.view, session.about['screen'], sep='|')"


class Notebook:
    """A real kernel, idle between its cells."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.manager, self.client = start_new_kernel(
            env=os.environ | {"PVLINK_RUNTIME_DIR": str(directory)}, extra_arguments=["--log-level=ERROR"]
        )
        self.run(BEGIN)
        self.look()

    def run(self, code: str) -> str:
        said: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                said.append(message["content"]["text"])

        reply = self.client.execute_interactive(code, timeout=60, output_hook=hear)
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(said)

    def look(self) -> None:
        """Who is who now."""
        engine, streamer, session, self.view, screen = self.run(WHO).strip().split("|")
        kernel = self.run("import os; print(os.getpid())")
        self.pids = {"kernel": int(kernel), "engine": int(engine), "streamer": int(streamer)}
        self.pids["x"] = next(p.pid for p in psutil.Process(int(engine)).children() if p.name() == "Xvfb")
        self.path = self.directory / f"{session}.sock"
        self.x = x_socket(screen)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def shared_memory() -> set[str]:
    return {path.name for path in Path("/dev/shm").iterdir() if "pvlink" in path.name}


def all_gone(notebook: Notebook) -> None:
    """Nothing of a killed kernel is left."""
    pids = [pid for who, pid in notebook.pids.items() if who != "kernel"]
    until(lambda: all(gone(pid) for pid in pids))
    until(lambda: not household(notebook.directory))
    until(lambda: not notebook.path.exists() and not notebook.x.exists())


def dead_gone(notebook: Notebook, victims: tuple[str, ...]) -> None:
    """Of the dead and of what lived by them nothing is left; no cell has run meanwhile."""
    if {"engine", "x"} & set(victims):
        until(lambda: gone(notebook.pids["engine"]) and gone(notebook.pids["x"]) and not notebook.x.exists())
    if "streamer" in victims:
        until(lambda: not notebook.path.exists())


def kills(count: int, seed: int) -> None:
    chosen = random.Random(seed)
    directory = Path(tempfile.mkdtemp(prefix="pvl-"))
    before = shared_memory()
    notebook = Notebook(directory)
    try:
        for number in range(count):
            victims = VICTIMS[number % len(VICTIMS)] if count >= len(VICTIMS) else chosen.choice(VICTIMS)
            print(f"{number}: {', '.join(victims)}")  # noqa: T201 - what a failure's report needs
            for victim in victims:
                os.kill(notebook.pids[victim], signal.SIGKILL)
            if "kernel" in victims:
                all_gone(notebook)
                notebook.close()
                notebook = Notebook(directory)
            else:
                dead_gone(notebook, victims)
                assert "are back" in (said := notebook.run("session.restart()")) or "is back" in said
                view = notebook.view
                notebook.look()
                assert notebook.view == view
                assert notebook.run("print(cone.Resolution)") == "9\n"
            with Watcher(notebook.path, notebook.view, 320, 240) as viewer:
                viewer.still()
    finally:
        notebook.close()
    until(lambda: not household(directory))
    assert listeners(directory) == []
    assert shared_memory() == before
    directory.rmdir()


def test_three_kills() -> None:
    kills(3, SEED)


@pytest.mark.soak
def test_twenty_kills() -> None:
    kills(20, SEED + 1)
