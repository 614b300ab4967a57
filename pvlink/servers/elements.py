"""Small XML of others, read so that it can do no harm: no document type, no entities, bounded; and written again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from pvlink.errors import OptionError

# ParaView's own have a few kilobytes; a site's with thirty servers has forty.
MAX_BYTES = 1 << 20
# A configuration is six deep.
MAX_DEPTH = 32
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


@dataclass(frozen=True)
class Element:
    """One element; its text is not kept, ParaView's configurations have none."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: tuple[Element, ...] = ()
    # Where it begins in its file; no part of what it is.
    line: int = field(default=0, compare=False)

    def child(self, name: str) -> Element | None:
        return next((one for one in self.children if one.name == name), None)


class _Reader:
    """Builds elements from what the parser meets."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._open: list[tuple[str, dict[str, str], list[Element], int]] = [("", {}, [], 0)]
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self, data: bytes) -> Element:
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            raise OptionError(
                f"{self._where}, line {error.lineno}, column {error.offset + 1}: this is not XML "
                f"({expat.ErrorString(error.code)}). Mend the file, or save it anew from ParaView (File, Connect, "
                "Save Servers)."
            ) from None
        return self._open[0][2][0]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) > MAX_DEPTH:
            raise OptionError(
                f"{self._where}, line {self._line}: elements within elements, more than {MAX_DEPTH} deep."
            )
        self._open.append((name, attributes, [], self._line))

    def _end(self, _: str) -> None:
        name, attributes, children, line = self._open.pop()
        self._open[-1][2].append(Element(name, attributes, tuple(children), line))

    def _doctype(self, *_: object) -> None:
        # Raised before its subset is read: what an entity would grow to, or fetch, is never known.
        raise OptionError(
            f"{self._where}, line {self._line}: it declares a document type (<!DOCTYPE ...>), which no server "
            "configuration needs, and by which a file can reach for others or fill the memory. If you trust the file, "
            "remove that line."
        )

    @property
    def _line(self) -> int:
        return self._parser.CurrentLineNumber


def parse(data: bytes, where: str) -> Element:
    """The root of a document; `where` says in messages where it came from. Raises OptionError."""
    if len(data) > MAX_BYTES:
        raise OptionError(
            f"{where} has {len(data)} bytes; a server configuration has {MAX_BYTES} at most. Is it the right file?"
        )
    return _Reader(where).read(data)


def written(element: Element, indent: str = "") -> str:
    """Its text, with two spaces for each level, as ParaView writes it."""
    attributes = "".join(f' {name}="{escaped(value)}"' for name, value in element.attributes.items())
    if not element.children:
        return f"{indent}<{element.name}{attributes}/>\n"
    inner = "".join(written(child, indent + "  ") for child in element.children)
    return f"{indent}<{element.name}{attributes}>\n{inner}{indent}</{element.name}>\n"


def escaped(value: str) -> str:
    """An attribute's value. Raises OptionError for what XML cannot hold."""
    for character in value:
        # https://www.w3.org/TR/xml/#charsets
        if (
            (character < " " and character not in "\t\n\r")
            or "\ud800" <= character <= "\udfff"
            or character in "\ufffe\uffff"
        ):
            raise OptionError(f"{value!r} has the character {character!r}, which no XML file can hold.")
    return value.translate(_ESCAPES)
