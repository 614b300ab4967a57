"""Which ParaViews are on this machine, for servers of another version than the engine's."""

from __future__ import annotations

import functools
import os
import re
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pvlink import pvpython

# A cold file system; 0.2 s are usual.
ASK_SECONDS = 20.0
# Asked at once: they are the disk's work, and two cores have other things to do.
_AT_ONCE = 4
_VERSION = re.compile(r"version\s+(\d+)\.(\d+)(?:\.(\d+))?")


def installed() -> list[tuple[str, Path]]:
    """Versions and programs of the pvpythons found here; asked once each. One that does not answer is left out."""
    programs = pvpython.everywhere()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        versions = pool.map(_version_of, programs)
        return [(version, program) for version, program in zip(versions, programs, strict=True) if version]


def matching(version: str) -> list[tuple[str, Path]]:
    """Those of `installed` that can talk to a server of this version: the first two numbers decide."""
    return [(one, program) for one, program in installed() if minor(one) == minor(version)]


def minor(version: str) -> str:
    """ParaView's own comparison: "5.11" of 5.11.0, 5.11.2 and 5.11.0-RC1."""
    return ".".join(re.findall(r"\d+", version)[:2])


def must_match(server: str, engine: str, found: Iterable[tuple[str, Path]]) -> str:
    """What to say of a server and an engine of different versions; `found` is what is installed here."""
    all_here = list(found)
    fits = [(version, program) for version, program in all_here if minor(version) == minor(server)]
    here = ", ".join(f"{version} ({program})" for version, program in all_here) or "none"
    said = f"Server {server}, this engine {engine}: they must match in their first two numbers; found here: {here}."
    if fits:
        return f"{said} pvlink.session().connect(..., pvpython={str(fits[0][1])!r}) takes the one that matches."
    return (
        f"{said} None matches: start a server of ParaView {minor(engine)}, or install ParaView {minor(server)} and "
        "name its pvpython: pvlink.session().connect(..., pvpython='/path/to/bin/pvpython')."
    )


def _version_of(program: Path) -> str:
    try:
        status = program.stat()
    except OSError:
        return ""
    return _asked(program, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=64)
def _asked(program: Path, _when: int, _size: int) -> str:
    # Without a display, which --version needs not: MPI's hwloc would knock at all that are here.
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "PYTHONHOME")}
    try:
        said = subprocess.run(
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=ASK_SECONDS,
            env=environment,
            start_new_session=True,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _VERSION.search(said[-4096:].decode(errors="replace"))
    return "" if found is None else ".".join(part for part in found.groups() if part is not None)
