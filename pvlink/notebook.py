"""Where pvlink hooks into a notebook's kernel: the end of each cell, and its event loop between cells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

_readers: dict[int, asyncio.AbstractEventLoop] = {}
_hooks: dict[Callable[[], None], tuple[Any, Callable[..., None]]] = {}


def after_cells(cell_ended: Callable[[], None]) -> None:
    """Call this after each cell; nothing outside IPython."""
    shell = _shell()
    if shell is None:
        return

    def hook(_result: Any) -> None:
        cell_ended()

    shell.events.register("post_run_cell", hook)
    _hooks[cell_ended] = shell, hook


def no_more_cells(cell_ended: Callable[[], None]) -> None:
    shell, hook = _hooks.pop(cell_ended, (None, None))
    if shell is not None and hook is not None:
        shell.events.unregister("post_run_cell", hook)


def attach(fd: int, readable: Callable[[], bool]) -> None:
    """Call `readable` when `fd` is readable and no cell runs, until it returns False; nothing without an event loop."""

    def read() -> None:
        if not readable():
            detach(fd)

    try:
        loop = asyncio.get_running_loop()
        loop.add_reader(fd, read)
    except (RuntimeError, NotImplementedError):
        return
    _readers[fd] = loop


def detach(fd: int) -> None:
    """Before the descriptor is closed: its number may be another's right after."""
    loop = _readers.pop(fd, None)
    if loop is not None and not loop.is_closed():
        loop.remove_reader(fd)


def _shell() -> Any:
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    return get_ipython()
