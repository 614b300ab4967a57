"""Every foreign library has one door; its names stop there."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from tests.rules.tree import ROOT, Import, matches, python_imports, ts_imports

ENCODERS = "pvlink/streamer/encoders/"
PYTHON_DOORS: dict[str, tuple[str, ...]] = {
    "wslink": ("pvlink/streamer/link.py",),
    "aiohttp": ("pvlink/streamer/link.py", "pvlink/streamer/doors.py"),
    "asyncssh": ("pvlink/launchers/carrier/host.py",),
    "cryptography": ("pvlink/streamer/certificate.py",),
    "rpyc": ("pvlink/engine/rpc.py",),
    "av": (ENCODERS,),
    "simplejpeg": (ENCODERS,),
    "isal": (ENCODERS,),
    "PIL": (ENCODERS,),
    "pandas": ("pvlink/cargo/unpacked.py",),
    "tornado": ("pvlink/server/", "pvlink/channel.py"),
    "jupyter_server": ("pvlink/server/",),
    "anywidget": ("pvlink/view.py", "pvlink/servers/browser.py"),
    "ipywidgets": ("pvlink/view.py", "pvlink/servers/form.py", "pvlink/launchers/panel.py", "pvlink/monitor/"),
    "vtk": ("pvlink/engine/",),
    "vtkmodules": ("pvlink/engine/", "pvlink/insitu/"),
    # In the kernel `paraview` is the mirror, which start() has put there: this file passes it on.
    "paraview": (
        "pvlink/engine/",
        "pvlink/insitu/live.py",
        "pvlink/arrival.py",
        "pvlink/kernelstart.py",
        "pvlink/simple.py",
    ),
}
# Nouns of the trade rather than foreign countries: anyone may import these.
OPEN = frozenset({"IPython", "msgspec", "numpy", "traitlets"})
TS_DOORS: dict[str, tuple[str, ...]] = {
    "wslink": ("js/src/viewer/link.ts",),
    "@noble/hashes": ("js/src/viewer/handshake.ts",),
}
# Brought by ParaView, not by pip.
PARAVIEWS = frozenset({"paraview", "vtk", "vtkmodules"})
# Used where a user has them, and never required.
OPTIONAL = frozenset({"pandas"})
# Where a library's name on PyPI is not the one it is imported by (but for case and dashes).
ON_PYPI = {"PIL": "pillow"}
# The viewer is mount(el, options) -> dispose and knows no Jupyter.
NOT_IN_THE_VIEWER = ("@jupyterlab", "@jupyter", "@jupyter-widgets", "@lumino", "@anywidget")


def through_walls(imports: list[Import], doors: dict[str, tuple[str, ...]]) -> list[str]:
    return [
        f"{one}; only {' and '.join(files)} may"
        for one in imports
        for library, files in doors.items()
        if (one.within(library) or one.module.startswith(f"{library}/"))
        and not any(matches(one.file, file) for file in files)
    ]


def foreign(imports: list[Import]) -> dict[str, Import]:
    """The first import of each library that is neither Python's nor ours."""
    # The engine, started as a folder, knows its own files by their bare names.
    ours = {"pvlink"} | {one.file.stem for one in imports}
    found: dict[str, Import] = {}
    for one in imports:
        library = one.module.split(".")[0]
        if library not in sys.stdlib_module_names and library not in ours:
            found.setdefault(library, one)
    return found


def undeclared(imports: list[Import], dependencies: list[str]) -> list[str]:
    declared = {re.split(r"[^\w-]", line, maxsplit=1)[0].lower().replace("-", "_") for line in dependencies}
    return [
        f"{one}, which pyproject.toml does not declare"
        for library, one in foreign(imports).items()
        if library not in PARAVIEWS | OPTIONAL and ON_PYPI.get(library, library).lower() not in declared
    ]


def jupyter_in_the_viewer(imports: list[Import]) -> list[str]:
    return [
        f"{one}; the viewer knows no Jupyter"
        for one in imports
        if one.file.is_relative_to("js/src/viewer") and one.module.split("/")[0] in NOT_IN_THE_VIEWER
    ]


def test_each_python_library_is_imported_by_its_door_only() -> None:
    assert through_walls(python_imports(ROOT, "pvlink"), PYTHON_DOORS) == []


def test_every_library_has_a_door_or_is_open_to_all() -> None:
    assert foreign(python_imports(ROOT, "pvlink")).keys() - PYTHON_DOORS.keys() - OPEN == set()


def test_every_library_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert undeclared(python_imports(ROOT, "pvlink"), project["dependencies"]) == []


def test_each_npm_library_is_imported_by_its_door_only() -> None:
    assert through_walls(ts_imports(ROOT, "js/src"), TS_DOORS) == []


def test_the_viewer_imports_no_jupyter() -> None:
    assert jupyter_in_the_viewer(ts_imports(ROOT, "js/src")) == []


def test_every_way_to_import_past_a_python_door_is_seen(tmp_path: Path) -> None:
    ways = {
        "plain": "import wslink",
        "dotted": "import wslink.websocket as w",
        "from": "from wslink import register",
        "deep": "def f():\n    if True:\n        from wslink.backends import aiohttp",
        "by_name": "import importlib\nimportlib.import_module('wslink.protocol')",
    }
    (tmp_path / "pvlink" / "streamer").mkdir(parents=True)
    for name, source in ways.items():
        (tmp_path / "pvlink" / "streamer" / f"{name}.py").write_text(source)
    (tmp_path / "pvlink" / "streamer" / "link.py").write_text("import wslink")
    (tmp_path / "pvlink" / "streamer" / "similar.py").write_text("import wslinked\nfrom . import wslink_like")

    found = through_walls(python_imports(tmp_path, "pvlink"), {"wslink": ("pvlink/streamer/link.py",)})

    assert sorted(Path(line.split(":")[0]).stem for line in found) == sorted(ways)


def test_a_library_without_door_or_declaration_is_seen(tmp_path: Path) -> None:
    (tmp_path / "pvlink").mkdir()
    (tmp_path / "pvlink" / "session.py").write_text("import os, asyncssh, msgspec\nfrom PIL import Image\nimport vtk\n")
    imports = python_imports(tmp_path, "pvlink")

    assert sorted(foreign(imports)) == ["PIL", "asyncssh", "msgspec", "vtk"]
    assert undeclared(imports, ["msgspec>=0.19,<1", "Pillow>=10"]) == [
        "pvlink/session.py:1 imports asyncssh, which pyproject.toml does not declare"
    ]


def test_every_way_to_import_past_a_typescript_door_is_seen(tmp_path: Path) -> None:
    ways = {
        "from": 'import { a } from "wslink";',
        "deep": "import x from 'wslink/src/y';",
        "lazy": 'const w = await import("wslink");',
        "effect": 'import "wslink";',
        "again": 'export * from "wslink";',
    }
    viewer = tmp_path / "js" / "src" / "viewer"
    viewer.mkdir(parents=True)
    for name, source in ways.items():
        (viewer / f"{name}.ts").write_text(source)
    (viewer / "link.ts").write_text('import "wslink";')
    (viewer / "similar.ts").write_text('import "./wslink";\nimport "wslinked";')

    found = through_walls(ts_imports(tmp_path, "js/src"), TS_DOORS)

    assert sorted(Path(line.split(":")[0]).stem for line in found) == sorted(ways)


def test_jupyter_in_the_viewer_is_seen(tmp_path: Path) -> None:
    for folder in ("viewer", "lab"):
        (tmp_path / "js" / "src" / folder).mkdir(parents=True)
        (tmp_path / "js" / "src" / folder / "index.ts").write_text('import { W } from "@lumino/widgets";')

    assert jupyter_in_the_viewer(ts_imports(tmp_path, "js/src")) == [
        "js/src/viewer/index.ts:1 imports @lumino/widgets; the viewer knows no Jupyter"
    ]
