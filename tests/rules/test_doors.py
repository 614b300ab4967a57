"""Every foreign library has one door; its names stop there."""

from __future__ import annotations

from pathlib import Path

from tests.rules.tree import ROOT, Import, matches, python_imports, ts_imports

PYTHON_DOORS = {
    "wslink": "pvlink/streamer/link.py",
    "aiohttp": "pvlink/streamer/link.py",
    "rpyc": "pvlink/engine/rpc.py",
    "simplejpeg": "pvlink/streamer/encoders/",
    "PIL": "pvlink/streamer/encoders/",
    "tornado": "pvlink/server/",
    "jupyter_server": "pvlink/server/",
    "anywidget": "pvlink/view.py",
    "ipywidgets": "pvlink/view.py",
    "vtk": "pvlink/engine/",
    "vtkmodules": "pvlink/engine/",
    "paraview": "pvlink/engine/",
}
TS_DOORS = {
    "wslink": "js/src/viewer/link.ts",
}
# The viewer is mount(el, options) -> dispose and knows no Jupyter.
NOT_IN_THE_VIEWER = ("@jupyterlab", "@jupyter", "@jupyter-widgets", "@lumino", "@anywidget")


def through_walls(imports: list[Import], doors: dict[str, str]) -> list[str]:
    return [
        f"{one}; only {door} may"
        for one in imports
        for library, door in doors.items()
        if (one.within(library) or one.module.startswith(f"{library}/")) and not matches(one.file, door)
    ]


def jupyter_in_the_viewer(imports: list[Import]) -> list[str]:
    return [
        f"{one}; the viewer knows no Jupyter"
        for one in imports
        if one.file.is_relative_to("js/src/viewer") and one.module.split("/")[0] in NOT_IN_THE_VIEWER
    ]


def test_each_python_library_is_imported_by_its_door_only() -> None:
    assert through_walls(python_imports(ROOT, "pvlink"), PYTHON_DOORS) == []


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

    found = through_walls(python_imports(tmp_path, "pvlink"), {"wslink": "pvlink/streamer/link.py"})

    assert sorted(Path(line.split(":")[0]).stem for line in found) == sorted(ways)


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
