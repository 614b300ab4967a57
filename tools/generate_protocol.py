"""Write `js/src/protocol.ts` from `pvlink/protocol.py`; with `--check`, only say whether they agree."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Literal, get_args, get_origin

from msgspec import Struct, inspect

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "pvlink" / "protocol.py"
TARGET = ROOT / "js" / "src" / "protocol.ts"

HEADER = """\
// Generated from pvlink/protocol.py by tools/generate_protocol.py. Do not edit.
"""

PLAIN: dict[type[inspect.Type], str] = {
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.StrType: "string",
    inspect.BoolType: "boolean",
    inspect.BytesType: "Uint8Array",
    inspect.NoneType: "null",
}


def load(path: Path) -> ModuleType:
    """The wire's module alone: importing the package would drag in everything the kernel needs."""
    spec = importlib.util.spec_from_file_location("pvlink_protocol", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python module.")
    module = importlib.util.module_from_spec(spec)
    # msgspec resolves forward references through sys.modules.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def comments(lines: list[str], indent: str = "") -> list[str]:
    return [f"{indent}// {line}".rstrip() for line in lines]


def above(source: list[str], start: int) -> list[str]:
    """The comment lines that stand right above line `start` of the source."""
    found: list[str] = []
    for line in reversed(source[:start]):
        text = line.strip()
        if not text.startswith("#"):
            break
        found.insert(0, text.lstrip("# "))
    return found


class Names:
    """The module's own names: which unions have one, and what was said above each."""

    def __init__(self, module: ModuleType, source: list[str]) -> None:
        self.source = source
        self.unions: dict[frozenset[object], str] = {
            frozenset(get_args(value)): name for name, value in vars(module).items() if get_origin(value) is Literal
        }

    def line_of(self, start: str, after: int = 0) -> int:
        for number, line in enumerate(self.source[after:], after):
            if line.startswith(start):
                return number
        raise LookupError(f"{start!r} is not in {SOURCE}.")

    def union(self, values: tuple[object, ...]) -> str:
        named = self.unions.get(frozenset(values))
        return named or " | ".join(json.dumps(value) for value in values)

    def type(self, of: inspect.Type) -> str:
        if type(of) in PLAIN:
            return PLAIN[type(of)]
        match of:
            case inspect.Metadata(type=inner):
                return self.type(inner)
            case inspect.LiteralType(values=values):
                return self.union(tuple(values))
            case inspect.ListType(item_type=item):
                return f"{self.type(item)}[]"
            case inspect.DictType(key_type=key, value_type=value):
                return f"Record<{self.type(key)}, {self.type(value)}>"
            case inspect.UnionType(types=types):
                return " | ".join(self.type(each) for each in types)
            case inspect.StructType(cls=cls):
                return cls.__name__
        raise TypeError(f"No TypeScript is known for {of!r}; teach tools/generate_protocol.py.")


def constants(module: ModuleType, names: Names) -> Iterator[str]:
    for name, value in vars(module).items():
        if name.isupper() and isinstance(value, int):
            yield from comments(above(names.source, names.line_of(f"{name} =")))
            yield f"export const {name} = {value};"


def unions(names: Names) -> Iterator[str]:
    for values, name in names.unions.items():
        members = [json.dumps(value) for value in get_args_in_order(values, names, name)]
        line = f"export type {name} = {' | '.join(members)};"
        if len(line) <= 100:
            yield line
        else:
            yield f"export type {name} ="
            yield from (f"  | {member}" for member in members[:-1])
            yield f"  | {members[-1]};"


def get_args_in_order(values: frozenset[object], names: Names, name: str) -> list[object]:
    """The members as the source orders them; a set has lost that."""
    text = "\n".join(names.source[names.line_of(f"{name} =") :])
    return sorted(values, key=lambda value: text.index(json.dumps(value)))


def interface(struct: inspect.StructType, names: Names, *, sent: bool) -> Iterator[str]:
    """One message. What the viewer sends may leave out defaults; what it gets is complete."""
    start = names.line_of(f"class {struct.cls.__name__}(")
    # inspect.getdoc would give a Struct's signature where there is no docstring.
    doc = struct.cls.__dict__.get("__doc__")
    if isinstance(doc, str) and not doc.startswith(f"{struct.cls.__name__}("):
        yield from comments(doc.strip().splitlines())
    yield f"export interface {struct.cls.__name__} {{"
    for field in struct.fields:
        at = names.line_of(f"    {field.name}:", start)
        yield from comments(above(names.source, at), "  ")
        optional = "?" if sent and not field.required else ""
        yield f"  {field.name}{optional}: {names.type(field.type)};"
    yield "}"


def ranges(struct: inspect.StructType) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for field in struct.fields:
        of = field.type
        if not isinstance(of, inspect.IntType | inspect.FloatType):
            continue
        if of.ge is not None and of.le is not None:
            found[field.name] = (of.ge, of.le)
    return found


def limits(structs: list[inspect.StructType]) -> Iterator[str]:
    yield "// What the streamer accepts, so that the viewer sends nothing that is refused."
    yield "export const LIMITS = {"
    for struct in structs:
        inside = ranges(struct)
        if inside:
            body = ", ".join(f"{name}: [{low:g}, {high:g}]" for name, (low, high) in inside.items())
            yield f"  {struct.cls.__name__}: {{ {body} }},"
    yield "} as const;"


def signatures(module: ModuleType) -> Iterator[str]:
    yield "// What the viewer calls: the request and the answer of each method."
    yield "export interface Methods {"
    for method, (request, answer) in module.METHODS.items():
        said = answer.__name__ if answer else "null"
        yield f'  "{method}": {{ request: {request.__name__}; answer: {said} }};'
    yield "}"
    yield ""
    yield "// What the streamer publishes."
    yield "export interface Topics {"
    for topic, message in module.TOPICS.items():
        yield f'  "{topic}": {message.__name__};'
    yield "}"


def reachable(of: inspect.Type, found: dict[type[Struct], inspect.StructType]) -> None:
    """Every message inside a type."""
    match of:
        case inspect.StructType(cls=cls, fields=fields):
            if cls not in found:
                found[cls] = of
                for field in fields:
                    reachable(field.type, found)
        case inspect.ListType(item_type=inner) | inspect.Metadata(type=inner):
            reachable(inner, found)
        case inspect.DictType(value_type=inner):
            reachable(inner, found)
        case inspect.UnionType(types=types):
            for each in types:
                reachable(each, found)


def generate(source: Path = SOURCE) -> str:
    module = load(source)
    names = Names(module, source.read_text(encoding="utf-8").splitlines())
    sent: dict[type[Struct], inspect.StructType] = {}
    received: dict[type[Struct], inspect.StructType] = {}
    for request, answer in module.METHODS.values():
        reachable(inspect.type_info(request), sent)
        if answer is not None:
            reachable(inspect.type_info(answer), received)
    for message in (*module.TOPICS.values(), *module.HANDSHAKE):
        reachable(inspect.type_info(message), received)
    blocks = [
        list(constants(module, names)),
        list(unions(names)),
        *(list(interface(struct, names, sent=True)) for struct in sent.values()),
        *(list(interface(struct, names, sent=False)) for struct in received.values()),
        list(limits(list(sent.values()))),
        list(signatures(module)),
    ]
    return HEADER + "\n" + "\n\n".join("\n".join(block) for block in blocks) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 if the file on disk differs")
    wanted = generate()
    if not parser.parse_args().check:
        TARGET.write_text(wanted, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == wanted:
        return 0
    sys.stderr.write(f"{TARGET} differs from {SOURCE}: run python tools/generate_protocol.py\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
