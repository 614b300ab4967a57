"""Folders and files where ParaView reads them: on the machine of the server if one is connected, else of the engine."""

from __future__ import annotations

import datetime
import html
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pvlink.errors import DataError, OptionError, refuse_unknown
from pvlink.servers import names

if TYPE_CHECKING:
    from pvlink.servers.browser import Browser

# Lines of a page, and of a listing that shows itself in a cell, or as text.
PAGE, ROWS, LINES = 200, 200, 20
# Who goes through a whole listing gets so many with one question.
GULP = 5000
_CELL = "text-align:left;padding:2px 12px 2px 0;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;max-width:"


@dataclass(frozen=True)
class Entry:
    """One line of a folder: a folder, a file, or a series of files that differ in a number."""

    name: str
    path: str
    kind: Literal["folder", "file", "series"]
    # Bytes, of a series in all; none where ParaView does not tell.
    size: int | None
    # When it, or a series' newest file, was written; none where ParaView does not tell.
    modified: datetime.datetime | None
    hidden: bool
    # The reader that fits its name, as `paraview.simple` calls it; none: nothing reads such names.
    reader: str | None
    # What that reader calls such files.
    description: str
    # How many files, and the names of the first and the last.
    count: int
    first: str
    last: str
    _listing: Listing

    @property
    def files(self) -> list[str]:
        """The whole paths of its files, in the order of their numbers."""
        return [self.path] if self.kind != "series" else self._listing.files_of(self)

    def open(self, reader: str | None = None) -> Any:
        """A source that reads it, shown in the active view."""
        return self._listing.disk.source(self.files, reader)

    def __repr__(self) -> str:
        many = f", {self.count} files, {self.first!r} to {self.last!r}" if self.kind == "series" else ""
        return f"<{self.kind} {self.path!r}{many}{f', {self.reader}' if self.reader else ''}>"


class Disk:
    """What a session's engine says of files; what it refuses is the caller's to mend."""

    def __init__(self, session: Browsing) -> None:
        self._session = session

    def page(self, path: str, **how: Any) -> dict[str, Any]:
        with _said(OptionError):
            answer: dict[str, Any] = self._session.desk.files(path, **how)
        return answer | {"entries": json.loads(answer["entries"])}

    def series(self, path: str, name: str, number: int) -> list[str]:
        with _said(OptionError):
            return list(self._session.desk.series(path, name, number))

    def readers(self, paths: list[str]) -> list[tuple[str, str]]:
        with _said(DataError):
            return [(name, description) for name, description in self._session.desk.readers(paths)]

    def open(self, paths: list[str], reader: str | None = None) -> tuple[Any, dict[str, Any]]:
        """The source, and the facts of it: see `pvlink/engine/readers.py`."""
        with _said(DataError):
            source, facts = self._session.desk.open_files(paths, reader)
        return source, facts

    def source(self, paths: list[str], reader: str | None) -> Any:
        """The source alone; what else there is to say of it is printed."""
        source, facts = self.open(paths, reader)
        if facts["note"]:
            print(f"pvlink: {names.shown(facts['name'])}: {facts['note']}")  # noqa: T201
        return source


class Browsing:
    """What a session does for files. Its `desk` answers `files`, `series`, `readers` and `open_files`."""

    # Also where ParaView is in the kernel: `pvlink/engine/disk.py`.
    desk: Any

    def files(self, path: str = "", *, pattern: str | None = None, hidden: bool = False) -> Listing:
        """A folder where ParaView reads files: entries by name, files that differ in a number as one series.

        `path` may be relative to ParaView's working folder, or begin with `~`. `pattern`: a part of the name, or with
        wildcards the whole (`*.vtu`). `hidden`: also what begins with a dot.
        """
        return Listing(Disk(self), str(path), pattern or "", hidden)

    def open(self, path: str = "", **options: Any) -> Browser:
        """A browser over the same files, for a cell: `height` (pixels, or a CSS length), `pattern`, `hidden`.

        What was opened last is its `source`.
        """
        from pvlink.servers.browser import OPTIONS, Browser

        refuse_unknown("session.open()", set(options) - set(OPTIONS), OPTIONS)
        return Browser(Disk(self), str(path), **options)

    def open_files(self, paths: str | list[str], reader: str | None = None) -> Any:
        """A source that reads a file, or several as the steps of one series, shown in the active view.

        `reader` is a name of `paraview.simple`; if not given, the first that says it can.
        """
        return Disk(self).source([paths] if isinstance(paths, str) else list(paths), reader)


class Listing:
    """A folder as it was when it was read: iterate over it, ask for one name, or for one page."""

    def __init__(self, disk: Disk, path: str, pattern: str, hidden: bool) -> None:
        self.disk = disk
        self._how = {"pattern": pattern, "hidden": hidden}
        self._entries: dict[int, Entry] = {}
        self._number = 0
        self._begin(disk.page(path, count=PAGE, **self._how))

    def _begin(self, answer: dict[str, Any]) -> None:
        self._number = answer["number"]
        self.path: str = answer["path"]
        self.parent: str = answer["parent"]
        # Name and path: home, the working folder, what else ParaView offers, the root.
        self.places: dict[str, str] = dict(answer["places"])
        # The machine that it is on.
        self.host: str = answer["host"]
        self._total: int = answer["total"]
        self._entries.clear()
        self._take(answer)

    def _take(self, answer: dict[str, Any]) -> None:
        for at, line in enumerate(answer["entries"], answer["begin"]):
            self._entries[at] = entry_of(self, answer["path"], line)

    def _fetch(self, begin: int, count: int) -> None:
        answer = self.disk.page(self.path, number=self._number, begin=begin, count=count, **self._how)
        if answer["number"] == self._number:
            self._take(answer)
            return
        # The engine remembers the last few only, and has read the folder again: what there was may have changed.
        self._begin(answer)

    def page(self, number: int) -> list[Entry]:
        """The entries of one page of 200; the first is page 0. Past the end it is empty."""
        if number < 0:
            raise OptionError(f"page({number}): the first page is 0.")
        begin = number * PAGE
        if begin < self._total and begin not in self._entries:
            self._fetch(begin, PAGE)
        return [self._entries[at] for at in range(begin, min(begin + PAGE, self._total)) if at in self._entries]

    @property
    def pages(self) -> int:
        return -(-self._total // PAGE)

    def files_of(self, entry: Entry) -> list[str]:
        """The files of one of its series."""
        return self.disk.series(self.path, entry.name, self._number)

    def __len__(self) -> int:
        return self._total

    def __iter__(self) -> Iterator[Entry]:
        at = 0
        while at < self._total:
            if at not in self._entries:
                self._fetch(at, GULP)
            if at in self._entries:
                yield self._entries[at]
            at += 1

    def __getitem__(self, name: str) -> Entry:
        """The entry of that name; a file rather than a series that is called the same."""
        found = self._find(name)
        if found is None:
            raise KeyError(f"There is no {name!r} among the {self._total} entries of {self.path}.")
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def _find(self, name: str) -> Entry | None:
        answer = self.disk.page(self.path, number=self._number, count=1, named=name, **self._how)
        if answer["number"] != self._number:
            self._begin(answer | {"entries": []})
        return None if answer["at"] is None else entry_of(self, answer["path"], answer["entries"][0])

    def __repr__(self) -> str:
        first = [self._cells(entry) for entry in self.page(0)[:LINES]]
        widths = [min(60, max(map(len, column))) for column in zip(*first, strict=True)] if first else []
        rows = ["  ".join(_fit(*cell) for cell in zip(row, widths, strict=True)).rstrip() for row in first]
        return "\n".join([self._title(), *rows, *self._rest(len(first))])

    def _repr_html_(self) -> str:
        first = self.page(0)[:ROWS]
        lengths = ("24em", "8em", "11em", "18em", "18em")
        rows = "".join(
            "<tr>"
            + "".join(
                f'<td style="{_CELL}{length}" title="{html.escape(cell)}">{html.escape(cell)}</td>'
                for cell, length in zip(self._cells(entry), lengths, strict=True)
            )
            + "</tr>"
            for entry in first
        )
        heads = "".join(
            f'<th style="{_CELL}none">{head}</th>' for head in ("Name", "Size", "Modified", "Kind", "Reader")
        )
        rest = "".join(f"<p>{html.escape(line)}</p>" for line in self._rest(len(first)))
        table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>" if first else ""
        return f"<div><p><b>{html.escape(self._title())}</b></p>{table}{rest}</div>"

    def _title(self) -> str:
        what = "1 entry" if self._total == 1 else f"{self._total:,} entries"
        return f"{names.shown(self.path)} on {names.shown(self.host)}: {what}"

    def _rest(self, number: int) -> list[str]:
        left = self._total - number
        return [f"... and {left:,} more: listing.page(1), or iterate over it"] if left > 0 else []

    @staticmethod
    def _cells(entry: Entry) -> tuple[str, ...]:
        name = names.shown(entry.name) + ("/" if entry.kind == "folder" else "")
        what = entry.description or entry.kind
        if entry.kind == "series":
            what = f"{entry.count:,} x {entry.description or 'file'}"
        return name, names.size(entry.size), names.when(entry.modified), what, entry.reader or ""


def entry_of(listing: Listing, folder: str, line: list[Any]) -> Entry:
    """A line of the engine's answer (`pvlink/engine/files.py`)."""
    _, name, kind, size, modified, hidden, count, first, last, reader, description = line
    when = None if modified is None else datetime.datetime.fromtimestamp(modified).astimezone()
    path = f"{folder.rstrip('/')}/{name}"
    return Entry(name, path, kind, size, when, hidden, reader, description, count, first, last, listing)


def _fit(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else f"{text[: width - 1]}\u2026"


@contextmanager
def _said(kind: type[Exception]) -> Iterator[None]:
    """The engine's refusals, as the user's own mistakes."""
    try:
        yield
    except Exception as error:
        # Over the wire it comes as a class of that name only.
        if type(error).__name__.rpartition(".")[2] != "Refusal":
            raise
        raise kind(names.shown(str(error))) from None
