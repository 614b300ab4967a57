"""How a server is started under MPI: command lines and environments, by what `mpiexec --version` says of itself.

Pure; what they look like is in the tests, word by word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

# A kernel that has initialised MPI, or runs inside a job, passes these on; an mpiexec that finds them takes itself for
# a part of that job and fails, or starts its ranks on the job's other hosts.
OF_ANOTHER_JOB = ("OMPI_", "PMIX_", "PMI_", "PRTE_", "SLURM_", "PBS_", "LSB_", "HYDRA_", "HYDI_", "MPIR_")
# The kernel's Python is not the server's.
OF_ANOTHER_PYTHON = ("PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONSTARTUP", "MPLBACKEND")
_NAMES = frozenset({*OF_ANOTHER_PYTHON, "PE_HOSTFILE", "MPI_LOCALNRANKS", "MPI_LOCALRANKID", "PMIX_RANK"})


@dataclass(frozen=True)
class Mpi:
    """Which MPI an mpiexec belongs to."""

    kind: Literal["openmpi", "mpich"]
    major: int

    @property
    def name(self) -> str:
        return "Open MPI" if self.kind == "openmpi" else "MPICH (Hydra)"


def recognise(said: str) -> Mpi | None:
    """From what `mpiexec --version` prints; none if it is neither of the two."""
    if found := re.search(r"(?:Open MPI\)|OpenRTE\)|Open MPI) v?(\d+)\.", said):
        return Mpi("openmpi", int(found[1]))
    if "HYDRA" in said.upper() or "MPICH" in said.upper() or "Intel(R) MPI" in said:
        found = re.search(r"Version:?\s+(\d+)\.", said)
        return Mpi("mpich", int(found[1]) if found else 0)
    return None


def launch(program: str, mpi: Mpi, ranks: int, folder: str) -> list[str]:
    """What stands before a rank's command. `folder`: for the files MPI makes; everything stays on this host."""
    if mpi.kind == "mpich":
        return [program, "-launcher", "fork", "-iface", "lo", "-n", str(ranks)]
    # Named, because a fast network's library would be tried first; all ranks are here, and meet in shared memory.
    shared = "vader" if mpi.major < 5 else "sm"
    parameters = {
        "pml": "ob1",
        "btl": f"self,{shared}",
        f"btl_{shared}_backing_directory": folder,
        "orte_tmpdir_base": folder,
        "oob_tcp_if_include": "lo",
        # Its ranks are started by its own thread: a rank dies with the thread that started it.
        "odls_base_num_threads": "0",
        # Or an idle rank keeps a core for itself: the notebook, the engine and the browser want some, too.
        "mpi_yield_when_idle": "1",
    }
    words = [word for name, value in parameters.items() for word in ("--mca", name, value)]
    where = ["--oversubscribe"] if mpi.major < 5 else ["--map-by", ":OVERSUBSCRIBE"]
    # Bound to one core, a rank's own threads would share it.
    return [program, *where, "--bind-to", "none", "-n", str(ranks), *words]


def environment(outer: Mapping[str, str], mpi: Mpi | None, *, root: bool, folder: str) -> dict[str, str]:
    """`outer`, without what belongs to another job or another Python, and with what this MPI needs."""
    kept = {name: value for name, value in outer.items() if not name.startswith(OF_ANOTHER_JOB) and name not in _NAMES}
    # MPI's hwloc knocks at every X display from :0 to :9, other users' too, and prints each refusal.
    kept.setdefault("HWLOC_COMPONENTS", "-gl")
    if mpi is not None and mpi.kind == "openmpi":
        if root:
            kept |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        if mpi.major >= 5:
            kept["PRTE_MCA_prte_tmpdir_base"] = folder
    return kept


def server(level: str, program: str, port: int, connect_id: int, arguments: Sequence[str], *, alone: bool) -> list[str]:
    """A pvserver's own command. In reverse, `port` is where it finds us. `alone`: its one rank needs no MPI."""
    ways = {
        "reverse": ["--reverse-connection", "--client-host=127.0.0.1"],
        "loopback": ["--bind-address=127.0.0.1"],
    }
    # MPI would listen on all addresses for ranks that never come.
    mpi = ["--no-mpi"] if alone else []
    return [program, *mpi, *ways.get(level, []), f"--server-port={port}", f"--connect-id={connect_id}", *arguments]


# What a server prints once all its ranks are there.
READY = {"reverse": "Connection URL: csrc:"}
LISTENING = "Accepting connection(s):"


def ready(level: str) -> str:
    return READY.get(level, LISTENING)
