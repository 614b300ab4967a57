"""How a server ended, by what its warden saw and mpiexec said."""

from __future__ import annotations

from typing import Any

import pytest

from pvlink.servers.deaths import words

pytestmark = pytest.mark.servers

KILLED = """
--------------------------------------------------------------------------
mpiexec noticed that process rank 2 with PID 0 on node vm exited on signal 9 (Killed).
--------------------------------------------------------------------------"""
EXITED = """
--------------------------------------------------------------------------
mpiexec detected that one or more processes exited with non-zero status, thus causing
the job to be terminated. The first process to do so was:

  Process name: [[21739,1],3]
  Exit code:    1
--------------------------------------------------------------------------"""
HYDRA = """
===================================================================================
=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES
=   PID 12 RUNNING AT node17
=   EXIT CODE: 9
===================================================================================
YOUR APPLICATION TERMINATED WITH THE EXIT STRING: Killed (signal 9)"""
HYDRA_EXITED = "=   EXIT CODE: 3\n=   CLEANING UP REMAINING PROCESSES"


@pytest.mark.parametrize(
    ("how", "said", "expected"),
    [
        ({"asked": True}, KILLED, "it was ended, as asked"),
        ({"asked": False}, "", "the session that had started it was gone"),
        ({"terminated": True}, "", "the process that held it was asked to end (SIGTERM)"),
        ({"kernel": True}, "", "the session that had started it was gone"),
        ({"failed": "No such file"}, "", "it could not be started: No such file"),
        ({"xvfb": -9}, "", "its X server (Xvfb) was killed by signal 9"),
        ({"status": 0}, "", "it ended by itself, in order (exit code 0)"),
        ({"status": -9, "dead": [0]}, "", "mpiexec was killed by signal 9"),
        ({"status": 137, "dead": [2]}, KILLED, "rank 2 was killed by signal 9"),
        ({"status": 1, "dead": [3]}, EXITED, "rank 3 ended with exit code 1"),
        ({"status": 9}, HYDRA, "a rank was killed by signal 9"),
        ({"status": 3}, HYDRA_EXITED, "a rank ended with exit code 3"),
        ({"status": 213}, "nothing we know", "mpiexec ended with exit code 213"),
        ({"dead": [1]}, "", "rank 1 ended, and mpiexec did not say how"),
        ({"dead": [1, 0]}, "", "ranks 1 and 0 ended, and mpiexec did not say how"),
        # It has told us, and then did not end.
        ({"dead": [2]}, KILLED, "rank 2 was killed by signal 9"),
    ],
)
def test_under_mpi(how: dict[str, Any], said: str, expected: str) -> None:
    assert words(how, said, with_mpi=True) == expected


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"status": 0}, "it ended by itself, in order (exit code 0)"),
        ({"status": -11}, "rank 0 was killed by signal 11"),
        ({"status": 106}, "rank 0 ended with exit code 106"),
        ({"dead": [0]}, "rank 0 ended"),
    ],
)
def test_alone(how: dict[str, Any], expected: str) -> None:
    assert words(how, KILLED, with_mpi=False) == expected
