"""The programs that make a server: which pvserver belongs to a pvpython, its version, and the mpiexec of its MPI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from pvlink.errors import ServerError
from pvlink.servers import mpi

# A cold file system on a busy login node; half a second is usual.
PATIENCE = 30.0
_VERSION = re.compile(r"paraview version (\d+\.\d+\.\d+)")
# What was said, by the program and the time it was installed at.
_said: dict[tuple[str, int], str] = {}


def find(pvpython: Path, wish: str | os.PathLike[str] | None = None) -> Path:
    """`wish`, else the pvserver beside that pvpython, or beside the file it is a link to."""
    if wish is not None:
        named = shutil.which(str(Path(wish).expanduser()))
        if named is None:
            raise ServerError(f"There is no program {wish} to serve with. Name a pvserver.", "no-pvserver")
        return Path(named)
    # Not a link's target: a wrapper by that name may set what the program needs.
    for folder in (pvpython.parent, pvpython.resolve().parent):
        if os.access(folder / "pvserver", os.X_OK):
            return folder / "pvserver"
    raise ServerError(
        f"There is no pvserver beside {pvpython}, so no server of the same version can be started here. "
        "ParaView's own archives have one (the headless builds, too), Debian's package paraview as well; "
        "or say where it is: serve(pvserver='/path/to/bin/pvserver').",
        "no-pvserver",
    )


def version(program: Path, patience: float = PATIENCE) -> str:
    """Of a pvserver or pvpython: "5.11.0"."""
    said = _ask(program, patience)
    found = _VERSION.search(said)
    if found is None:
        answer = f"answers:\n{said[:400]}" if said else "says nothing"
        raise ServerError(f"{program} is no ParaView: to --version it {answer}", "version")
    return found[1]


def mpiexec(pvserver: Path, wish: str | os.PathLike[str] | None = None) -> tuple[Path, mpi.Mpi]:
    """`wish`, else the one beside the pvserver (ParaView's archives bring their own), else the first on the PATH."""
    candidates = [str(wish)] if wish is not None else [str(pvserver.parent / "mpiexec"), "mpiexec", "mpirun"]
    named = next(filter(None, map(shutil.which, candidates)), None)
    if named is None:
        looked = f"There is no program {wish}" if wish is not None else "No mpiexec was found"
        raise ServerError(
            f"{looked}, which more than one rank needs. Install the MPI that {pvserver} was built with "
            "(Debian, Ubuntu: apt install openmpi-bin; on a cluster load its module before Jupyter starts), "
            "say where it is: serve(ranks=..., mpiexec='/path/to/mpiexec'), or serve with ranks=1.",
            "no-mpiexec",
        )
    said = _ask(Path(named), PATIENCE)
    kind = mpi.recognise(said)
    if kind is None:
        raise ServerError(
            f"{named} is neither Open MPI's nor MPICH's mpiexec: to --version it says {said[:200]!r}. "
            "Name another: serve(ranks=..., mpiexec='/path/to/mpiexec').",
            "no-mpiexec",
        )
    return Path(named), kind


def _ask(program: Path, patience: float) -> str:
    try:
        key = (str(program), program.stat().st_mtime_ns)
        if key not in _said:
            environment = mpi.environment(os.environ, None, root=False, folder="")
            answer = subprocess.run(
                [program, "--version"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=patience,
                check=False,
                env=environment,
            )
            _said[key] = answer.stdout.decode(errors="replace").strip()
        return _said[key]
    except subprocess.TimeoutExpired:
        raise ServerError(
            f"{program} --version gave no answer in {patience:.0f} s. Try it in a terminal.", "version"
        ) from None
    except OSError as error:
        raise ServerError(f"{program} cannot be run: {error.strerror}.", "version") from error
