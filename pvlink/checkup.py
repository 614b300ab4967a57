"""`pvlink doctor`: what works on this machine, in plain words, and what to do about the rest."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pvlink import pvpython, rendezvous
from pvlink.errors import PvlinkError
from pvlink.version import __version__


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    good: bool
    sentence: str


def doctor() -> bool:
    """Print the report; whether all is well."""
    findings = list(examine())
    for finding in findings:
        print(f"{'ok   ' if finding.good else 'PROBLEM'}  {finding.sentence}")  # noqa: T201
    return all(finding.good for finding in findings)


def examine() -> Iterator[Finding]:
    """Every check, the cheap ones first."""
    yield Finding(True, f"pvlink {__version__}, Python {sys.version.split()[0]}")
    yield _rendezvous()
    yield _built_parts()
    yield _relay()
    yield from _engine()


def _rendezvous() -> Finding:
    try:
        return Finding(True, f"sockets go to {rendezvous.create()}")
    except (OSError, PvlinkError, RuntimeError) as error:
        return Finding(False, str(error))


def _built_parts() -> Finding:
    widget = Path(__file__).parent / "static" / "widget.js"
    if widget.exists():
        return Finding(True, "the viewer is installed")
    return Finding(False, f"the viewer is not installed ({widget} is missing): pip install --force-reinstall pvlink")


def _relay() -> Finding:
    try:
        jupyter = version("jupyter_server")
    except PackageNotFoundError:
        return Finding(True, "no Jupyter server in this environment: install pvlink in Jupyter's environment too")
    listing = subprocess.run(
        [sys.executable, "-m", "jupyter", "server", "extension", "list"], capture_output=True, text=True, check=False
    )
    if "pvlink" in listing.stdout + listing.stderr:
        return Finding(True, f"the relay is enabled in Jupyter Server {jupyter}")
    return Finding(
        False, "the relay is not enabled: run `jupyter server extension enable pvlink.server` and restart Jupyter"
    )


def _engine() -> Iterator[Finding]:
    from pvlink.sessions import Session

    try:
        found = pvpython.find()
    except PvlinkError as error:
        yield Finding(False, str(error))
        return
    yield Finding(True, found.sentence())
    if shutil.which("Xvfb") is None:
        yield Finding(
            True, "Xvfb is not installed: needed where there is no display and ParaView has neither EGL nor OSMesa"
        )
    try:
        with Session(found) as session:
            yield Finding(True, f"ParaView {session.about['paraview']} starts, draws on {session.about['screen']}")
    except PvlinkError as error:
        yield Finding(False, str(error))
