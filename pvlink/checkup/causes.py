"""Why a ParaView does not start: what it says then, what that means, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pvlink import pvpython

NAME_ANOTHER = f"Name another one: `pvlink.start(pvpython='/path/to/bin/pvpython')`, or set {pvpython.VARIABLE}."


@dataclass(frozen=True)
class Cause:
    """`sentence` and `cure` may use {path} and the named groups of `pattern`."""

    name: str
    pattern: str
    sentence: str
    cure: str = NAME_ANOTHER


# The first that fits.
CAUSES = (
    Cause(
        "loader",
        r"(?P<what>lib[\w.+-]+): cannot open shared object file",
        "{path} cannot find the library {what}, which it was built with.",
        "Load the module you load to use this ParaView (`module load paraview`) before you start Jupyter, or put the "
        "folder that has {what} into LD_LIBRARY_PATH there. A ParaView moved to another folder: unpack it anew.",
    ),
    Cause(
        "loader",
        r"(?P<what>version `[^']+' not found|symbol lookup error[^\n]*|undefined symbol[^\n]*)",
        "{path} gets a library of another version than it was built with ({what}).",
        "Something in LD_LIBRARY_PATH comes before ParaView's own libraries (often conda's): try "
        "`env -u LD_LIBRARY_PATH pvlink doctor`, and start Jupyter like that if it helps.",
    ),
    Cause(
        "old",
        r"(?P<what>this ParaView's Python is [\d.]+|this is ParaView [\d.]+); pvlink needs",
        "{path} is too old: {what}. pvlink needs ParaView 5.9 or newer, with Python 3.9 or newer.",
        "Load a newer module (`module avail paraview`), or unpack a newer ParaView from paraview.org in your home: "
        "that needs no administrator. Then name it: `pvlink.start(pvpython='/path/to/bin/pvpython')`.",
    ),
    Cause(
        "stranger",
        r"is not ParaView's Python: (?P<what>[^\n]*)",
        "{path} is a Python that has no ParaView in it ({what}).",
    ),
    Cause(
        "display",
        r"Xvfb is not installed",
        "{path} can draw on an X display only; there is none, and Xvfb, which pvlink would use instead, is not "
        "installed.",
        "Install Xvfb (Debian, Ubuntu: `sudo apt-get install xvfb`; Red Hat: `sudo dnf install xorg-x11-server-Xvfb`; "
        "without root: `conda install -c conda-forge xorg-x11-server-xvfb-cos7-x86_64`), or take a ParaView that was "
        "built for EGL or OSMesa (paraview.org has them, 'headless').",
    ),
    Cause(
        "display",
        r"Xvfb did not start",
        "{path} needs an X display, and the one pvlink started for it (Xvfb) did not come up.",
        "Run `Xvfb -displayfd 1` in a terminal: it says why. Often /tmp/.X11-unix cannot be written: then ask the "
        "administrator for `mkdir -m 1777 /tmp/.X11-unix`.",
    ),
    Cause("program", r"cannot be run: (?P<what>[^\n]*)", "{path} cannot be run: {what}"),
    Cause(
        "streamer",
        r"process that sends the pictures[^:]*(?:cannot start|did not start)(?P<what>.*)",
        "The process that sends the pictures does not start{what}",
        "What it said is above; most often a library is damaged: see 'libraries' in this report.",
    ),
    Cause(
        "crash",
        r"ended with signal (?P<what>\d+)",
        "{path} crashed while it started (signal {what}).",
        "Try `{path} --version` in a terminal. If that crashes too, this ParaView does not fit this machine: take "
        "another one. If not, report it with this whole report.",
    ),
    Cause(
        "program",
        r"is not a working pvpython: it (?P<what>ended with exit code \d+ and said(?::\n.*?| nothing))\.?(?=\nName)",
        "{path} is not a working pvpython: it {what}",
        "Try it in a terminal: `{path} --version`. If it fails there too, its module is not loaded or it is damaged.",
    ),
)


def explain(path: str, said: str) -> tuple[str, str, str]:
    """Name of the cause, sentence and cure."""
    for cause in CAUSES:
        if found := re.search(cause.pattern, said, re.DOTALL if "and said" in cause.pattern else 0):
            words = {"path": path, **found.groupdict()}
            return cause.name, cause.sentence.format(**words), cause.cure.format(**words)
    return "unknown", f"{path} does not start: {said}", NAME_ANOTHER
