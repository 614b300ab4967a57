"""Arrays between this kernel and the session's engine: in files in memory, copied once on the way there, and on the way
back mapped as they are.

What was put lies in one file for both processes. The kernel keeps it open, for that costs no memory while the engine
shows it, and gives it to the next engine after a restart.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pvlink.cargo.manifest import Array, Facts
from pvlink.engine import hold
from pvlink.engine.rpc import Reference
from pvlink.errors import DataError


class Carriage(Protocol):
    """The engine's post, as the kernel has it."""

    def send_memory(self, fd: int, number: int) -> None: ...
    def collect(self, fd: int, number: int) -> None: ...


@dataclass
class Kept:
    """What a source shows."""

    fd: int
    facts: Facts
    layout: hold.Layout


class Freight:
    """The puts and fetches of a session."""

    def __init__(self, engine: Callable[[], Carriage]) -> None:
        """`engine`: the one of the moment."""
        self._engine = engine
        self._numbers = itertools.count(1)
        # By the number of the first put of each source.
        self._kept: dict[int, Kept] = {}

    def put(self, desk: Any, name: str, facts: Facts, arrays: list[Array], *, fresh: bool) -> Any:
        """The source of that name, in the engine."""
        number = next(self._numbers)
        with _file(sum(array.nbytes for array in arrays)) as fd:
            layout = hold.write(fd, arrays)
            self._engine().send_memory(fd, number)
            with _said():
                source, key, known = desk.put(name, facts, layout, number, fresh, self.forget_others)
            self.forget_others(known)
            if key is not None:
                self._keep(key, Kept(os.dup(fd), facts, layout))
        return source

    def put_object(self, desk: Any, name: str, obj: Any, *, fresh: bool) -> Any:
        """The same for what is in the engine already; None: `obj` is not."""
        if not issubclass(type(obj), Reference):
            return None
        with _said():
            return desk.put_object(name, obj, fresh)

    def fetch(self, desk: Any, obj: Any, name: str | None, at: str | None) -> tuple[Facts, list[Array]]:
        """What a source holds."""
        number = next(self._numbers)
        with _file(0) as fd:
            self._engine().send_memory(fd, number)
            with _said():
                facts, layout = desk.fetch(obj, name, at, number)
            self._engine().collect(fd, number)
            return facts, hold.read(os.dup(fd), layout)

    def restore(self, desk: Any, *, part: bool = False) -> list[str]:
        """Give a new engine what was put; names of the sources that stay empty.

        `part`: there is more of the pipeline to come, and what is not there yet is kept for it.
        """
        for key, kept in list(self._kept.items()):
            number = next(self._numbers)
            self._engine().send_memory(kept.fd, number)
            if not desk.refill(key, kept.facts, kept.layout, number, self.forget_others) and not part:
                self._drop(key)
        names: list[str] = desk.empty(list(self._kept))
        return names

    def forget_others(self, known: list[int]) -> None:
        """Sources that are not there any more need no memory."""
        for key in self._kept.keys() - set(known):
            self._drop(key)

    def close(self) -> None:
        self.forget_others([])

    def _keep(self, key: int, kept: Kept) -> None:
        self._drop(key)
        self._kept[key] = kept

    def _drop(self, key: int) -> None:
        former = self._kept.pop(key, None)
        if former is not None:
            os.close(former.fd)


class Freighter:
    """What a session with an engine of its own does for `put` and `fetch`."""

    desk: Any
    _freight: Freight

    def put_cargo(self, name: str, facts: Facts, arrays: list[Array], *, fresh: bool) -> Any:
        """The source of that name, showing these arrays."""
        return self._freight.put(self.desk, name, facts, arrays, fresh=fresh)

    def put_object(self, name: str, obj: Any, *, fresh: bool) -> Any:
        """The same for a data object that is in the engine; None if it is not."""
        return self._freight.put_object(self.desk, name, obj, fresh=fresh)

    def fetch_cargo(self, obj: Any, name: str | None, at: str | None) -> tuple[Facts, list[Array]]:
        """What a source holds."""
        return self._freight.fetch(self.desk, obj, name, at)


@contextlib.contextmanager
def _file(size: int) -> Iterator[int]:
    """A file in memory, for as long as the block lasts, in this process."""
    fd = os.memfd_create("pvlink-data")
    try:
        yield fd
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.ENOMEM):
            raise
        raise DataError(f"There is no memory left for {size / 1e9:.2f} GB of data ({error.strerror}).") from None
    finally:
        os.close(fd)


@contextlib.contextmanager
def _said() -> Iterator[None]:
    """The engine's refusals, as the user's own mistakes."""
    try:
        yield
    except Exception as error:
        # Over the wire it comes as a class of that name only.
        if type(error).__name__.rpartition(".")[2] != "Refusal":
            raise
        raise DataError(str(error)) from None


class Here:
    """The same for a kernel that holds ParaView or VTK itself.

    There is no transport, and one copy each way all the same: neither side sees what the other does to its arrays.
    """

    def put_cargo(self, name: str, facts: Facts, arrays: list[Array], *, fresh: bool) -> Any:
        """The source of that name."""
        from pvlink.engine import cargo, sources

        own = [np.array(array, array.dtype.newbyteorder("="), order="C", subok=False) for array in arrays]
        with _said():
            return sources.here().put(name, cargo.build(facts, own), 0, fresh=fresh)

    def put_object(self, name: str, obj: Any, *, fresh: bool) -> Any:
        """None: there is no other process that objects could be in."""
        return None

    def fetch_cargo(self, obj: Any, name: str | None, at: str | None) -> tuple[Facts, list[Array]]:
        """What a source holds."""
        from pvlink.engine import sources, unpacked

        with _said():
            # The arrays are views of its memory.
            data = sources.here().data(obj)
            found = unpacked.Unpacked(data, name, at)
        return found.facts, [np.array(array) for array in found.arrays]
