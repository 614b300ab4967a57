"""The two places a ParaView has beside its notebook: a process of its own, and the kernel itself. Driven alike here."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tests.integration.household import household
from tests.integration.own_kernel import OwnKernel
from tests.integration.scenes import pixels
from tests.integration.watcher import Watcher

Kind = Literal["process", "kernel"]
KINDS: tuple[Kind, ...] = ("process", "kernel")
FIRST = {
    "process": ["import pvlink", "session = pvlink.start()", "from paraview.simple import *"],
    "kernel": ["import pvlink\nfrom paraview.simple import *", "session = pvlink.session()"],
}
# Four ranks on two cores that others use, too.
PATIENCE = 90.0


class WrongError(AssertionError):
    """A cell raised that must not."""


@dataclass(frozen=True)
class Ran:
    """What came of a cell."""

    # Class and message of its exception.
    wrong: tuple[str, str] | None
    out: str
    err: str
    # When it was over, by the clock that all processes share.
    at: float


class Place:
    """A Jupyter kernel with a session in it."""

    def __init__(self, kind: Kind, python: str) -> None:
        self.kind = kind
        self.kernel = OwnKernel(python, *FIRST[kind])
        self.kernel.__enter__()
        self.directory = self.kernel.directory
        self.pid = self.kernel.pid
        self._cell = ""

    def begin(self, code: str) -> None:
        """Run a cell; `ended` waits for it."""
        self._cell = self.kernel.send(code)

    def ended(self, patience: float = PATIENCE) -> Ran:
        shown = self.kernel.until_idle(self._cell, patience=patience)
        wrong = None if shown.error is None else (shown.error[0], shown.error[1])
        return Ran(wrong, shown.out, shown.err, time.monotonic())

    def interrupt(self) -> float:
        """As a user does; when that was."""
        self.kernel.manager.interrupt_kernel()
        return time.monotonic()

    def household(self) -> dict[int, str]:
        """All processes of it, by their numbers: kernel, engine, streamer, servers."""
        return household(self.directory)

    def close(self) -> None:
        self.kernel.__exit__(None, None, None)


def attempt(place: Place, code: str, patience: float = PATIENCE) -> Ran:
    """A cell that may raise."""
    place.begin(code)
    return place.ended(patience)


def run(place: Place, code: str, patience: float = PATIENCE) -> str:
    """A cell that must not raise; what it printed."""
    ran = attempt(place, code, patience)
    if ran.wrong is not None:
        raise WrongError(f"{ran.wrong[0]}: {ran.wrong[1]}\n{ran.out}\n{ran.err}")
    return ran.out


def value(place: Place, expression: str) -> Any:
    """What an expression of plain data is there."""
    said = run(place, f"print('=', repr({expression}))")
    return eval(said.rpartition("= ")[2], {})  # noqa: S307 - our own kernel's answer


@contextlib.contextmanager
def place(kind: Kind, python: Callable[[], str]) -> Iterator[Place]:
    """`python`: one that has a ParaView, for the kernel that is to have it."""
    made = Place(kind, sys.executable if kind == "process" else python())
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def watched(place: Place, widget: str = "widget", size: tuple[int, int] = (400, 300)) -> Iterator[Watcher]:
    """Somebody who looks at a widget's view from outside, as a browser does."""
    name, view = value(place, f"(session.id, {widget}.view)")
    with Watcher(place.directory / f"{name}.sock", view, *size) as watcher:
        yield watcher


def picture(place: Place, widget: str = "widget") -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A widget's picture as the kernel has it."""
    folder = Path(tempfile.mkdtemp(prefix="pvp-"))
    try:
        run(place, f"_ = {widget}.screenshot({str(folder / 'a.png')!r})")
        return pixels((folder / "a.png").read_bytes())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def share(image: np.ndarray[Any, np.dtype[np.uint8]], colour: tuple[int, int, int]) -> float:
    """Of the pixels, those of exactly this colour."""
    return float((image == np.array(colour, np.uint8)).all(axis=2).mean())
