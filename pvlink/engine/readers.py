"""Readers: which there are, which one reads a file, and a file opened with one."""

from __future__ import annotations

import difflib
import fnmatch
import os
import posixpath
from typing import Any, NamedTuple

import paraview
from paraview import servermanager, simple

from pvlink.engine.plain import is_clean
from pvlink.engine.refusal import Refusal

# Parts of a name that may be its ending: `tar.gz.vtk.0001`.
MOST_PARTS = 4


class Reader(NamedTuple):
    """One reader, as ParaView's definitions have it."""

    # As it is called in `paraview.simple`.
    name: str
    xml: str
    description: str
    endings: tuple[str, ...]
    patterns: tuple[str, ...]


class Proposals:
    """Which reader fits a name, without a look at the file."""

    def __init__(self) -> None:
        self._readers = known()
        self._by_ending: dict[str, Reader] = {}
        for reader in self._readers:
            for ending in reader.endings:
                self._by_ending.setdefault(ending, reader)
        self._patterns = [(pattern, reader) for reader in self._readers for pattern in reader.patterns]
        self._one_thing: dict[str, bool] = {}

    def of(self, name: str) -> Reader | None:
        """The first choice; none if nothing reads such names."""
        for ending in endings(name):
            if ending in self._by_ending:
                return self._by_ending[ending]
        return next((reader for pattern, reader in self._patterns if fnmatch.fnmatchcase(name, pattern)), None)

    def one_thing(self, name: str) -> bool:
        """Whether files like this one, with other numbers, are steps in time: not where each is a list of files itself.

        ParaView's own dialog groups them all the same, and a reader that takes one file would open the first.
        """
        if name.endswith(".series"):
            return False
        reader = self.of(name)
        if reader is None:
            return True
        if reader.xml not in self._one_thing:
            self._one_thing[reader.xml] = _file_property(reader.xml)[1]
        return self._one_thing[reader.xml]


def known() -> list[Reader]:
    """All readers that there are, the special before the general: GDAL claims 50 endings, and PNG's reader one."""
    manager = servermanager.vtkSMProxyManager.GetProxyManager().GetActiveSessionProxyManager()
    definitions = manager.GetProxyDefinitionManager().NewSingleGroupIterator("sources", 0)
    definitions.InitTraversal()
    found = []
    while not definitions.IsDoneWithTraversal():
        xml = definitions.GetProxyName()
        hints = manager.GetProxyHints("sources", xml)
        kinds = [] if hints is None else [hints.GetNestedElement(at) for at in range(hints.GetNumberOfNestedElements())]
        kinds = [kind for kind in kinds if kind.GetName() == "ReaderFactory"]
        label = definitions.GetProxyDefinition().GetAttribute("label") or xml
        # Some that ParaView 5.9 had no name for could not be made by one either.
        name = paraview.make_name_valid(label)
        if name and kinds and not any(kind.GetAttribute("is_directory") == "1" for kind in kinds):
            found.append(
                Reader(
                    name,
                    xml,
                    kinds[0].GetAttribute("file_description") or label,
                    tuple(ending for kind in kinds for ending in (kind.GetAttribute("extensions") or "").split()),
                    tuple(one for kind in kinds for one in (kind.GetAttribute("filename_patterns") or "").split()),
                )
            )
        definitions.GoToNextItem()
    return sorted(found, key=lambda reader: len(reader.endings) + len(reader.patterns))


def endings(name: str) -> list[str]:
    """What may be the ending of a name, as ParaView's reader factory sees it: the last first, longer before shorter."""
    parts = name.split(".")[1:][-MOST_PARTS:]
    return [".".join(parts[begin:end]) for end in range(len(parts), 0, -1) for begin in range(end)]


def readers(paths: Any) -> list[tuple[str, str]]:
    """The readers that can read a file, or the first of several: name and description, best first.

    ParaView asks each reader, and some look into the file. Refusal: there is no such file, or we may not read it.
    """
    first = _listed(paths)[0]
    if not is_readable(first):
        raise Refusal(f"{first} cannot be read: there is no such file, or its permissions forbid it.")
    found = _factory().GetReaders(_given(first), servermanager.ActiveConnection.Session)
    # Group, name and label of each.
    xmls = {found.GetString(at) for at in range(1, found.GetLength(), 3)}
    return [(reader.name, reader.description) for reader in known() if reader.xml in xmls]


def open_files(paths: Any, reader: str | None = None) -> tuple[Any, dict[str, Any]]:
    """A source that reads these files, the steps of one series, shown in the active view; and what is said of it.

    Refusal: nothing reads them, or there is no such reader, or it takes one file only.
    """
    paths = _listed(paths)
    fitting = [name for name, _ in readers(paths)]
    if reader is None and not fitting:
        raise Refusal(_nobody_reads(paths[0]))
    by_name = {one.name: one for one in known()} | {one.xml: one for one in known()}
    chosen = by_name.get(reader or fitting[0])
    if chosen is None:
        near = difflib.get_close_matches(str(reader), by_name, 3) or fitting
        raise Refusal(f"ParaView has no reader {reader!r}." + (f" It has: {', '.join(near)}." if near else ""))
    property_name, many = _file_property(chosen.xml)
    if not many and len(paths) > 1:
        raise Refusal(f"{chosen.name} reads one file at a time, and these are {len(paths)}. Open one of them.")
    own = _own_choice(paths[0])
    # As ParaView's own window calls a series.
    name = _registered(paths[0]) + ("*" if len(paths) > 1 else "")
    given = [_given(path) for path in paths]
    source = getattr(simple, chosen.name)(registrationName=name, **{property_name: given if many else given[0]})
    shown, note = _show(source)
    facts = {
        "name": name,
        "reader": chosen.name,
        "files": property_name,
        "usual": chosen.xml == own,
        "shown": shown,
        "note": note,
    }
    return source, facts


def is_readable(path: str) -> bool:
    """Whether the server may read a file, or look into a folder."""
    return bool(_factory().TestFileReadability(_given(path), servermanager.ActiveConnection.Session))


def _listed(paths: Any) -> list[str]:
    listed = [paths] if isinstance(paths, (str, bytes)) else list(paths)
    if not listed:
        raise Refusal("There is no file to open: give the path of one, or a list of them.")
    return [os.fsdecode(path) for path in listed]


def _given(path: str) -> Any:
    """A path as ParaView can be given it: a half of a character in a text of Python's ends ParaView 5.11."""
    return path if is_clean(path) else os.fsencode(path)


def _registered(path: str) -> str:
    return os.fsencode(posixpath.basename(path)).decode(errors="replace")


def _factory() -> Any:
    factory = servermanager.vtkSMProxyManager.GetProxyManager().GetReaderFactory()
    if not factory.GetNumberOfRegisteredPrototypes():
        factory.UpdateAvailableReaders()
    return factory


def _own_choice(path: str) -> str:
    """The reader that `OpenDataFile` would take."""
    factory = _factory()
    return factory.GetReaderName() if factory.CanReadFile(_given(path), servermanager.ActiveConnection.Session) else ""


def _file_property(xml: str) -> tuple[str, bool]:
    """The property that names the files, and whether it takes several."""
    prototype = servermanager.ProxyManager().GetPrototypeProxy("sources", xml)
    name = servermanager.vtkSMCoreUtilities.GetFileNameProperty(prototype)
    return name or "FileName", bool(name and prototype.GetProperty(name).GetRepeatable())


def _nobody_reads(path: str) -> str:
    name = posixpath.basename(path)
    fitting = [reader.name for reader in known() if set(reader.endings) & set(endings(name))]
    if fitting:
        return (
            f"{path} cannot be read: {', '.join(fitting)} would read files of that name, and "
            f"{'says' if len(fitting) == 1 else 'say'} that this is none of theirs. Is it whole?"
        )
    ending = name.rpartition(".")[2] if "." in name else ""
    what = f"files that end in .{ending}" if ending else "a file of that name"
    all_endings = sorted({one for reader in known() for one in reader.endings})
    near = difflib.get_close_matches(ending, all_endings, 5, 0.6)
    return (
        f"{path} cannot be read: ParaView has no reader for {what}. "
        + (f"It reads {', '.join(f'.{one}' for one in near)}. " if near else "")
        + "If you know what it is, name the reader."
    )


def _show(source: Any) -> tuple[bool, str]:
    """Show a new source in the active view; whether it is shown, and what else there is to say."""
    view = simple.GetActiveViewOrCreate("RenderView")
    first = not any(getattr(one, "Visibility", 0) for one in view.Representations)
    source.SMProxy.UpdatePipeline()
    about = source.GetDataInformation().DataInformation
    if not about.GetNumberOfPoints() and not about.GetNumberOfRows():
        return False, "Nothing was read from it; ParaView's messages may say why."
    try:
        simple.Show(source, view)
    except RuntimeError:
        return False, f"A {type(view).__name__.rpartition('.')[2]} cannot show it; a filter or another view may."
    if first and hasattr(view, "CameraPosition"):
        simple.ResetCamera(view)
    return True, ""
