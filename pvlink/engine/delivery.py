"""Puts and fetches as the kernel asks for them, with their arrays in a file in memory."""

from __future__ import annotations

import os
from typing import Any

from pvlink.engine import cargo, hold, sources
from pvlink.engine.unpacked import Unpacked


def put(fd: int, name: str, facts: cargo.Facts, layout: hold.Layout, number: int, *, fresh: bool) -> Any:
    """The source that shows what is in the file; closes it. Pages that a filter writes to become this process's own."""
    arrays = hold.read(fd, layout)
    return sources.here().put(name, cargo.build(facts, arrays), number, fresh=fresh)


def put_object(name: str, obj: Any, *, fresh: bool) -> Any:
    """The source that shows a data object of this process. No number: it does not come back after a restart."""
    made = sources.vtk_data(obj)
    own = made.NewInstance()
    # Whoever alters theirs later has to put it again, as with any other data.
    own.ShallowCopy(made)
    return sources.here().put(name, own, 0, fresh=fresh)


def refill(fd: int, number: int, facts: cargo.Facts, layout: hold.Layout) -> bool:
    """Give a source that a state has brought back what it showed; False: it has not come."""
    return sources.here().refill(number, cargo.build(facts, hold.read(fd, layout)))


def fetch(fd: int, obj: Any, name: str | None, at: str | None) -> tuple[cargo.Facts, hold.Layout]:
    """The facts of what a source holds; its arrays go into the file."""
    try:
        # The arrays are views of its memory.
        data = sources.here().data(obj)
        found = Unpacked(data, name, at)
        return found.facts, hold.write(fd, found.arrays)
    finally:
        os.close(fd)
