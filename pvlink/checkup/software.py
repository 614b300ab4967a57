"""This Python, pvlink and the libraries it stands on, the built viewer, and the administrator's word."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from pvlink import policy
from pvlink.checkup.bounds import program
from pvlink.checkup.findings import Finding
from pvlink.version import __version__

HERE = Path(__file__).parents[1]
# Modules by the name that pip knows them by. Imported in another process: one that crashes takes only that along.
LIBRARIES = {
    "aiohttp": "aiohttp",
    "anywidget": "anywidget",
    "cryptography": "cryptography",
    "ipywidgets": "ipywidgets",
    "isal": "isal",
    "msgspec": "msgspec",
    "numpy": "numpy",
    "rpyc": "rpyc",
    "simplejpeg": "simplejpeg",
    "wslink": "wslink",
}
LIBRARY_PATIENCE = 25.0
# Starts with the name, so that a crash says which one it was.
_IMPORT = """
import importlib, importlib.metadata, json, sys
for module, package in json.loads(sys.argv[1]).items():
    print(json.dumps([package, "began", ""]), flush=True)
    try:
        importlib.import_module(module)
        said = [package, "ok", importlib.metadata.version(package)]
    except Exception as error:
        said = [package, "failed", f"{type(error).__name__}: {error}"]
    print(json.dumps(said), flush=True)
"""
VIEWER = ("static/widget.js", "static/page.js", "static/page.html")


def this() -> Iterator[Finding]:
    """Which Python and which pvlink this is."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(
        "pvlink",
        "ok",
        f"pvlink {__version__} in {HERE.parent}, Python {version} ({sys.executable})",
        facts={"version": __version__, "folder": str(HERE), "python": version, "executable": sys.executable},
    )


def libraries() -> Iterator[Finding]:
    """Whether each library can be imported: a wheel for another machine or another numpy cannot."""
    said = program([sys.executable, "-P", "-c", _IMPORT, json.dumps(LIBRARIES)], LIBRARY_PATIENCE)
    states = {package: (state, what) for package, state, what in map(json.loads, said.out.splitlines())}
    broken = {
        package: what or f"the import ended Python with exit code {said.code}"
        for package, (state, what) in states.items()
        if state != "ok"
    }
    if said.code is None:
        yield Finding(
            "libraries",
            "problem",
            f"Importing the libraries pvlink stands on took more than {LIBRARY_PATIENCE:.0f} s; it stopped at "
            f"{', '.join(broken) or 'the start'}.",
            "The disk this Python is on is slow or hangs (a network file system?). Try again; if it stays so, make "
            "the environment on a local disk.",
        )
    elif broken or not states:
        which = ", ".join(f"{package} ({why})" for package, why in broken.items()) or said.err
        yield Finding(
            "libraries",
            "problem",
            f"Libraries that pvlink needs cannot be imported: {which}",
            f"Install them anew: `{sys.executable} -m pip install --force-reinstall {' '.join(broken) or 'pvlink'}`, "
            "then restart the kernel.",
            {"broken": sorted(broken)},
        )
    else:
        versions = {package: what for package, (_, what) in states.items()}
        shown = ", ".join(f"{name} {versions[name]}" for name in ("numpy", "anywidget", "ipywidgets"))
        yield Finding("libraries", "ok", f"The libraries pvlink stands on are there: {shown}, ...", facts=versions)


def viewer() -> Iterator[Finding]:
    """Whether the part that runs in the browser was built and installed."""
    missing = [name for name in VIEWER if not (HERE / name).is_file()]
    if missing:
        yield Finding(
            "viewer",
            "problem",
            f"The part of pvlink that runs in the browser is not installed: {', '.join(missing)} is missing in {HERE}.",
            f"Install pvlink anew: `{sys.executable} -m pip install --force-reinstall --no-deps pvlink`. In a checkout "
            "of its sources: `make build`.",
            {"missing": missing},
        )
    else:
        yield Finding("viewer", "ok", "The viewer, which runs in the browser, is installed")


def policies() -> Iterator[Finding]:
    """What the administrator lets this user share."""
    rules = policy.load()
    if rules.error:
        yield Finding(
            "policy",
            "problem",
            f"Nothing can be shared, because the policy for sharing cannot be read: {rules.error}",
            "Views in notebooks are not touched by this. Mend the file, or ask the administrator to: its keys stand "
            "in the documentation under 'For administrators'.",
        )
    elif rules.sources:
        said = ", ".join(f"{key} = {getattr(rules, key)!r}" for key in sorted(rules.sources))
        files = ", ".join(sorted({str(file) for file in rules.sources.values()}))
        yield Finding("policy", "note", f"Sharing is limited on this machine: {said} ({files})")
    else:
        yield Finding("policy", "ok", "No administrator's policy limits sharing")
