"""Who imports what, read from the source: nothing is run, so a door is checked even where its library is missing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent.parent

# `from "wslink"`, `import "wslink"`, `import("wslink")`, `require("wslink")`
_TS_IMPORT = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)["']([^"'\n]+)["']""")


@dataclass(frozen=True)
class Import:
    file: PurePosixPath
    line: int
    # Absolute and dotted: "pvlink.engine.rpc", "wslink.backends.aiohttp".
    module: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"

    def within(self, *packages: str) -> bool:
        return any(self.module == package or self.module.startswith(f"{package}.") for package in packages)


def python_files(root: Path, *folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(file for file in (root / folder).rglob("*.py") if "node_modules" not in file.parts)


def python_imports(root: Path, folder: str) -> list[Import]:
    """Every import under root/folder: plain, relative, inside functions, and by `import_module("name")`."""
    found = []
    for file in python_files(root, folder):
        relative = PurePosixPath(file.relative_to(root))
        package = relative.with_suffix("").parts[:-1]
        for node in ast.walk(ast.parse(file.read_text(), filename=str(file))):
            found += [Import(relative, line, module) for line, module in _imported(node, package)]
    return found


def _imported(node: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield node.lineno, alias.name
    elif isinstance(node, ast.ImportFrom):
        base = [*package[: len(package) + 1 - node.level]] if node.level else []
        source = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            # `from pvlink import protocol` brings a module, `from pvlink.protocol import Frame` a name in one:
            # both begin with the module's name.
            yield node.lineno, source if alias.name == "*" else f"{source}.{alias.name}"
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in {"import_module", "__import__"} and isinstance(node.args[0].value, str):
            yield node.lineno, node.args[0].value


def ts_imports(root: Path, folder: str) -> list[Import]:
    found = []
    for file in sorted((root / folder).rglob("*.ts")):
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            relative = PurePosixPath(file.relative_to(root))
            found += [Import(relative, number, match[1]) for match in _TS_IMPORT.finditer(line)]
    return found


def matches(file: PurePosixPath, pattern: str) -> bool:
    """`pvlink/view.py` is that file, `pvlink/server/` everything below."""
    return str(file).startswith(pattern) if pattern.endswith("/") else str(file) == pattern
