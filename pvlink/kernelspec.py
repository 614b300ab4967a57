"""`pvlink kernel`: Jupyter kernels that run on ParaView's own Python.

A kernel is a folder: kernel.json, `start.py` (pvlink/kernelstart.py) and `packages`, which holds what the kernel needs
and ParaView's Python lacks. Where that Python is of our version, `packages` links to this environment; where it is of
another, pip fills it with wheels for that one. numpy is never in it: ParaView's own stays the one that is imported.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from pvlink import pvpython
from pvlink.errors import PvlinkError

OLDEST_PYTHON = (3, 11)
# A cold file system; half a second is usual.
PATIENCE = 120.0
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# What Jupyter is started with, but ParaView's Python must not see.
_NOT_FOR_PARAVIEW = ("PYTHONHOME", "PYTHONSAFEPATH", "PYTHONSTARTUP")
# Of the shell in which the kernel is installed (`module load paraview`), not of the one that starts Jupyter.
_KEPT = ("LD_LIBRARY_PATH", "PV_PLUGIN_PATH")


@dataclass(frozen=True)
class Facts:
    """What a pvpython says about itself."""

    program: Path
    python: tuple[int, int]
    abi: str
    paraview: str
    numpy: bool
    paths: tuple[str, ...]

    @property
    def ours(self) -> bool:
        """Whether it can import what lies in this environment."""
        return self.python == sys.version_info[:2] and self.abi == sysconfig.get_config_var("SOABI")


@dataclass(frozen=True)
class Kernel:
    """One that pvlink has installed."""

    name: str
    display_name: str
    folder: Path
    program: Path

    def sentence(self) -> str:
        state = "" if os.access(self.program, os.X_OK) else " (which is no longer there)"
        return f"{self.name}: {self.display_name!r} on {self.program}{state}, in {self.folder}"


def install(
    wish: str | os.PathLike[str] | None = None,
    *,
    name: str | None = None,
    display_name: str | None = None,
    data: Path | None = None,
) -> Kernel:
    """Make the kernel. `data`: the folder with Jupyter's data it goes to; the user's own if none is given."""
    facts = examine(pvpython.find(wish).path)
    if facts.python < OLDEST_PYTHON:
        raise PvlinkError(
            f"{facts.program} (ParaView {facts.paraview}) has Python {'.'.join(map(str, facts.python))}; a kernel "
            "needs 3.11 or newer. ParaView's own archives have 3.12 from 6.0 on, packages of a distribution its "
            f"Python. This one works all the same from a normal kernel: pvlink.start(pvpython='{facts.program}')."
        )
    name = name or f"paraview-{facts.paraview}"
    if not _NAME.fullmatch(name):
        raise PvlinkError(f"{name!r} cannot be a kernel's name: small letters, digits, '.', '_' and '-' only.")
    kernels = (data or Path(_jupyter("--data-dir").strip())) / "kernels"
    folder = kernels / name
    if folder.exists() and _read(folder) is None:
        raise PvlinkError(f"{folder} is a kernel that pvlink did not make. Choose another name: --name NAME.")
    kernels.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=kernels) as scratch:
        made = Path(scratch) / name
        made.mkdir()
        fill(made / "packages", facts)
        shutil.copyfile(Path(__file__).with_name("kernelstart.py"), made / "start.py")
        spec = specification(facts, folder, display_name or f"ParaView {facts.paraview}", os.environ)
        (made / "kernel.json").write_text(json.dumps(spec, indent=1) + "\n")
        if folder.exists():
            folder.rename(Path(scratch) / "former")
        made.rename(folder)
    kernel = _read(folder)
    assert kernel is not None
    return kernel


def installed() -> list[Kernel]:
    """pvlink's kernels that Jupyter finds from here."""
    data = json.loads(_jupyter("--paths", "--json"))["data"]
    folders = [folder for place in data for folder in sorted((Path(place) / "kernels").glob("*"))]
    return [kernel for kernel in map(_read, folders) if kernel is not None]


def remove(name: str, data: Path | None = None) -> Kernel:
    """Remove one of pvlink's kernels; others are refused."""
    found = [_read(data / "kernels" / name)] if data is not None else [k for k in installed() if k.name == name]
    if not found or found[0] is None:
        there = ", ".join(kernel.name for kernel in installed()) or "none"
        raise PvlinkError(f"pvlink has made no kernel {name!r}. Those it made: {there}.")
    shutil.rmtree(found[0].folder)
    return found[0]


def examine(program: Path) -> Facts:
    """Ask a pvpython what it is."""
    start = Path(__file__).with_name("kernelstart.py")
    environment = {key: value for key, value in os.environ.items() if key not in _NOT_FOR_PARAVIEW}
    try:
        run = subprocess.run(
            [program, *_flags(program), start, "describe"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
        said = next(json.loads(line) for line in reversed(run.stdout.splitlines()) if line.startswith("{"))
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PvlinkError(f"{program} cannot be asked what it is: {error}.") from error
    except (StopIteration, ValueError):
        tail = (run.stderr or run.stdout).strip()[-500:]
        raise PvlinkError(
            f"{program} is not a working pvpython: it ended with {run.returncode} and said: {tail or 'nothing'}"
        ) from None
    if said["paraview"] is None:
        raise PvlinkError(f"{program} is not ParaView's Python: {said['why']}.")
    major, minor = said["python"]
    return Facts(
        program=program,
        python=(major, minor),
        abi=said["abi"] or "",
        paraview=".".join(map(str, said["paraview"])),
        numpy=said["numpy"],
        paths=tuple(said["paths"]),
    )


def specification(facts: Facts, folder: Path, display_name: str, environment: os._Environ[str]) -> dict[str, Any]:
    """kernel.json; what `start.py` must know is in its metadata."""
    kept = {key: environment[key] for key in _KEPT if environment.get(key)}
    return {
        **_ipykernels_own(),
        "argv": [str(facts.program), *_flags(facts.program), str(folder / "start.py"), "-f", "{connection_file}"],
        "display_name": display_name,
        "language": "python",
        "interrupt_mode": "signal",
        # An empty one counts as none. MPI's hwloc knocks at every X display, other users' too.
        "env": {**kept, **dict.fromkeys(_NOT_FOR_PARAVIEW, ""), "HWLOC_COMPONENTS": "-gl"},
        "metadata": {
            **_ipykernels_own().get("metadata", {}),
            "pvlink": {
                "pvpython": str(facts.program),
                "python": list(facts.python),
                "paths": list(facts.paths),
                "executable": sys.executable,
                "site": sysconfig.get_path("purelib") if facts.ours else None,
            },
        },
    }


def _ipykernels_own() -> dict[str, Any]:
    """What ipykernel says of itself to Jupyter: its protocol, whether it can encrypt and debug."""
    own = Path(sys.prefix) / "share/jupyter/kernels/python3/kernel.json"
    return json.loads(own.read_text()) if own.exists() else {}


def fill(packages: Path, facts: Facts) -> None:
    """Bring what the kernel needs."""
    packages.mkdir()
    if facts.ours:
        for source in needed_here():
            (packages / source.name).symlink_to(source)
    else:
        _download(packages, facts.python)
    if not facts.numpy:
        return
    for mine in [*packages.glob("numpy"), *packages.glob("numpy.libs"), *packages.glob("numpy-*")]:
        mine.unlink() if mine.is_symlink() else shutil.rmtree(mine)


def needed_here() -> Iterator[Path]:
    """Each file or folder, at the top of this environment, of pvlink, ipykernel and all they depend on."""
    yield Path(__file__).parent
    seen: set[Path] = set()
    for found in closure(["pvlink", "ipykernel"], _distribution):
        for file in found.files or ():
            top = file.parts[0]
            path = Path(str(found.locate_file(top)))
            if top in ("..", "__pycache__", "pvlink") or path.suffix == ".pth" or path in seen or not path.exists():
                continue
            seen.add(path)
            yield path


def closure(names: list[str], look: Callable[[str], Distribution | None]) -> list[Distribution]:
    """The distributions of these names and, where they are there, of all that they require."""
    found: dict[str, Distribution | None] = {}
    while names:
        name = canonical(names.pop())
        if name in found:
            continue
        one = found[name] = look(name)
        names += [plain_name(line) for line in (one.requires or [] if one else []) if "extra ==" not in line]
    return [one for one in found.values() if one is not None]


def canonical(name: str) -> str:
    """The same for all ways to write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def plain_name(requirement: str) -> str:
    """`anywidget` of `anywidget<0.12,>=0.9.13; python_version > "3"`."""
    match = _REQUIREMENT.match(requirement.strip())
    assert match is not None, requirement
    return match[0]


def pip_command(packages: Path, python: tuple[int, int], requirements: list[str]) -> list[str]:
    """What fetches wheels for a Python that is not this one."""
    major, minor = python
    return [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--target", str(packages), "--only-binary=:all:", "--implementation", "cp"),
        *("--python-version", f"{major}.{minor}", "--abi", f"cp{major}{minor}", "--abi", "abi3", "--abi", "none"),
        *requirements,
    ]


def _download(packages: Path, python: tuple[int, int]) -> None:
    ours = [line for line in distribution("pvlink").requires or [] if "extra ==" not in line]
    command = pip_command(packages, python, [*ours, "ipykernel>=6.29"])
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if run.returncode:
        its, ours_is = (".".join(map(str, version)) for version in (python, sys.version_info[:2]))
        raise PvlinkError(
            f"ParaView's Python is {its}, this one {ours_is}, so pip must fetch wheels for it, and could not:\n"
            f"{(run.stderr or run.stdout).strip()[-1500:]}\n"
            f"Where there is no network, install pvlink into an environment of Python {its} and run this from there."
        )
    (packages / "pvlink").symlink_to(Path(__file__).parent)


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        if name == "ipykernel":
            raise PvlinkError(f"ipykernel is not installed: {sys.executable} -m pip install ipykernel.") from None
        # A requirement for another platform or an older Python.
        return None


def _read(folder: Path) -> Kernel | None:
    """The kernel in a folder, if pvlink made it."""
    try:
        spec = json.loads((folder / "kernel.json").read_text())
        program = Path(spec["metadata"]["pvlink"]["pvpython"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Kernel(folder.name, str(spec["display_name"]), folder, program)


def _jupyter(*arguments: str) -> str:
    run = subprocess.run([sys.executable, "-m", "jupyter", *arguments], capture_output=True, text=True, check=False)
    if run.returncode:
        raise PvlinkError(f"Jupyter does not say where its kernels are: {run.stderr.strip()[-500:]}")
    return run.stdout


def _flags(program: Path) -> tuple[str, ...]:
    """As for an engine: without MPI, which one process has no use for."""
    return ("--no-mpi",) if program.name.startswith("pvpython") else ()
