"""Command lines and environments under MPI, word by word."""

from __future__ import annotations

import pytest

from pvlink.servers.mpi import Mpi, environment, launch, ready, recognise, server

pytestmark = pytest.mark.servers

SAID = {
    "mpiexec (OpenRTE) 4.1.4\n\nReport bugs to http://www.open-mpi.org/community/help/": Mpi("openmpi", 4),
    "mpirun (Open MPI) 5.0.3\n": Mpi("openmpi", 5),
    "HYDRA build details:\n    Version:                                 4.0.2\n    Release Date: ...": Mpi("mpich", 4),
    "Intel(R) MPI Library for Linux* OS, Version 2021.10 Build 20230619": Mpi("mpich", 2021),
    "prterun: command not found": None,
    "": None,
}


@pytest.mark.parametrize("said", SAID)
def test_an_mpiexec_is_known_by_what_it_says(said: str) -> None:
    assert recognise(said) == SAID[said]


def test_open_mpi_4() -> None:
    assert launch("/usr/bin/mpiexec", Mpi("openmpi", 4), 4, "/dev/shm/f") == [
        "/usr/bin/mpiexec", "--oversubscribe", "--bind-to", "none", "-n", "4",
        "--mca", "pml", "ob1",
        "--mca", "btl", "self,vader",
        "--mca", "btl_vader_backing_directory", "/dev/shm/f",
        "--mca", "orte_tmpdir_base", "/dev/shm/f",
        "--mca", "oob_tcp_if_include", "lo",
        "--mca", "odls_base_num_threads", "0",
        "--mca", "mpi_yield_when_idle", "1",
    ]  # fmt: skip


def test_open_mpi_5() -> None:
    words = launch("mpiexec", Mpi("openmpi", 5), 2, "/dev/shm/f")
    assert words[:7] == ["mpiexec", "--map-by", ":OVERSUBSCRIBE", "--bind-to", "none", "-n", "2"]
    assert "self,sm" in words
    assert environment({}, Mpi("openmpi", 5), root=False, folder="/dev/shm/f") == {
        "HWLOC_COMPONENTS": "-gl",
        "PRTE_MCA_prte_tmpdir_base": "/dev/shm/f",
    }


def test_mpich() -> None:
    assert launch("mpiexec", Mpi("mpich", 4), 2, "f") == [
        "mpiexec", "-launcher", "fork", "-iface", "lo", "-n", "2",
    ]  # fmt: skip


def test_what_belongs_to_another_job_or_python_stays_away() -> None:
    outer = {
        "HOME": "/home/ann",
        "LD_LIBRARY_PATH": "/opt/mpi/lib",
        "OMPI_COMM_WORLD_RANK": "0",
        "PMIX_SERVER_URI4": "tcp://",
        "PMI_FD": "7",
        "SLURM_JOB_ID": "12",
        "PBS_ENVIRONMENT": "1",
        "PE_HOSTFILE": "/var/spool/hosts",
        "PYTHONHOME": "/opt/conda",
        "PYTHONPATH": "/home/ann/lib",
        "MPLBACKEND": "module://matplotlib_inline",
        "HWLOC_COMPONENTS": "x86",
    }
    kept = {"HOME": "/home/ann", "LD_LIBRARY_PATH": "/opt/mpi/lib", "HWLOC_COMPONENTS": "x86"}
    assert environment(outer, None, root=True, folder="f") == kept
    assert environment(outer, Mpi("openmpi", 4), root=False, folder="f") == kept
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    assert environment(outer, Mpi("openmpi", 4), root=True, folder="f") == kept | root


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("namespace", []),
        ("reverse", ["--reverse-connection", "--client-host=127.0.0.1"]),
        ("loopback", ["--bind-address=127.0.0.1"]),
        ("open", []),
    ],
)
def test_a_pvserver_s_own_command(level: str, words: list[str]) -> None:
    end = ["--server-port=21000", "--connect-id=7", "--timeout=5"]
    assert server(level, "/bin/pvserver", 21000, 7, ["--timeout=5"], alone=False) == ["/bin/pvserver", *words, *end]
    assert server(level, "/bin/pvserver", 21000, 7, ["--timeout=5"], alone=True) == [
        "/bin/pvserver",
        "--no-mpi",
        *words,
        *end,
    ]


def test_it_is_ready_when_it_says_so() -> None:
    assert ready("reverse") in "Connection URL: csrc://127.0.0.1:22998"
    for level in ("namespace", "loopback", "open"):
        assert ready(level) in "Accepting connection(s): node17:11111"
