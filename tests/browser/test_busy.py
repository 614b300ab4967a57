"""The view stays alive while a cell runs, whatever the cell does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import mean, median

import pytest

from tests.browser.conftest import ROOT, SIX_LINES, Keep, Open
from tests.browser.notebook import BEGIN, Notebook

# A cell that counts, one that waits, and one inside a call that never lets another thread of the kernel run.
CELLS = {
    "counting": "while True: pass",
    "sleeping": "import time; time.sleep(600)",
    "holding the lock": "import ctypes; ctypes.PyDLL(None).usleep(3_000_000)",
}
# Rendered without a GPU on two cores, about 40 frames a second are all there is; a cell that counts takes one of
# the cores. A hand this slow leaves room, so what is measured is whether anything waits for the kernel.
PACE = 15.0
FAST = 60.0


@contextmanager
def running(opened: Notebook, index: int) -> Iterator[None]:
    opened.start(index)
    yield
    # A call that holds the lock cannot be interrupted.
    (opened.ended if list(CELLS)[index - 1] == "holding the lock" else opened.interrupt)()


@contextmanager
def counting_elsewhere() -> Iterator[None]:
    """The same load on the machine as a cell that counts, from a process that has nothing to do with us."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
    yield
    process.kill()
    process.wait()


def report(name: str, figures: dict[str, object]) -> None:
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / f"{name}.json").write_text(json.dumps(figures, indent=1))


@pytest.mark.soak
@pytest.mark.alone
def test_frames_come_as_fast_while_a_cell_runs(notebook: Open, keep: Keep) -> None:
    opened = notebook(SIX_LINES, *(BEGIN + cell for cell in CELLS.values()))
    opened.run(0)
    view = opened.view().live()
    view.rests()
    view.frames_per_second(1.0, PACE)
    idle = [view.frames_per_second(2.0, PACE)]
    ratios = {}
    for index, name in enumerate(CELLS, 1):
        with running(opened, index):
            busy = view.frames_per_second(2.0, PACE)
            keep(opened.page, f"busy-{name.replace(' ', '-')}")
        idle.append(view.frames_per_second(2.0, PACE))
        ratios[name] = busy / mean(idle[-2:])
    report("busy", {"pace": PACE, "idle": idle, "ratios": ratios})

    assert min(idle) > PACE * 0.8
    assert {name: ratio for name, ratio in ratios.items() if ratio < 0.9} == {}


@pytest.mark.soak
def test_a_cell_costs_the_view_nothing_but_its_share_of_the_machine(notebook: Open) -> None:
    opened = notebook(SIX_LINES, *(BEGIN + cell for cell in CELLS.values()))
    opened.run(0)
    view = opened.view().live()
    view.rests()
    view.frames_per_second(2.0, FAST)
    figures: dict[str, list[float]] = {name: [] for name in ("idle", "counting elsewhere", *CELLS)}
    # In turn: a machine that others use is not as fast now as it was a minute ago.
    for _ in range(7):
        for name in figures:
            if name == "idle":
                found = view.frames_per_second(2.0, FAST)
            elif name in CELLS:
                with running(opened, [*CELLS].index(name) + 1):
                    found = view.frames_per_second(2.0, FAST)
            else:
                with counting_elsewhere():
                    found = view.frames_per_second(2.0, FAST)
            figures[name].append(found)

    def ratio(name: str, to: str) -> float:
        """Round by round, then the middle one."""
        return median(found / other for found, other in zip(figures[name], figures[to], strict=True))

    ratios = {f"{name} to idle": ratio(name, "idle") for name in figures}
    ratios["counting to counting elsewhere"] = ratio("counting", "counting elsewhere")
    report("busy-fast", {"pace": FAST, "figures": figures, "ratios": ratios})

    assert ratios["sleeping to idle"] >= 0.9
    assert ratios["holding the lock to idle"] >= 0.9
    assert ratios["counting to counting elsewhere"] >= 0.9
