"""The proof that the tests bite: each promise is broken once, in a copy of the tree, and its tests must turn red.

The table of what caught what is written to build/bite.md.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak.breaks import FAULTS, PROMISES, Break

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "build" / "bite.md"
PATIENCE_S = 400
RED = re.compile(r"^FAILED (?:\S*/)?(\S+?)(?: - .*)?$", re.MULTILINE)


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    """Rows of what was broken and which test noticed."""
    rows: list[str] = []
    yield rows
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text("\n".join(["| broken | noticed by |", "|---|---|", *rows]) + "\n")


@pytest.mark.soak
@pytest.mark.timeout(2 * PATIENCE_S)
@pytest.mark.parametrize("broken", [*PROMISES, *FAULTS], ids=lambda broken: broken.promise)
def test_a_broken_promise_turns_its_tests_red(broken: Break, tmp_path: Path, table: list[str]) -> None:
    copy = tmp_path / "copy"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    # Built, so git does not have it; the link door's page.
    shutil.copytree(ROOT / "pvlink" / "static", copy / "pvlink" / "static", dirs_exist_ok=True)
    code, said = run(copy, broken.tests)
    assert code == 0, f"the tests must be green before anything is broken:\n{said[-3000:]}"
    file = copy / broken.file
    text = file.read_text()
    assert broken.keeps in text, f"{broken.file} has changed: say anew which line keeps the promise"
    file.write_text(text.replace(broken.keeps, broken.breaks))
    code, said = run(copy, broken.tests)
    assert code == 1, said[-3000:]
    table.append(f"| {broken.promise} | `{', '.join(dict.fromkeys(RED.findall(said)))}` |")


def run(copy: Path, tests: str) -> tuple[int, str]:
    """pytest's exit code (0 all green, 1 something red) and what it said; it stops at the first red."""
    # The copy's pvlink, in all processes that the tests start, not the installed one.
    environment = os.environ | {"PYTHONPATH": str(copy)}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-rf", "-p", "no:cacheprovider", *tests.split()]
    done = subprocess.run(
        command, cwd=copy, env=environment, timeout=PATIENCE_S, check=False, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr
