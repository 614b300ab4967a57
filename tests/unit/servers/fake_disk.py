"""A desk that answers about folders it makes up, as the engine's does; and forgets them when it is told to."""

from __future__ import annotations

import json
from typing import Any

from pvlink.engine.refusal import Refusal
from pvlink.servers.files import Browsing

Line = list[Any]


def line(at: int, name: str, kind: str = "file", **facts: Any) -> Line:
    known = {"size": 5, "modified": 0.0, "hidden": False, "count": 1, "first": name, "last": name}
    known |= {"reader": None, "description": ""} | facts
    return [at, name, kind, *known.values()]


class FakeDesk:
    """One folder, `/data`, with these names, in this order."""

    def __init__(self, *lines: Line) -> None:
        self.lines = list(lines)
        self.number = 7
        self.asked: list[dict[str, Any]] = []
        self.opened: list[tuple[list[str], str | None]] = []
        self.usual = True
        self.note = ""
        self.wrong: Exception | None = None

    def forget(self) -> None:
        self.number += 1

    def files(self, path: str, **how: Any) -> dict[str, Any]:
        self.asked.append({"path": path, **how})
        if self.wrong is not None:
            raise self.wrong
        if path == "/none":
            raise Refusal("/none on this machine cannot be read: No such file or directory.")
        begin = how.get("begin", 0)
        at = None
        if name := how.get("named") or how.get("find"):
            at = next((at for at, line in enumerate(self.lines) if line[1].startswith(name)), None)
            begin = begin if at is None else at - at % how["count"]
        return {
            "number": self.number,
            "path": path or "/data",
            "parent": "/",
            "host": "node7",
            "places": [("Home", "/home/u\udcff"), ("Root", "/")],
            "total": len(self.lines),
            "begin": begin,
            "at": at,
            "entries": json.dumps(self.lines[begin : begin + how["count"]]),
        }

    def series(self, path: str, name: str, number: int) -> list[str]:
        return [f"{path}/{name}{step}" for step in range(5)]

    def readers(self, paths: list[str]) -> list[tuple[str, str]]:
        return [("AReader", "A files"), ("BReader", "B files")]

    def open_files(self, paths: list[str], reader: str | None) -> tuple[Any, dict[str, Any]]:
        if paths[0].endswith(".abc"):
            raise Refusal(f"{paths[0]} cannot be read: ParaView has no reader for files that end in .abc.")
        self.opened.append((paths, reader))
        facts = {"name": paths[0], "reader": reader or "AReader", "usual": self.usual, "shown": True, "note": self.note}
        return object(), facts


class Session(Browsing):
    def __init__(self, desk: FakeDesk) -> None:
        self.desk = desk
