"""What each kind can do, as docs/how-to/kinds.md has it; `python -m tests.contracts.sessions.table` prints it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from tests.contracts.sessions.kinds import Kind
from tests.contracts.sessions.kinds.all import KINDS

HERE = Path(__file__).parent
BEGIN, END = "<!-- table -->\n", "<!-- end -->\n"


def contracts() -> list[str]:
    """Their names, in the order of the files they are in: a test's, without "test_"."""
    trees = [ast.parse(file.read_text()) for file in sorted(HERE.glob("test_*.py")) if file.stem != "test_table"]
    return [
        function.name.removeprefix("test_")
        for tree in trees
        for function in tree.body
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name.startswith("test_")
    ]


def sentence(contract: str) -> str:
    return contract[0].upper() + contract[1:].replace("_", " ")


def table(kinds: Sequence[Kind] = KINDS) -> str:
    """In Markdown, with a note for each reason."""
    reasons: list[str] = []
    lines = ["| |" + "".join(f" {kind.name} |" for kind in kinds), "|---|" + "---|" * len(kinds)]
    for contract in contracts():
        cells = []
        for kind in kinds:
            why = kind.cannot.get(contract)
            if why is not None and why not in reasons:
                reasons.append(why)
            cells.append(" yes |" if why is None else f" no ({reasons.index(why) + 1}) |")
        lines.append(f"| {sentence(contract)} |{''.join(cells)}")
    notes = [f"{number}. {why}" for number, why in enumerate(reasons, 1)]
    return "\n".join([*lines, "", *notes, ""])


if __name__ == "__main__":
    print(table())  # noqa: T201
