"""The files of ParaView's server configurations (.pvsc): read, written, found."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from pvlink import pvpython
from pvlink.errors import OptionError
from pvlink.servers import elements, schema
from pvlink.servers.configuration import Configuration


def read(path: str | os.PathLike[str]) -> list[Configuration]:
    """The servers of a file. Raises OptionError, with the line."""
    file = Path(path).expanduser()
    try:
        # No more than can be right, and the byte that says that it is too much.
        with file.open("rb") as stream:
            data = stream.read(elements.MAX_BYTES + 1)
    except OSError as error:
        raise OptionError(
            f"{file} cannot be read: {error.strerror}. Server configurations that ParaView would find here: "
            f"{', '.join(map(str, places())) or 'none'}."
        ) from None
    return loads(data, str(file))


def loads(data: bytes, where: str) -> list[Configuration]:
    """The servers in the text of a file; `where` says in messages which."""
    return schema.configurations(elements.parse(data, where), where)


def find(configurations: Sequence[Configuration], name: str | None = None) -> Configuration:
    """The one of that name, or the only one. Of two with one name the later, as in ParaView. Raises OptionError."""
    if not configurations:
        raise OptionError("There is no server configuration here: no <Server> in <Servers>.")
    names = list(dict.fromkeys(one.name for one in configurations))
    if name is None and len(names) > 1:
        raise OptionError(f"Which server? There are {', '.join(map(repr, names))}: name one, as in name={names[0]!r}.")
    for one in reversed(configurations):
        if name is None or one.name == name:
            return one
    raise OptionError(f"There is no server {name!r} here. There are: {', '.join(map(repr, names))}.")


def write(path: str | os.PathLike[str], configurations: Iterable[Configuration]) -> None:
    """A file that ParaView and pvlink read; one that is there is replaced in one go. Raises OptionError."""
    file = Path(path).expanduser()
    data = dumps(configurations).encode()
    if len(data) > elements.MAX_BYTES:
        raise OptionError(
            f"{file} would have {len(data)} bytes; a server configuration has {elements.MAX_BYTES} at most."
        )
    try:
        # A link stays one: what it points to is replaced.
        replace(file.resolve(), data)
    except OSError as error:
        raise OptionError(
            f"{file} cannot be written: {error.strerror}. What was there before is still there."
        ) from None


def dumps(configurations: Iterable[Configuration]) -> str:
    """The text of a file with these servers."""
    return elements.written(schema.root(configurations))


def replace(file: Path, data: bytes, mode: int | None = None) -> None:
    """Write a file whole or not at all; without `mode` it keeps its own, a new one the usual. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            os.fchmod(stream.fileno(), _mode(file) if mode is None else mode)
        Path(name).replace(file)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def places() -> list[Path]:
    """Where ParaView itself keeps its servers, those that are there; the user's own last, for of two the later wins."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    folders = [program.resolve().parent for program in pvpython.everywhere()]
    candidates = [
        *(folder / "default_servers.pvsc" for program in folders for folder in (program, program.parent / "lib")),
        Path("/usr/share/ParaView/servers.pvsc"),
        *sorted(config.glob("ParaView-*/servers.pvsc")),
        config / "ParaView" / "servers.pvsc",
    ]
    return [file for file in dict.fromkeys(candidates) if file.is_file()]


def known() -> list[Configuration]:
    """All servers of these places; a file that cannot be read is passed over, for nobody named it."""
    found: list[Configuration] = []
    for file in places():
        with contextlib.suppress(OptionError):
            found += read(file)
    return found


def _mode(file: Path) -> int:
    if file.exists():
        return file.stat().st_mode & 0o777
    # There is no way to ask for it but this; a file that another thread makes meanwhile is nobody's but its user's.
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
