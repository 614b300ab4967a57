"""Each peer's Python packages, away from everybody else's, in build/bench/envs. Made when first asked for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "build" / "bench" / "envs"
LAB = "jupyterlab>=4.4,<5"
VTK = "vtk>=9.5,<10"
TRAME = ("trame>=4,<5", "trame-vuetify>=3.2,<4")
# The only place where versions of peers are named.
PACKAGES = {
    "trame": (*TRAME, "trame-vtk>=2.11,<3"),
    # PyTurboJPEG 2 wants a libturbojpeg newer than Debian's; numpy 2 is newer than ParaView 5.11 knows.
    "trame-rca": (*TRAME, "trame-rca>=2.11,<3", "PyTurboJPEG>=1.7,<2", "numpy<2"),
    "pyvista": ("pyvista[jupyter]>=0.49,<0.50", VTK, LAB),
    # simplejpeg: its documentation's advice for speed.
    "jupyter_rfb": ("jupyter_rfb>=1,<2", "simplejpeg>=1.8,<2", VTK, LAB),
}
# They run in pvpython, so their packages must be for its Python.
IN_PVPYTHON = ("trame", "trame-rca")
VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def python(name: str) -> Path:
    """The interpreter of a peer's environment, which is made or renewed where it is missing or of other versions."""
    folder = FOLDER / name
    stamp = folder / "made-of.txt"
    base = _pvpythons_python() if name in IN_PVPYTHON else sys.executable
    version = subprocess.run([base, "--version"], capture_output=True, text=True, check=True).stdout
    wanted = version + "\n".join(PACKAGES[name])
    made = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"making the environment {folder.relative_to(FOLDER.parents[2])}", file=sys.stderr, flush=True)
        subprocess.run([base, "-m", "venv", "--clear", "--without-pip", str(folder)], check=True)
        pip = [sys.executable, "-m", "pip", "--python", str(made), "--disable-pip-version-check", "install", "-qq"]
        subprocess.run([*pip, *PACKAGES[name]], check=True)
        stamp.write_text(wanted)
    return made


def _pvpythons_python() -> str:
    """Of the same version; a pvpython cannot make environments."""
    asked = subprocess.run(["pvpython", "--no-mpi", "-c", VERSION], capture_output=True, text=True, check=True)
    version = asked.stdout.split()[-1]
    found = shutil.which(f"python{version}")
    if found is None:
        raise FileNotFoundError(f"pvpython is Python {version}: put a python{version} on the PATH and run this again")
    return found
