"""Finding what draws: ParaView's own Python, or else a Python with VTK."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Literal

from pvlink.errors import PvpythonNotFound

VARIABLE = "PVLINK_PVPYTHON"
# In the place of a program: VTK in the kernel's own Python.
VTK = "vtk"
# Where ParaView lies when nobody put it on the PATH; newest version first within each pattern.
PLACES = (
    "/opt/ParaView*/bin/pvpython",
    "/opt/paraview*/bin/pvpython",
    "/usr/local/ParaView*/bin/pvpython",
    "/usr/local/bin/pvpython",
    "~/ParaView*/bin/pvpython",
    "~/opt/ParaView*/bin/pvpython",
    "~/.local/opt/ParaView*/bin/pvpython",
    "/usr/bin/pvpython",
)


@dataclass(frozen=True)
class Found:
    """A pvpython, why it was taken, and what else there was."""

    path: Path
    why: str
    others: tuple[Path, ...] = field(default=())
    # What is asked for. A plain Python that has only VTK becomes an engine on that.
    kind: Literal["paraview", "vtk"] = "paraview"

    def sentence(self) -> str:
        if self.kind == "vtk":
            return f"VTK draws: {self.path} ({self.why})"
        said = f"ParaView: {self.path} ({self.why})"
        if self.others:
            said += (
                f"; also found, not used: {', '.join(map(str, self.others))}. Choose with pvlink.start(pvpython=...)"
            )
        return said


def find(wish: str | os.PathLike[str] | None = None) -> Found:
    """The argument, else the environment variable, else the PATH, else the well-known places, else VTK here."""
    if wish is not None:
        return _named(wish, "pvlink.start(pvpython=...)", "as asked")
    variable = os.environ.get(VARIABLE)
    if variable:
        return _named(variable, f"the environment variable {VARIABLE}", f"${VARIABLE}")
    on_path = _on_path()
    candidates = _distinct([*on_path, *_elsewhere()])
    if not candidates and has_vtk():
        return Found(Path(sys.executable), "no ParaView was found", kind="vtk")
    if not candidates:
        raise PvpythonNotFound(
            "No ParaView found. Looked for pvpython on the PATH and in "
            f"{', '.join(PLACES)}. Install it (Debian, Ubuntu: apt install paraview python3-paraview; or unpack "
            "ParaView's own archive), load its module before starting Jupyter, or say where it is: "
            f"pvlink.start(pvpython='/path/to/bin/pvpython') or {VARIABLE}=/path/to/bin/pvpython. "
            "Without ParaView, VTK alone will do: pip install 'pvlink[vtk]'."
        )
    why = "first on the PATH" if on_path else "found in a well-known place"
    return Found(candidates[0], why, tuple(candidates[1:]))


def everywhere() -> list[Path]:
    """Every pvpython that is found here, also those that `find` would pass over."""
    variable = os.environ.get(VARIABLE, "")
    named = shutil.which(Path(variable).expanduser()) if variable and variable != VTK else None
    return _distinct([*([Path(named)] if named else []), *_on_path(), *_elsewhere()])


def has_vtk() -> bool:
    """Whether this Python has VTK."""
    # Not by all finders: one of them mirrors an engine's.
    spec = PathFinder.find_spec("vtkmodules")
    where = None if spec is None else spec.submodule_search_locations
    return where is not None and PathFinder.find_spec("vtkmodules.vtkRenderingOpenGL2", where) is not None


def _named(wish: str | os.PathLike[str], source: str, why: str) -> Found:
    if str(wish) == VTK:
        if not has_vtk():
            raise PvpythonNotFound(f"{source} asks for VTK, which this Python lacks: pip install 'pvlink[vtk]'.")
        return Found(Path(sys.executable), why, kind="vtk")
    return Found(_given(wish, source), why)


def _given(wish: str | os.PathLike[str], source: str) -> Path:
    path = Path(wish).expanduser()
    if path.is_dir():
        # People name the folder they unpacked, or its bin.
        path = next((p for p in (path / "bin/pvpython", path / "pvpython") if p.exists()), path)
    named = shutil.which(str(path))
    if named is None:
        state = (
            "is a folder without bin/pvpython"
            if path.is_dir()
            else "cannot be run"
            if path.exists()
            else "does not exist"
        )
        raise PvpythonNotFound(f"{source} names {path}, which {state}.")
    return Path(named)


def _on_path() -> list[Path]:
    return [path / "pvpython" for path in map(Path, os.get_exec_path()) if os.access(path / "pvpython", os.X_OK)]


def _elsewhere() -> list[Path]:
    return [path for place in PLACES for path in sorted(_glob(place), key=_version, reverse=True)]


def _glob(pattern: str) -> list[Path]:
    path = Path(pattern).expanduser()
    root, rest = Path(path.anchor), path.relative_to(path.anchor)
    return [found for found in root.glob(str(rest)) if os.access(found, os.X_OK)]


def _version(path: Path) -> list[int]:
    digits = "".join(c if c.isdigit() else " " for c in str(path))
    return [int(number) for number in digits.split()]


def _distinct(paths: list[Path]) -> list[Path]:
    """Without the second names of what is already there."""
    seen: dict[Path, Path] = {}
    for path in paths:
        seen.setdefault(path.resolve(), path)
    return list(seen.values())
