"""Which sites there are: files of the user, of the project one is in, of the machine. The nearest of a name counts.

    $PVLINK_SITES               folders, as a PATH has them: what a module system or a container sets
    ~/.config/pvlink/sites      the user's own
    .pvlink/sites               in this folder or one above: a project's
    <sys.prefix>/etc/pvlink/sites, /etc/pvlink/sites      an administrator's

A project's folder may be somebody else's repository, and a site says what is run: so a project's site never takes the
place of one of the same name that is the user's own, and none of a project that belongs to another user is read.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from pvlink.errors import OptionError
from pvlink.launchers.site import NAME, Site, read

VARIABLE = "PVLINK_SITES"
# A site of a hundred partitions has ten kilobytes.
MAX_BYTES = 1 << 20
SUFFIX = ".toml"


@dataclass(frozen=True)
class Found:
    """A site's file, and whose it is: "user", "project", "machine", or "set" by the variable."""

    name: str
    path: Path
    whose: str


def folders() -> list[tuple[Path, str]]:
    """Where sites are looked for, the nearest first."""
    set_by = [(Path(one), "set") for one in os.environ.get(VARIABLE, "").split(os.pathsep) if one]
    machine = [(Path(sys.prefix) / "etc/pvlink/sites", "machine"), (Path("/etc/pvlink/sites"), "machine")]
    return [*set_by, (own(), "user"), *[(one, "project") for one in _projects()], *machine]


def own() -> Path:
    """The user's own folder, whether it is there or not."""
    config = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(config) if Path(config).is_absolute() else Path.home() / ".config") / "pvlink" / "sites"


def find() -> list[Found]:
    """All there are, by name; of each name the nearest."""
    found: dict[str, Found] = {}
    for folder, whose in folders():
        try:
            files = sorted(folder.glob(f"*{SUFFIX}"))
        except OSError:
            continue
        for file in files:
            if NAME.fullmatch(file.stem):
                found.setdefault(file.stem, Found(file.stem, file, whose))
    return [found[name] for name in sorted(found)]


def load(name: str | os.PathLike[str]) -> Site:
    """A site by its name, or by its file. Raises OptionError."""
    path = Path(name)
    if path.suffix == SUFFIX:
        return _read(path)
    known = {one.name: one for one in find()}
    if (one := known.get(str(name))) is None:
        there = f"There are: {', '.join(known)}." if known else "There is none yet."
        raise OptionError(
            f"There is no site {str(name)!r}. {there} `pvlink site new {name}` asks and writes one, "
            f"{own() / f'{name}.toml'}; `pvlink site folders` says where else it may be."
        )
    return _read(one.path)


def _read(path: Path) -> Site:
    try:
        data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        raise OptionError(f"{path}: {error.strerror or error}.") from None
    if data is None:
        raise OptionError(f"{path}: it has more than {MAX_BYTES} bytes. Is it the right file?")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise OptionError(f"{path}: this is not text (UTF-8): {error.reason} at byte {error.start}.") from None
    return read(text, str(path), path.stem)


def _projects() -> list[Path]:
    """Of the folder one is in and those above, up to the home or the end of what is this user's."""
    found: list[Path] = []
    try:
        here = Path.cwd()
    except OSError:
        return found
    for folder in (here, *here.parents):
        place = folder / ".pvlink" / "sites"
        try:
            mine = place.is_dir() and place.stat().st_uid == os.getuid()
        except OSError:
            mine = False
        if mine:
            found.append(place)
        if folder == Path.home():
            break
    return found
