"""The widget that browses: folders where ParaView reads files, and a button that opens what was chosen.

A page asks, in the widget's custom messages, and the kernel answers with the same client and number (`Ask` and
`js/src/browser/messages.ts`). No path comes from a page but one that a person has typed: lines, places and the parts of
a path are meant by their numbers, for a name that is no text does not survive the way to a browser and back.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from pathlib import Path
from typing import Annotated, Any, Literal

import anywidget
import msgspec
import traitlets

from pvlink.errors import OptionError, PvlinkError
from pvlink.servers import names
from pvlink.servers.files import PAGE, Disk

OPTIONS = ("height", "pattern", "hidden")
# Listings that pages may still mean: each has some, and goes back and forth.
KEPT = 16
# A series longer than this is named by its listing in the line of code.
MOST_IN_CODE = 3
log = logging.getLogger(__name__)

Text = Annotated[str, msgspec.Meta(max_length=4096)]
Number = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """What a page asks."""

    pvlink: Literal["list", "readers", "open"]
    client: Annotated[str, msgspec.Meta(max_length=64)]
    ask: Number
    # The listing it means; 0 for none yet.
    number: Number = 0
    # Where to go: one of these, or none to stay.
    path: Text | None = None
    line: Number | None = None
    place: Number | None = None
    # So many parts of the listing's path.
    part: Number | None = None
    # Read it anew.
    again: bool = False
    begin: Number = 0
    sort: Literal["name", "size", "modified", "kind"] = "name"
    reverse: bool = False
    pattern: Text = ""
    hidden: bool = False
    find: Text = ""
    # What to open, and by which reader; none: the first that can.
    lines: Annotated[list[Number], msgspec.Meta(max_length=10_000)] = msgspec.field(default_factory=list)
    reader: Text = ""


class Seen:
    """What pages were told of one listing."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.places: list[tuple[str, str]] = []
        # Name, kind, and the name of the first file, by the line's number.
        self.lines: dict[int, tuple[str, str]] = {}

    def parts(self) -> list[str]:
        """The folders that lead there, the root first."""
        return ["/", *filter(None, self.path.split("/"))]

    def within(self, name: str) -> str:
        return f"{self.path.rstrip('/')}/{name}"


class Browser(anywidget.AnyWidget):
    """A file browser in a cell. `source` is what was opened last, `None` before."""

    _esm = Path(__file__).parents[1] / "static" / "browser.js"
    height = traitlets.Unicode("").tag(sync=True)
    pattern = traitlets.Unicode("").tag(sync=True)
    hidden = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self, disk: Disk, path: str = "", *, height: int | str = "", pattern: str = "", hidden: bool = False
    ) -> None:
        super().__init__(height=_length(height), pattern=str(pattern), hidden=bool(hidden))
        self._disk = disk
        self._start = path
        self._seen: OrderedDict[int, Seen] = OrderedDict()
        self.source: Any = None
        # Asked now, for a path that cannot be is said where the caller reads it; and kept for the first page.
        self._first: dict[str, Any] | None = disk.page(
            path, count=PAGE, around=True, pattern=self.pattern, hidden=self.hidden
        )
        self._where = names.shown(self._first["path"])
        self.on_msg(self._heard)

    def __repr__(self) -> str:
        return f"<pvlink file browser of {self._where}>"

    def _heard(self, _widget: Any, content: Any, buffers: Any) -> None:
        try:
            ask = msgspec.convert(content, Ask)
        except msgspec.ValidationError as error:
            log.warning("a message that is no file browser's: %s", error)
            return
        answer: dict[str, Any]
        try:
            answer = {"list": self._list, "readers": self._readers, "open": self._open}[ask.pvlink](ask)
        except PvlinkError as error:
            answer = {"pvlink": "failed", "message": names.shown(str(error))}
        except KeyboardInterrupt:
            answer = {"pvlink": "failed", "message": "It was interrupted."}
        except Exception as error:  # noqa: BLE001 - whatever ParaView raises belongs to whoever clicked
            answer = {"pvlink": "failed", "message": names.shown(f"{type(error).__name__}: {error}")}
        # All pages hear it; each takes its own.
        self.send({**answer, "client": ask.client, "ask": ask.ask})

    # -- folders -----------------------------------------------------------------------------------

    def _list(self, ask: Ask) -> dict[str, Any]:
        answer = self._begun(ask) or self._page(ask)
        seen = self._keep(answer)
        return {
            "pvlink": "listing",
            "number": answer["number"],
            "host": names.shown(answer["host"]),
            "path": names.shown(seen.path),
            "parts": list(map(names.shown, seen.parts())),
            "places": [[names.shown(name), names.shown(path)] for name, path in seen.places],
            "total": answer["total"],
            "begin": answer["begin"],
            "at": answer["at"],
            "entries": list(map(_line, answer["entries"])),
        }

    def _begun(self, ask: Ask) -> dict[str, Any] | None:
        """What was read when this was made, for the page that asks first and wants nothing else."""
        first, self._first = self._first, None
        usual = Ask(ask.pvlink, ask.client, ask.ask, pattern=self.pattern, hidden=self.hidden)
        return first if ask == usual else None

    def _page(self, ask: Ask) -> dict[str, Any]:
        path, moved = self._meant(ask)
        return self._disk.page(
            path,
            number=0 if moved or ask.again else ask.number,
            begin=ask.begin,
            count=PAGE,
            sort=ask.sort,
            reverse=ask.reverse,
            pattern=ask.pattern,
            hidden=ask.hidden,
            around=moved,
            find=ask.find,
        )

    def _meant(self, ask: Ask) -> tuple[str, bool]:
        """The path that is meant, and whether it is another than the listing's."""
        if ask.path is not None:
            return ask.path, True
        if not ask.number or (ask.again and ask.number not in self._seen):
            return self._start, True
        seen = self._of(ask)
        if ask.line is not None:
            return seen.within(self._known(seen, ask.line)[0]), True
        if ask.place is not None:
            return seen.places[min(ask.place, len(seen.places) - 1)][1], True
        if ask.part is not None:
            return "/" + "/".join(seen.parts()[1 : ask.part + 1]), True
        return seen.path, False

    def _keep(self, answer: dict[str, Any]) -> Seen:
        seen = self._seen.setdefault(answer["number"], Seen(answer["path"]))
        self._seen.move_to_end(answer["number"])
        seen.places = list(answer["places"])
        seen.lines |= {line[0]: (line[1], line[2]) for line in answer["entries"]}
        while len(self._seen) > KEPT:
            self._seen.popitem(last=False)
        return seen

    def _of(self, ask: Ask) -> Seen:
        if ask.number not in self._seen:
            raise OptionError("This folder was listed too long ago. Reload it.")
        return self._seen[ask.number]

    def _known(self, seen: Seen, line: int) -> tuple[str, str]:
        if line not in seen.lines:
            raise OptionError("This line is not known any more. Reload the folder.")
        return seen.lines[line]

    # -- files -------------------------------------------------------------------------------------

    def _chosen(self, ask: Ask) -> tuple[Seen, list[tuple[str, str]]]:
        seen = self._of(ask)
        chosen = [self._known(seen, line) for line in ask.lines]
        if not chosen:
            raise OptionError("No file is chosen.")
        return seen, chosen

    def _paths(self, ask: Ask) -> list[str]:
        seen, chosen = self._chosen(ask)
        paths: list[str] = []
        for name, kind in chosen:
            series = kind == "series"
            paths += self._disk.series(seen.path, name, ask.number) if series else [seen.within(name)]
        return paths

    def _readers(self, ask: Ask) -> dict[str, Any]:
        found = self._disk.readers(self._paths(ask))
        return {"pvlink": "readers", "readers": [list(map(names.shown, one)) for one in found]}

    def _open(self, ask: Ask) -> dict[str, Any]:
        paths = self._paths(ask)
        self.source, facts = self._disk.open(paths, ask.reader or None)
        seen, chosen = self._chosen(ask)
        series = chosen[0][0] if len(chosen) == 1 and chosen[0][1] == "series" else None
        return {
            "pvlink": "opened",
            "name": names.shown(facts["name"]),
            "reader": names.shown(facts["reader"]),
            "note": names.shown(facts["note"]),
            "code": code_for(paths, facts, seen.path, series),
        }


def code_for(paths: list[str], facts: dict[str, Any], folder: str, series: str | None) -> str:
    """The line of Python that opens the same without a browser."""
    if series is not None and len(paths) > MOST_IN_CODE:
        what = f"pvlink.session().files({folder!r})[{series!r}].files"
    else:
        what = repr(paths[0] if len(paths) == 1 else paths)
    if not _is_text(paths) or not facts["usual"]:
        # OpenDataFile takes the first reader it finds, and no name that is no text.
        return f"source = pvlink.session().open_files({what}, reader={facts['reader']!r})"
    return f"source = OpenDataFile({what}); Show(source)"


def _is_text(paths: list[str]) -> bool:
    try:
        "".join(paths).encode()
    except UnicodeEncodeError:
        return False
    return True


def _line(line: list[Any]) -> list[Any]:
    """As a page is told it: names as they may be shown."""
    at, name, kind, size, modified, hidden, count, first, last, reader, description = line
    said = names.shown
    return [at, said(name), kind, size, modified, hidden, count, said(first), said(last), reader, description]


def _length(height: int | str) -> str:
    """A CSS length from a number of pixels or from text."""
    if isinstance(height, bool) or not isinstance(height, int | str):
        raise OptionError(f"height={height!r}: give pixels as a number, or a CSS length such as '30em'.")
    if isinstance(height, str):
        return height
    if not 160 <= height <= 8192:
        raise OptionError(f"height={height!r}: a browser is 160 to 8192 pixels high.")
    return f"{height}px"
