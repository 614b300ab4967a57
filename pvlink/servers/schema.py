"""Which elements a server configuration has, and what each becomes; read and written side by side.

What ParaView reads, by its sources up to 6.0 (pqServerConfiguration, pqServerLauncher). Of a server's own elements and
attributes those that pvlink has no use for (<Hints>) are kept and written again. Within a start-up an element that is
unknown is refused, with its line: it may have been meant to start something. Attributes there that are unknown are
passed over, as ParaView does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NoReturn

from pvlink.errors import OptionError
from pvlink.servers import address
from pvlink.servers.commands import TO_THE_END, Command, Manual, Ssh
from pvlink.servers.configuration import Configuration
from pvlink.servers.elements import Element
from pvlink.servers.options import (
    HIGHEST,
    HIGHEST_WHOLE,
    Ask,
    Boolean,
    Case,
    Entry,
    Enumeration,
    File,
    Kind,
    Option,
    Password,
    Range,
    Set,
    String,
    Switch,
    number,
)

_OWN = ("name", "resource", "timeout")
_STARTUPS = ("ManualStartup", "CommandStartup")
_BAD_IN_NAMES = frozenset("$=\0")


def configurations(root: Element, where: str) -> list[Configuration]:
    """The servers below a file's root. Raises OptionError."""
    reader = _Reader(where)
    if root.name == "Server":
        return [reader.server(root)]
    if root.name != "Servers":
        reader.wrong(root, "is not a ParaView server configuration; that begins with <Servers>")
    for one in root.children:
        if one.name != "Server":
            reader.wrong(one, "stands in <Servers>, where only <Server> may")
    # Files that ParaView has saved may name "builtin:", which is no server.
    return [reader.server(one) for one in root.children if not one.attributes.get("resource", "").startswith("builtin")]


class _Reader:
    """From elements to what they mean; `where` is the file, for messages."""

    def __init__(self, where: str) -> None:
        self._where = where

    def wrong(self, element: Element, why: str) -> NoReturn:
        raise OptionError(f"{self._where}, line {element.line}: <{element.name}> {why}.")

    def server(self, element: Element) -> Configuration:
        name = self._needed(element, "name")
        try:
            where = address.parse(self._needed(element, "resource"))
        except OptionError as error:
            raise OptionError(f"{self._where}, line {element.line}, server {name!r}: {error}") from None
        startups = [one for one in element.children if one.name in _STARTUPS]
        if len(startups) > 1:
            self.wrong(startups[1], "is a second way to start one server; it can have one")
        startup = startups[0] if startups else None
        return Configuration(
            name,
            where,
            None if startup is None else self._startup(startup),
            () if startup is None else self._asks(startup),
            self._number(element, "timeout", None),
            tuple(one for one in element.children if one.name not in _STARTUPS),
            tuple((key, value) for key, value in element.attributes.items() if key not in _OWN),
        )

    def _startup(self, element: Element) -> Manual | Command:
        if element.name == "ManualStartup":
            self._only(element, "Options")
            return Manual()
        self._only(element, "Options", "Command", "SSHCommand")
        # As ParaView takes them: the one by ssh, if there are both.
        command = element.child("SSHCommand") or element.child("Command")
        if command is None:
            self.wrong(element, "has no <Command> to start the server; without one write <ManualStartup/>")
        self._only(command, "Arguments", "SSHConfig")
        arguments = command.child("Arguments") or Element("Arguments")
        self._only(arguments, "Argument")
        wait = self._number(command, "process_wait", self._number(command, "timeout", 0)) or 0
        delay = self._number(command, "delay", 0) or 0
        if (delay < 0 and delay != TO_THE_END) or wait < 0:
            self.wrong(command, "has a negative time; only delay may be -1, to wait for the command's end")
        return Command(
            self._needed(command, "exec"),
            tuple(self._needed(one, "value", empty=True) for one in arguments.children),
            delay,
            wait,
            self._ssh(command) if command.name == "SSHCommand" else None,
        )

    def _ssh(self, command: Element) -> Ssh:
        element = command.child("SSHConfig")
        if element is None:
            self.wrong(command, "has no <SSHConfig>; without ssh it is <Command>")
        self._only(element, "Terminal", "SSH", "Askpass", "PortForwarding")
        program, terminal, tunnel = (element.child(name) for name in ("SSH", "Terminal", "PortForwarding"))
        return Ssh(
            element.attributes.get("user", ""),
            self._port(element, "port"),
            "" if program is None else program.attributes.get("exec", ""),
            None if tunnel is None else self._port(tunnel, "local"),
            None if terminal is None else terminal.attributes.get("exec", ""),
            element.child("Askpass") is not None,
        )

    def _asks(self, startup: Element) -> tuple[Ask, ...]:
        element = startup.child("Options")
        if element is None:
            return ()
        self._only(element, "Option", "Set", "Switch")
        asks = tuple(self._ask(one) for one in element.children)
        names = [one.name for one in asks if isinstance(one, Option)]
        for one in element.children:
            if one.name == "Option" and names.count(one.attributes["name"]) > 1:
                self.wrong(one, f"{one.attributes['name']!r} is there twice")
        return asks

    def _ask(self, element: Element) -> Ask:
        name = self._variable(element)
        if element.name == "Set":
            return Set(name, self._needed(element, "value", empty=True))
        if element.name == "Switch":
            self._only(element, "Case")
            return Switch(name, tuple(self._case(one) for one in element.children))
        if len(element.children) != 1:
            self.wrong(element, f"{name!r} needs one element that says what it takes: {', '.join(_KINDS)}")
        kind = element.children[0]
        if kind.name not in _KINDS:
            self.wrong(kind, f"is no kind of option; there are {', '.join(_KINDS)}")
        return Option(
            name,
            _KINDS[kind.name](self, kind),
            element.attributes.get("label", ""),
            element.attributes.get("readonly", "false") == "true",
            element.attributes.get("save", "true") == "true",
        )

    def _case(self, element: Element) -> Case:
        self._only(element, "Set")
        sets = tuple(Set(self._variable(one), self._needed(one, "value", empty=True)) for one in element.children)
        return Case(self._needed(element, "value", empty=True), sets)

    def range(self, element: Element) -> Range:
        whole = element.attributes.get("type", "int") == "int"
        random = element.attributes.get("default") == "random"
        lowest = self._number(element, "min", 0) or 0
        highest = self._number(element, "max", HIGHEST_WHOLE if whole else HIGHEST)
        step = self._number(element, "step", 1)
        default = None if random else self._number(element, "default", None)
        assert highest is not None
        assert step is not None
        if lowest > highest:
            self.wrong(element, f"goes from {number(lowest)} to {number(highest)}: no number is that")
        if whole and not all(value is None or value == int(value) for value in (lowest, highest, step, default)):
            self.wrong(element, 'has type="int" and a number that is not whole')
        if default is not None and not lowest <= default <= highest:
            self.wrong(element, f"has a default, {number(default)}, outside of {number(lowest)} to {number(highest)}")
        return Range(lowest, highest, step, default, whole, random)

    def boolean(self, element: Element) -> Boolean:
        of = element.attributes
        return Boolean(of.get("default"), of.get("true", "1"), of.get("false", "0"))

    def enumeration(self, element: Element) -> Enumeration:
        self._only(element, "Entry")
        if not element.children:
            self.wrong(element, "has no <Entry> to choose")
        values = [self._needed(one, "value", empty=True) for one in element.children]
        labels = [one.attributes.get("label", "") for one in element.children]
        entries = tuple(Entry(value, label or value) for value, label in zip(values, labels, strict=True))
        return Enumeration(entries, element.attributes.get("default"))

    def _only(self, element: Element, *names: str) -> None:
        for one in element.children:
            if one.name not in names:
                self.wrong(one, f"stands in <{element.name}>, where pvlink knows {', '.join(names)} only")

    def _needed(self, element: Element, attribute: str, *, empty: bool = False) -> str:
        value = element.attributes.get(attribute)
        if value is None or not (value or empty):
            self.wrong(element, f"has no {attribute}")
        return value

    def _variable(self, element: Element) -> str:
        name = self._needed(element, "name")
        if any(character.isspace() or character in _BAD_IN_NAMES for character in name):
            self.wrong(element, f"has the name {name!r}; a variable's has no space, $ or =")
        return name

    def _number(self, element: Element, attribute: str, default: float | None) -> float | None:
        said = element.attributes.get(attribute)
        if said is None:
            return default
        try:
            value: float = int(said)
        except ValueError:
            try:
                value = float(said)
            except ValueError:
                value = math.nan
        if not math.isfinite(value):
            self.wrong(element, f"has {attribute}={said!r}, which is no number")
        return value

    def _port(self, element: Element, attribute: str) -> int:
        said = element.attributes.get(attribute, "")
        return address.port_of(said, f"{self._where}, line {element.line}, {attribute}") if said else 0


_KINDS: dict[str, Callable[[_Reader, Element], Kind]] = {
    "Range": _Reader.range,
    "String": lambda _, element: String(element.attributes.get("default", "")),
    "File": lambda _, element: File(element.attributes.get("default", "")),
    "Boolean": _Reader.boolean,
    "Enumeration": _Reader.enumeration,
    "Password": lambda _, element: Password(element.attributes.get("default", "")),
}


def root(configurations: Iterable[Configuration]) -> Element:
    """The root of a file with these servers."""
    return Element("Servers", {}, tuple(map(_server, configurations)))


def _server(one: Configuration) -> Element:
    attributes = {"name": one.name, "resource": str(one.address)}
    if one.timeout is not None:
        attributes["timeout"] = number(one.timeout)
    startup: tuple[Element, ...] = ()
    if one.startup is not None or one.asks:
        options = (Element("Options", {}, tuple(map(_asked, one.asks))),) if one.asks else ()
        command = (_command(one.startup),) if isinstance(one.startup, Command) else ()
        name = "CommandStartup" if command else "ManualStartup"
        startup = (Element(name, {}, options + command),)
    return Element("Server", attributes | dict(one.kept_attributes), startup + one.kept)


def _command(one: Command) -> Element:
    attributes = {"exec": one.program, "delay": number(one.delay), "process_wait": number(one.process_wait)}
    arguments = Element("Arguments", {}, tuple(Element("Argument", {"value": value}) for value in one.arguments))
    inner = (arguments,) if one.arguments else ()
    if one.ssh is None:
        return Element("Command", attributes, inner)
    ssh = one.ssh
    children = {
        "Terminal": None if ssh.terminal is None else _given(exec=ssh.terminal),
        "SSH": _given(exec=ssh.program) or None,
        "Askpass": {} if ssh.askpass else None,
        "PortForwarding": None if ssh.tunnel is None else _given(local=str(ssh.tunnel or "")),
    }
    inner_ssh = tuple(Element(name, of) for name, of in children.items() if of is not None)
    config = Element("SSHConfig", _given(user=ssh.user, port=str(ssh.port or "")), inner_ssh)
    return Element("SSHCommand", attributes, (config, *inner))


def _asked(one: Ask) -> Element:
    if isinstance(one, Set):
        return Element("Set", {"name": one.name, "value": one.value})
    if isinstance(one, Switch):
        return Element(
            "Switch",
            {"name": one.name},
            tuple(Element("Case", {"value": case.value}, tuple(map(_asked, case.sets))) for case in one.cases),
        )
    attributes = {"name": one.name, **_given(label=one.label)}
    flags = {"readonly": "true"} if one.readonly else {}
    return Element("Option", attributes | flags | {"save": "true" if one.save else "false"}, (_kind(one.kind),))


def _kind(kind: Kind) -> Element:
    if isinstance(kind, Range):
        bounds = {"type": "int" if kind.whole else "double", "min": number(kind.lowest), "max": number(kind.highest)}
        default = "random" if kind.random else "" if kind.default is None else number(kind.default)
        return Element("Range", bounds | {"step": number(kind.step)} | _given(default=default))
    if isinstance(kind, Boolean):
        default_of = {} if kind.default is None else {"default": kind.default}
        return Element("Boolean", {"true": kind.true, "false": kind.false, **default_of})
    if isinstance(kind, Enumeration):
        chosen = {} if kind.default is None else {"default": kind.default}
        return Element(
            "Enumeration", chosen, tuple(Element("Entry", {"value": e.value, "label": e.label}) for e in kind.entries)
        )
    return Element(type(kind).__name__, _given(default=kind.default))


def _given(**attributes: str) -> dict[str, str]:
    return {name: value for name, value in attributes.items() if value}
