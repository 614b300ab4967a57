"""Every call to ParaView and VTK is one that docs/versions.md has looked up in each version."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ENGINE = ROOT / "pvlink" / "engine"
THEIRS = frozenset({"paraview", "vtkmodules", "vtk"})
# ctypes' own library, which is neither's.
NOT_THEIRS = frozenset({"XCloseDisplay", "XOpenDisplay"})
# What VTK and ParaView call their things; the private ones are those of paraview.simple and servermanager.
LOOK = re.compile(r"[A-Z]\w*[a-z]\w*|vtk[A-Z]\w+")


def calls(source: str) -> Iterator[str]:
    """Names of ParaView's and VTK's that some code uses, as far as its text tells."""
    tree = ast.parse(source)
    modules = dict(imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in THEIRS:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute):
            root = chain_root(node)
            if modules.get(root, "") in THEIRS or (root not in modules and LOOK.fullmatch(node.attr)):
                yield node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "hasattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant) and LOOK.fullmatch(str(name.value)):
                yield str(name.value)


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What each imported name stands for: the library it comes from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.asname or alias.name.split(".")[0], alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            library = (node.module or "").split(".")[0]
            yield from ((alias.asname or alias.name, library) for alias in node.names)


def chain_root(node: ast.expr) -> str:
    """`a` of `a.b().c`; empty where it does not begin with a name."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return ""
    return node.id


def used() -> set[str]:
    return {name for file in ENGINE.rglob("*.py") for name in calls(file.read_text())} - NOT_THEIRS


def looked_up() -> set[str]:
    text = (ROOT / "docs" / "versions.md").read_text()
    part = text[text.index("## Call by call") : text.index("## Differences")]
    return {name for quoted in re.findall(r"`([^`]+)`", part) for name in quoted.split()}


def test_every_call_of_the_engine_was_looked_up_in_each_version() -> None:
    assert used() - looked_up() == set(), "look these up for each ParaView, and add them to docs/versions.md"


def test_what_was_looked_up_is_still_called() -> None:
    assert looked_up() - used() == set(), "the engine no longer calls these: take them out of docs/versions.md"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("view.SMProxy.GetRenderWindow()", {"SMProxy", "GetRenderWindow"}),
        ("from paraview import simple\nsimple._Private(1)", {"simple", "_Private"}),
        ("from vtkmodules.vtkCommonCore import vtkPoints as p", {"vtkPoints"}),
        ("hasattr(x, 'GetUseFXAA')", {"GetUseFXAA"}),
        ("import subprocess\nsubprocess.Popen()\nself._hand.apply()", set()),
        ("make()[0].SetSize(1)", {"SetSize"}),
    ],
)
def test_a_new_call_is_noticed(source: str, found: set[str]) -> None:
    assert set(calls(source)) == found
