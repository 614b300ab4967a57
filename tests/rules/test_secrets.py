"""Secrets are compared in constant time: `==` tells a guesser how much of the beginning was right."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.rules.tree import ROOT

SECRET = re.compile(r"secret|password|passphrase|proof|expected|token|cookie", re.IGNORECASE)
# A password that is empty was not given: nothing is learnt from that.
HARMLESS = ("", None)


def word(node: ast.expr) -> str:
    """The name that a value goes by."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=ast.Attribute(value=value)):
            return word(value)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return " ".join([name, *map(word, arguments[:1])])
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key
    return ""


def careless(source: str) -> list[int]:
    """Lines that compare a secret by == or !=, or look it up in a container."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(how, ast.Eq | ast.NotEq | ast.In) for how in node.ops):
            sides = [node.left, *node.comparators]
            if any(isinstance(side, ast.Constant) and side.value in HARMLESS for side in sides):
                continue
            if any(SECRET.search(word(side)) for side in sides):
                found.append(node.lineno)
    return found


def test_no_secret_is_compared_by_equality() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "pvlink").rglob("*.py"))
        for line in careless(path.read_text(encoding="utf-8"))
    ]

    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "given == password",
        "self._password != given",
        "proof(a, b) == other",
        "shown == expected",
        "secret.encode() == other",
        "body['password'] == share.word",
        "token in known_tokens",
    ],
)
def test_a_careless_comparison_is_seen(line: str) -> None:
    assert careless(f"def f():\n    return {line}\n") == [2]


def test_whether_one_was_given_at_all_may_be_asked() -> None:
    assert careless("password == ''\nsecret is None\n") == []


def test_the_two_places_that_compare_do_it_in_constant_time() -> None:
    for file in ("tickets.py", "passwords.py"):
        assert "hmac.compare_digest(" in Path(ROOT / "pvlink" / "streamer" / file).read_text(encoding="utf-8")
