"""The first lines of a Jupyter kernel on ParaView's own Python.

`pvlink kernel install` copies this file beside its kernel.json, and first asks it, as `pvpython <this file> describe`,
what that Python is. An old Python can read it, too, and it imports nothing of pvlink: that is found only once it has
put the path in order.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import signal
import site
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def describe() -> None:
    """One line of JSON, on the plain descriptor: what pvpython prints goes through VTK."""
    facts: dict[str, Any] = {
        "python": list(sys.version_info[:2]),
        "abi": sysconfig.get_config_var("SOABI"),
        "numpy": find_spec("numpy") is not None,
        "paths": [path for path in sys.path if path and Path(path).resolve() != HERE],
        "paraview": None,
    }
    try:
        from paraview.modules.vtkRemotingServerManager import vtkSMProxyManager

        facts["paraview"] = [vtkSMProxyManager.GetVersionMajor(), vtkSMProxyManager.GetVersionMinor()]
    except ImportError as error:
        facts["why"] = str(error)
    os.write(1, f"\n{json.dumps(facts)}\n".encode())


def start() -> None:
    """Become a kernel, until Jupyter ends it."""
    facts = json.loads((HERE / "kernel.json").read_text())["metadata"]["pvlink"]
    if list(sys.version_info[:2]) != facts["python"]:
        there, then = (".".join(map(str, version)) for version in (sys.version_info[:2], facts["python"]))
        sys.exit(
            f"pvlink: {facts['pvpython']} has Python {there} now; this kernel was made for {then}. "
            f"Make it again: pvlink kernel install --name {HERE.name} --pvpython {facts['pvpython']}"
        )
    arrange_path(facts)
    # ParaView names a file that does not exist. pvlink starts the process that sends the pictures with this one.
    sys.executable = facts["executable"]
    speak_plainly()
    # ParaView's logger takes SIGINT for a crash: a stopped cell would end the kernel.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    mend_numpy()
    # pvlink sees to the display, or the first render would end the kernel where there is none.
    sys.argv.append("--IPKernelApp.extra_extensions=pvlink")
    try:
        runpy.run_module("ipykernel_launcher", run_name="__main__")
    finally:
        # Windows and an X server that ends with them outlive each other badly: no destructors.
        atexit._run_exitfuncs()  # noqa: SLF001 - what os._exit leaves out
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def arrange_path(facts: dict[str, Any]) -> None:
    """What the kernel needs before all else; then ParaView's own, so that its numpy stays the one it was built with;
    then what else is in the environment, where this Python can read it."""
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != HERE]
    sys.path += [path for path in facts["paths"] if path not in sys.path and Path(path).exists()]
    sys.path.insert(0, str(HERE / "packages"))
    if facts["site"]:
        site.addsitedir(facts["site"])


def speak_plainly() -> None:
    """pvpython sends what is printed through VTK's output window; ipykernel reads the plain descriptors."""
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115


def mend_numpy() -> None:
    """ParaView up to 6.0 calls numpy.in1d, which numpy 2.4 no longer has; its own numpy does."""
    try:
        import numpy
    except ImportError:
        return
    if not hasattr(numpy, "in1d"):
        numpy.in1d = numpy.isin  # type: ignore[attr-defined]


if __name__ == "__main__":
    describe() if sys.argv[1:] == ["describe"] else start()
