"""Finding ParaView's own Python."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from pvlink.errors import PvpythonNotFound

VARIABLE = "PVLINK_PVPYTHON"
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

    def sentence(self) -> str:
        said = f"ParaView: {self.path} ({self.why})"
        if self.others:
            said += (
                f"; also found, not used: {', '.join(map(str, self.others))}. Choose with pvlink.start(pvpython=...)"
            )
        return said


def find(wish: str | os.PathLike[str] | None = None) -> Found:
    """The argument, else the environment variable, else the PATH, else the well-known places."""
    if wish is not None:
        return Found(_given(wish, "pvlink.start(pvpython=...)"), "as asked")
    variable = os.environ.get(VARIABLE)
    if variable:
        return Found(_given(variable, f"the environment variable {VARIABLE}"), f"${VARIABLE}")
    on_path = [path / "pvpython" for path in map(Path, os.get_exec_path()) if os.access(path / "pvpython", os.X_OK)]
    elsewhere = [path for place in PLACES for path in sorted(_glob(place), key=_version, reverse=True)]
    candidates = _distinct([*on_path, *elsewhere])
    if not candidates:
        raise PvpythonNotFound(
            "No ParaView found. Looked for pvpython on the PATH and in "
            f"{', '.join(PLACES)}. Install it (Debian, Ubuntu: apt install paraview python3-paraview; or unpack "
            "ParaView's own archive), load its module before starting Jupyter, or say where it is: "
            f"pvlink.start(pvpython='/path/to/bin/pvpython') or {VARIABLE}=/path/to/bin/pvpython."
        )
    why = "first on the PATH" if on_path else "found in a well-known place"
    return Found(candidates[0], why, tuple(candidates[1:]))


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
