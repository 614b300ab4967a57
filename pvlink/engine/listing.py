"""What is in a folder: files that differ in a number grouped, sorted as people count, given out in pages.

It knows no ParaView and no disk. Names come in, and what is known of each; where more is to be known, it is asked for.
"""

from __future__ import annotations

import fnmatch
import re
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Callable, NamedTuple, Optional

FOLDER, FILE, SERIES = "folder", "file", "series"
SORTS = ("name", "size", "modified", "kind")
# Folders of 100,000 files take 50 MB each; who browses goes back two or three.
KEPT = 6

_DIGITS = re.compile(r"([0-9]+)")
# ParaView's own rules want something before the number.
_ONLY_A_NUMBER = re.compile(r"([0-9]+)(\.[^0-9].*)?")

# Bytes, and Unix time; none: not known.
Facts = tuple[Optional[int], Optional[float]]
# Of a name with a number: what the series is called, the number, and how it is written.
Parse = Callable[[str], Optional[tuple[str, int, str]]]
NOTHING: Facts = (None, None)


class Item(NamedTuple):
    """One line of a listing."""

    name: str
    kind: str
    # Names of a series' files, by number; of a file its own.
    members: tuple[str, ...]

    @property
    def hidden(self) -> bool:
        return self.members[0].startswith(".")


class Order(NamedTuple):
    """Which lines are wanted, and in what order; folders come first in each."""

    sort: str = "name"
    reverse: bool = False
    pattern: str = ""
    hidden: bool = False


class Listing:
    """A folder as it was when it was read."""

    def __init__(self, number: int, where: Any, path: str, items: list[Item], known: dict[str, Facts]) -> None:
        """`where`: the connection it was read through. `known`: of files by name, as far as it came with them."""
        self.number = number
        self.where = where
        self.path = path
        self.items = items
        self.known = known
        self._ordered: tuple[Order | None, list[int]] = (None, [])

    def facts(self, item: Item) -> Facts:
        """Size of all its files together, and when the newest was written; none where one is not known."""
        if item.kind == FOLDER:
            return NOTHING
        sizes, times = zip(*(self.known.get(name, NOTHING) for name in item.members))
        return (None if None in sizes else sum(sizes)), (None if None in times else max(times))

    def order(self, order: Order) -> list[int]:
        """The numbers of the lines that are wanted."""
        if self._ordered[0] != order:
            chosen = [at for at, item in enumerate(self.items) if _is_wanted(item, order)]
            self._ordered = order, self._sorted(chosen, order)
        return self._ordered[1]

    def find(self, shown: Sequence[int], text: str, after: int) -> int | None:
        """The place of the next line whose name begins like this, from `after` on and round the end."""
        begin = text.casefold()
        places = [*range(after, len(shown)), *range(min(after, len(shown)))]
        return next((at for at in places if self.items[shown[at]].name.casefold().startswith(begin)), None)

    def place(self, shown: Sequence[int], name: str) -> int | None:
        """Where the file of that name is, or the series that it belongs to."""
        return next((at for at, number in enumerate(shown) if name in self.items[number].members), None)

    def called(self, shown: Sequence[int], name: str) -> int | None:
        """Where the line of that name is: a file rather than a series that is called the same."""
        same = [at for at, number in enumerate(shown) if self.items[number].name == name]
        return min(same, key=lambda at: self.items[shown[at]].kind == SERIES, default=None)

    def _sorted(self, chosen: list[int], order: Order) -> list[int]:
        items = self.items
        # By name first: equals stay in that order.
        chosen.sort(key=lambda at: natural(items[at].name), reverse=order.reverse and order.sort == "name")
        if order.sort == "kind":
            chosen.sort(key=lambda at: _ending(items[at]), reverse=order.reverse)
        elif order.sort in ("size", "modified"):
            column = ("size", "modified").index(order.sort)
            facts = {at: self.facts(items[at])[column] for at in chosen}
            known = [at for at in chosen if facts[at] is not None]
            known.sort(key=lambda at: facts[at] or 0, reverse=order.reverse)
            # What is not known is neither the most nor the least.
            chosen = known + [at for at in chosen if facts[at] is None]
        return sorted(chosen, key=lambda at: items[at].kind != FOLDER)


class Shelf:
    """The last few listings, by number; the one that was not asked for longest goes."""

    def __init__(self) -> None:
        self._listings: OrderedDict[int, Listing] = OrderedDict()
        # An engine that comes after this one must not know its numbers; and a browser's numbers end at 53 bits.
        self._numbers = secrets.randbits(48)

    def put(self, where: Any, path: str, items: list[Item], known: dict[str, Facts]) -> Listing:
        self._numbers += 1
        made = self._listings[self._numbers] = Listing(self._numbers, where, path, items, known)
        while len(self._listings) > KEPT:
            self._listings.popitem(last=False)
        return made

    def get(self, number: int, where: Any) -> Listing | None:
        """None: it is gone, or of a connection that is not the one in use."""
        found = self._listings.get(number)
        if found is None or found.where != where:
            return None
        self._listings.move_to_end(number)
        return found


def natural(name: str) -> list[Any]:
    """A key that has f2 before f10."""
    parts: list[Any] = _DIGITS.split(name.casefold())
    parts[1::2] = map(int, parts[1::2])
    # Such as A and a.
    return [parts, name]


def grouped(folders: list[str], files: list[str], parse: Parse, is_series: Callable[[str], bool]) -> list[Item]:
    """The lines of a folder. `is_series`: whether files like this one, with other numbers, are one thing."""
    found: dict[str, list[tuple[int, str, str]]] = {}
    items = [Item(name, FOLDER, (name,)) for name in folders]
    for name in files:
        parsed = parse(name) or _only_a_number(name)
        if parsed is None:
            items.append(Item(name, FILE, (name,)))
        else:
            group, number, written = parsed
            found.setdefault(group, []).append((number, written, name))
    for group, numbered in found.items():
        numbered.sort()
        names = tuple(name for _, _, name in numbered)
        if len(names) > 1 and is_series(names[0]):
            items.append(Item(group, SERIES, names))
        else:
            items += [Item(name, FILE, (name,)) for name in names]
    return items


def _only_a_number(name: str) -> tuple[str, int, str] | None:
    found = _ONLY_A_NUMBER.fullmatch(name)
    return None if found is None else (f".{found[2] or ''}", int(found[1]), found[1])


def _is_wanted(item: Item, order: Order) -> bool:
    if item.hidden and not order.hidden:
        return False
    pattern = order.pattern.casefold()
    if not pattern:
        return True
    if not set("*?[") & set(pattern):
        return pattern in item.name.casefold()
    # A series is looked for by its files' names, all of which are alike.
    return any(fnmatch.fnmatchcase(name.casefold(), pattern) for name in (item.name, item.members[0]))


def _ending(item: Item) -> str:
    return item.members[0].rpartition(".")[2].casefold()
