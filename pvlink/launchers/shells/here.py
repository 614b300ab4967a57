"""This machine: a laptop, or a node of the cluster itself."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from pvlink.errors import JobError
from pvlink.launchers.shells import Dialled, Done
from pvlink.launchers.slurm import environment
from pvlink.servers.mpi import OF_ANOTHER_PYTHON

# This kernel's own Python and display are not a job's.
_OURS = (*OF_ANOTHER_PYTHON, "DISPLAY", "XAUTHORITY")
# To a node of the same cluster.
CONNECT_SECONDS = 10.0


class Here:
    """Commands as this process's children."""

    def run(self, command: Sequence[str], *, given: str = "", timeout: float = 60.0) -> Done:
        kept = {name: value for name, value in environment(dict(os.environ)).items() if name not in _OURS}
        try:
            done = subprocess.run(
                list(command),
                input=given,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                env=kept,
                check=False,
                # A Ctrl-C in the notebook is for the notebook.
                start_new_session=True,
            )
        except FileNotFoundError:
            raise JobError(f"There is no {command[0]} on this machine ({os.uname().nodename}).") from None
        except subprocess.TimeoutExpired:
            raise JobError(f"{command[0]} has not answered for {timeout:.0f} s on {os.uname().nodename}.") from None
        except OSError as error:
            raise JobError(f"{command[0]} could not be run: {error.strerror}.") from None
        return Done(done.returncode, done.stdout, done.stderr)

    def dial(self, host: str, door: str, port: int) -> Dialled:
        near = host == os.uname().nodename and Path(door).exists()
        if not near and not port:
            raise JobError(f"The job's door is {door} on {host}, which is not this machine, and it has no port.")
        began = time.monotonic()
        try:
            sock = _connected(door) if near else socket.create_connection((host, port), CONNECT_SECONDS)
        except OSError as error:
            raise JobError(
                f"The job's door at {door if near else f'{host}:{port}'} cannot be reached from "
                f"{os.uname().nodename}: {error.strerror or error}."
            ) from None
        return Dialled(sock, None if near else (time.monotonic() - began) * 1e3)

    def close(self) -> None:
        """Nothing is open."""


def _connected(door: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(CONNECT_SECONDS)
        sock.connect(door)
    except BaseException:
        sock.close()
        raise
    return sock
