"""Where pvlink hooks into a notebook's kernel: the end of each cell, and its event loop between cells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

_attached: dict[int, tuple[Any, Callable[..., None] | None, asyncio.AbstractEventLoop | None]] = {}


def attach(fd: int, readable: Callable[[], None], cell_ended: Callable[[], None]) -> None:
    """Call `readable` when `fd` is readable and no cell runs, `cell_ended` after each cell; outside IPython neither."""
    shell = _shell()
    hook: Callable[..., None] | None = None
    if shell is not None:

        def hook(_result: Any) -> None:
            cell_ended()

        shell.events.register("post_run_cell", hook)
    try:
        loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    if loop is not None:
        try:
            loop.add_reader(fd, readable)
        except NotImplementedError:
            loop = None
    _attached[fd] = (shell, hook, loop)


def detach(fd: int) -> None:
    shell, hook, loop = _attached.pop(fd, (None, None, None))
    if shell is not None and hook is not None:
        shell.events.unregister("post_run_cell", hook)
    if loop is not None and not loop.is_closed():
        loop.remove_reader(fd)


def _shell() -> Any:
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    return get_ipython()
