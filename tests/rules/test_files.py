"""What holds for every file: its length, the Python it must run on, the one version number."""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

import pvlink.version
from pvlink.launchers.batch import PARTS
from tests.rules.tree import ROOT, python_files
from tools.require_built_js import missing

# A file is a noun. One that needs more lines than this is two.
LONGEST = 350
# A test file is a list of sentences about one noun; it may be longer before it is about two.
LONGEST_TEST = 500
GENERATED = {"js/src/protocol.ts"}
ENGINE_PYTHON = (3, 9)


def too_long(root: Path, files: Iterable[Path], limit: int) -> list[str]:
    lengths = {str(file.relative_to(root)): file.read_text().count("\n") for file in files}
    return [f"{name}: {lines} lines" for name, lines in lengths.items() if lines > limit and name not in GENERATED]


def too_new(folder: Path) -> list[str]:
    found = []
    for file in folder.rglob("*.py"):
        try:
            ast.parse(file.read_text(), filename=str(file), feature_version=ENGINE_PYTHON)
        except SyntaxError as error:
            found.append(f"{file.name}:{error.lineno}: {error.msg}")
    return found


def test_no_file_is_long() -> None:
    code = [*python_files(ROOT, "pvlink", "tools", "benchmarks"), *(ROOT / "js" / "src").rglob("*.ts")]
    tests = [*python_files(ROOT, "tests"), *(ROOT / "js" / "tests").rglob("*.ts")]

    assert too_long(ROOT, code, LONGEST) + too_long(ROOT, tests, LONGEST_TEST) == []


def test_a_long_file_is_seen(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text("x = 1\n" * (LONGEST + 1))
    (tmp_path / "short.py").write_text("x = 1\n" * LONGEST)

    assert too_long(tmp_path, python_files(tmp_path, "."), LONGEST) == ["long.py: 351 lines"]


@pytest.mark.parametrize("part", ["engine", "insitu"])
def test_what_runs_on_paraviews_own_python_is_python_3_9(part: str) -> None:
    assert too_new(ROOT / "pvlink" / part) == []


def test_what_runs_on_a_clusters_nodes_is_python_3_9(tmp_path: Path) -> None:
    for number, part in enumerate(PARTS):
        shutil.copy(ROOT / "pvlink" / part, tmp_path / f"{number}.py")

    assert too_new(tmp_path) == []


def test_syntax_after_3_9_is_seen(tmp_path: Path) -> None:
    (tmp_path / "views.py").write_text("match 1:\n    case 1:\n        pass\n")

    assert len(too_new(tmp_path)) == 1


@pytest.mark.parametrize("name", ["js/package.json", "js/package-lock.json"])
def test_the_viewer_has_the_same_version(name: str) -> None:
    assert json.loads((ROOT / name).read_text())["version"] == pvlink.version.__version__


def test_the_lock_file_fits_the_package_file() -> None:
    # `make` installs by `npm install`, which would quietly resolve what the lock file does not know.
    asked, locked = (json.loads((ROOT / "js" / name).read_text()) for name in ("package.json", "package-lock.json"))

    for kind in ("dependencies", "devDependencies"):
        assert locked["packages"][""].get(kind) == asked.get(kind)


def test_the_changelog_knows_the_version() -> None:
    headings = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert pvlink.version.__version__ in headings


def test_a_wheel_without_the_viewer_is_refused(tmp_path: Path) -> None:
    static = ["pvlink/static/widget.js", "pvlink/static/browser.js", "pvlink/static/page.js", "pvlink/static/page.html"]
    assert missing(tmp_path) == [*static, "pvlink/labextension/package.json"]
    (tmp_path / "pvlink" / "static").mkdir(parents=True)
    for name in static:
        (tmp_path / name).touch()
    assert missing(tmp_path) == ["pvlink/labextension/package.json"]
