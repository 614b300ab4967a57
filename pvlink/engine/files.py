"""The files where ParaView reads them: on the server's machine if there is one, else on this.

Of its own machine this process asks the system: 100,000 files take a second, where ParaView, which makes an object of
each, takes six. Of a server it asks ParaView. Which files are one series, ParaView's own rules say in both cases.
"""

from __future__ import annotations

import functools
import json
import os
import posixpath
import socket
import stat
import time
from pathlib import Path
from typing import Any

from paraview import servermanager

from pvlink.engine import far, readers
from pvlink.engine.listing import FILE, FOLDER, NOTHING, SERIES, SORTS, Facts, Listing, Order, Shelf, grouped
from pvlink.engine.plain import is_clean
from pvlink.engine.refusal import Refusal

PAGE = 200
# Sizes cost ParaView one more look at each file of a folder, all at once.
MOST_MEASURED = 5000
# A page waits so long, in seconds, for sizes and times; a list that is sorted by them waits longer.
PATIENCE, LONG_PATIENCE = 1.0, 20.0

_SHELF = Shelf()
_INVALID, _DIRECTORIES, _GROUPS = 0, (3, 4, 6, 7, 8, 9, 10), (5, 11)


def files(
    path: str = "",
    *,
    number: int = 0,
    begin: int = 0,
    count: int = PAGE,
    sort: str = "name",
    reverse: bool = False,
    pattern: str = "",
    hidden: bool = False,
    around: bool = False,
    find: str = "",
    named: str = "",
) -> dict[str, Any]:
    """One page of a folder, in that order. Refusal: there is no such folder, or we may not read it.

    `number`: of the listing that this is a page of; it is read anew if it is not kept any more. `around`: of a file,
    the folder it is in, and the page it is on. `find`: the page with the next name, from `begin` on, that begins so.
    `named`: the page with that very name.
    """
    if sort not in SORTS:
        raise Refusal(f"sort={sort!r}: it is one of {', '.join(SORTS)}.")
    listing = _SHELF.get(number, _connection())
    wanted = ""
    if listing is None:
        place, wanted = _placed(path, around)
        listing = _read(place)
    if sort in ("size", "modified"):
        _measure(listing, range(len(listing.items)), LONG_PATIENCE)
    shown = listing.order(Order(sort, reverse, pattern, hidden))
    at = None
    if named:
        at = listing.called(shown, named)
    elif wanted:
        at = listing.place(shown, wanted)
    elif find:
        at = listing.find(shown, find, begin)
    if at is not None:
        begin = at - at % count
    page = shown[begin : begin + count]
    _measure(listing, page, PATIENCE)
    proposals = readers.Proposals()
    return {
        "number": listing.number,
        "path": listing.path,
        "parent": posixpath.dirname(listing.path),
        "host": host(),
        "places": _places(),
        "total": len(shown),
        "begin": begin,
        "at": at,
        # In one text: piece by piece 5,000 lines cost both sides 0.28 s of work, and like this 0.10 s.
        "entries": json.dumps([_line(listing, line, proposals) for line in page]),
    }


def series(path: str, name: str, number: int = 0) -> list[str]:
    """The files of a series, or the one file, with their whole path. Refusal: there is none of that name."""
    listing = _SHELF.get(number, _connection()) or _read(_placed(path, False)[0])
    at = listing.called(range(len(listing.items)), name)
    if at is None:
        raise Refusal(f"There is no {name!r} in {listing.path} any more. List the folder again.")
    return [posixpath.join(listing.path, member) for member in listing.items[at].members]


def _line(listing: Listing, at: int, proposals: readers.Proposals) -> list[Any]:
    item = listing.items[at]
    size, modified = listing.facts(item)
    folder = item.kind == FOLDER
    found = None if folder else proposals.of(item.members[0])
    count = len(item.members) if item.kind == SERIES else 1
    return [
        *(at, item.name, item.kind, size, modified, item.hidden, count, item.members[0], item.members[-1]),
        *((None, "") if found is None else (found.name, found.description)),
    ]


def _connection() -> int:
    connection = servermanager.ActiveConnection
    if connection is None:
        raise Refusal("ParaView has no connection, not even its own: Connect() makes that one.")
    return int(connection.ID)


# -- a folder -----------------------------------------------------------------------------------------


def _placed(path: str, around: bool) -> tuple[str, str]:
    """The whole path of the folder that is meant, and the name of the file in it that was."""
    if "\0" in path:
        raise Refusal("A path has no character of the number 0.")
    if path == "~" or path.startswith("~/"):
        home = _special().get("Home")
        if not home:
            raise Refusal(f"{path}: there is no home folder on {_machine()}. Give the whole path.")
        path = posixpath.join(home, path[2:])
    kind, path = _kind(path)
    if kind == FOLDER:
        return path, ""
    if around:
        return posixpath.dirname(path), posixpath.basename(path)
    raise Refusal(f"{path} is a file, no folder. Its folder is {posixpath.dirname(path)}.")


def _kind(path: str) -> tuple[str, str]:
    """Folder or file, and its whole path."""
    return _kind_there(path) if far.is_far() else _kind_here(path)


def _kind_here(path: str) -> tuple[str, str]:
    try:
        # Links stay what they are: whoever goes into one wants to come out again.
        path = posixpath.normpath(posixpath.join(Path.cwd(), path))
        return (FOLDER if stat.S_ISDIR(Path(path).stat().st_mode) else FILE), path
    except OSError as error:
        raise Refusal(f"{path or 'The working folder'} on {_machine()} cannot be read: {error.strerror}.") from None


def _kind_there(path: str) -> tuple[str, str]:
    found = _ask(path)
    whole, kind = posixpath.normpath(_text(found.GetFullPath())), found.GetType()
    # POSIX lets two slashes mean something of their own; no file system of today does.
    whole = "/" + whole.lstrip("/") if whole.startswith("/") else whole
    if kind == _INVALID:
        raise Refusal(f"There is no {whole} on {_machine()}, or the folder it is in may not be looked into.")
    return (FOLDER if kind in _DIRECTORIES else FILE), whole


def _read(path: str) -> Listing:
    folders, found, known = _read_there(path) if far.is_far() else _read_here(path)
    parser = servermanager.vtkFileSequenceParser()

    def parse(name: str) -> tuple[str, int, str] | None:
        # A half of a character in a text of Python's ends ParaView 5.11: it takes that for no text at all.
        if not parser.ParseFileSequence(to_paraview(name)):
            return None
        return _text(parser.GetSequenceName()), parser.GetSequenceIndex(), _text(parser.GetSequenceIndexString())

    return _SHELF.put(_connection(), path, grouped(folders, found, parse, readers.Proposals().one_thing), known)


def _read_here(path: str) -> tuple[list[str], list[str], dict[str, Facts]]:
    folders: list[str] = []
    found: list[str] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                # Only of links does this ask more than the folder itself: a mount that is dead holds up nobody.
                (folders if entry.is_dir() else found).append(entry.name)
    except OSError as error:
        raise Refusal(f"{path} on {_machine()} cannot be read: {error.strerror}.") from None
    return folders, found, {}


def _read_there(path: str) -> tuple[list[str], list[str], dict[str, Facts]]:
    # Without details first: with them ParaView asks for each folder, too, and one that is a dead mount holds it up.
    # Where there are mounts, there are rarely files.
    entries = _contents(_ask(path, listed=True))
    folders = [name for name, kind, _, _ in entries if kind in _DIRECTORIES]
    if not entries and not readers.is_readable(path):
        raise Refusal(f"{path} on {_machine()} cannot be read: permission denied.")
    known: dict[str, Facts] = {}
    if len(folders) < len(entries) <= MOST_MEASURED:
        entries = _contents(_ask(path, listed=True, details=True))
        known = {name: (size, modified) for name, kind, size, modified in entries if kind not in _DIRECTORIES}
    return folders, [name for name, kind, _, _ in entries if kind not in _DIRECTORIES], known


def _contents(found: Any) -> list[tuple[str, int, int, float | None]]:
    contents = found.GetContents()
    contents.InitTraversal()
    entries = []
    # By number it would go through the chain each time.
    while (entry := contents.GetNextItemAsObject()) is not None:
        if entry.GetType() in _GROUPS:
            # ParaView 5.9 makes groups of numbered files whether asked to or not, by rules that are not ours.
            entries += _contents(entry)
            continue
        # Python was not given the time in 5.11.
        modified = entry.GetModificationTime() if hasattr(entry, "GetModificationTime") else None
        entries.append((_text(entry.GetName()), entry.GetType(), entry.GetSize(), modified))
    return entries


def _ask(path: str, *, listed: bool = False, details: bool = False, places: bool = False) -> Any:
    """What the server's first process says of a path."""
    helper = servermanager.vtkSMProxyManager.GetProxyManager().GetActiveSessionProxyManager()
    helper = helper.NewProxy("misc", "FileInformationHelper")
    helper.SetLocation(servermanager.vtkPVSession.DATA_SERVER_ROOT)
    values = {
        "Path": to_paraview(path),
        "DirectoryListing": int(listed),
        "ReadDetailedFileInformation": int(details),
        "GroupFileSequences": 0,
        "SpecialDirectories": int(places),
    }
    for name, value in values.items():
        # Versions differ in which they have.
        if helper.GetProperty(name) is not None:
            helper.GetProperty(name).SetElement(0, value)
    helper.UpdateVTKObjects()
    found = servermanager.vtkPVFileInformation()
    helper.GatherInformation(found)
    return found


# -- places, machines ---------------------------------------------------------------------------------


def _places() -> list[tuple[str, str]]:
    """Where one may want to begin, as name and path."""
    return _places_of(_connection()) if far.is_far() else _look_for_places()


@functools.lru_cache(maxsize=4)
def _places_of(connection: int) -> list[tuple[str, str]]:
    # A server far away takes its time for each question, and its answers to these stay the same.
    return _look_for_places()


def _look_for_places() -> list[tuple[str, str]]:
    special = _special()
    try:
        working = _kind("")[1]
    except Refusal:
        # It was removed; that is no reason not to list others.
        working = ""
    found = [("Home", special.pop("Home", "")), ("Working folder", working), *special.items(), ("Root", "/")]
    names: dict[str, str] = {}
    for name, path in found:
        if path:
            names.setdefault(path, name)
    return [(name, path) for path, name in names.items()]


def _special() -> dict[str, str]:
    """What ParaView itself offers: the home folder, mounted media."""
    contents = _ask("", places=True).GetContents()
    entries = [contents.GetItemAsObject(at) for at in range(contents.GetNumberOfItems())]
    found = {_text(one.GetName()): _text(one.GetFullPath()) for one in entries if one.GetType() in _DIRECTORIES}
    # Its examples have a name in place of a path.
    return {name: path for name, path in found.items() if path.startswith("/")}


def _machine() -> str:
    return host() if far.is_far() else "this machine"


def host() -> str:
    """The name of the machine the files are on."""
    return _host_of(_connection()) if far.is_far() else socket.gethostname()


@functools.lru_cache(maxsize=4)
def _host_of(connection: int) -> str:
    about = servermanager.vtkPVSystemConfigInformation()
    servermanager.ActiveConnection.Session.GatherInformation(servermanager.vtkPVSession.DATA_SERVER_ROOT, about, 0)
    return str(about.GetHostName(0)) if about.GetSize() else "the server"


# -- sizes and times ----------------------------------------------------------------------------------


def _measure(listing: Listing, lines: Any, patience: float) -> None:
    """Learn what is not known of these lines; what takes longer than this stays unknown."""
    near = not far.is_far()
    if not near and host() != socket.gethostname():
        return
    deadline = time.monotonic() + patience
    for at in lines:
        item = listing.items[at]
        if item.kind == FOLDER:
            continue
        for name in item.members:
            size, modified = listing.known.get(name, NOTHING)
            if modified is not None or (not near and size is None):
                continue
            if time.monotonic() > deadline:
                return
            found = _stat(posixpath.join(listing.path, name))
            # A server on this machine may live in a root of its own: a file of the same size is the same.
            if near or found[0] == size:
                listing.known[name] = found


def _stat(path: str) -> Facts:
    try:
        # For 100,000 files; a Path would cost as much again.
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        # It has gone since, or points nowhere.
        return NOTHING
    return found.st_size, found.st_mtime


# -- texts --------------------------------------------------------------------------------------------


def to_paraview(path: str) -> Any:
    """A path as ParaView can be given it: bytes, if they are no UTF-8."""
    return path if is_clean(path) else os.fsencode(path)


def _text(name: Any) -> str:
    """A name as ParaView gives it: bytes, if they are no UTF-8."""
    return os.fsdecode(name) if isinstance(name, bytes) else str(name or "")
