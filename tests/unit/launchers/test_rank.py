"""A rank of a server and the keeper of its node's X server: whatever happens to the one, the other does not linger."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.household import until

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[3]
RANK = "import sys; from pvlink.launchers.node.rank import main; main(sys.argv[1:])"


class Rank:
    """One that becomes `sleep`, with an Xvfb of the test's own."""

    def __init__(self, tmp_path: Path, xvfb: str) -> None:
        self.node = tmp_path / "node"
        plan = {"key": "20260101-00000000", "display": "own", "pvserver": "sleep"}
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        programs = tmp_path / "programs"
        programs.mkdir()
        (programs / "Xvfb").write_text(f"#!/bin/sh\n{xvfb}\n")
        (programs / "Xvfb").chmod(0o755)
        self.process = subprocess.Popen(
            [sys.executable, "-c", RANK, str(tmp_path / "plan.json"), str(self.node), "60"],
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
        )

    def keeper(self) -> psutil.Process:
        until(lambda: (self.node / "xauthority").exists())
        (found,) = psutil.Process(self.process.pid).children()
        return found


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Rank]:
    """Its X server does not come."""
    rank = Rank(tmp_path, "exec sleep 60")
    yield rank
    rank.process.kill()
    rank.process.communicate()


def test_who_is_killed_while_the_x_server_starts_leaves_nothing(slow: Rank) -> None:
    keeper = slow.keeper()
    slow.process.kill()
    until(lambda: not keeper.is_running() and not slow.node.exists(), 10)


def test_a_job_that_is_ended_meanwhile_does_not_wait_for_it(slow: Rank) -> None:
    # As Slurm does, all at once.
    keeper = slow.keeper()
    keeper.send_signal(signal.SIGTERM)
    slow.process.kill()
    until(lambda: not keeper.is_running() and not slow.node.exists(), 10)


def test_why_there_is_no_x_server_is_read_before_it_is_cleared_away(tmp_path: Path) -> None:
    rank = Rank(tmp_path, "exit 1")
    _, said = rank.process.communicate(timeout=30)
    assert "gave no display (exit code 1)" in said.decode()
    until(lambda: not rank.node.exists(), 10)
