"""Where pvlink hooks into a notebook's kernel: beginning and end of each cell, and its event loop between cells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

_readers: dict[int, asyncio.AbstractEventLoop] = {}
_hooks: dict[Callable[[], None], tuple[Any, str, Callable[..., None]]] = {}


def before_cells(cell_starts: Callable[[], None]) -> None:
    """Call this before each cell; nothing outside IPython."""
    _hook("pre_run_cell", cell_starts)


def after_cells(cell_ended: Callable[[], None]) -> None:
    """Call this after each cell; nothing outside IPython."""
    _hook("post_run_cell", cell_ended)


def no_more_cells(function: Callable[[], None]) -> None:
    """Neither before nor after."""
    if function in _hooks:
        shell, event, hook = _hooks.pop(function)
        shell.events.unregister(event, hook)


def _hook(event: str, function: Callable[[], None]) -> None:
    shell = _shell()
    if shell is None:
        return

    def hook(_about: Any) -> None:
        function()

    shell.events.register(event, hook)
    _hooks[function] = shell, event, hook


def attach(fd: int, readable: Callable[[], bool]) -> None:
    """Call `readable` when `fd` is readable and no cell runs, until it returns False; nothing without an event loop."""

    def read() -> None:
        if not readable():
            detach(fd)

    loop: asyncio.AbstractEventLoop | None = None
    try:
        loop = asyncio.get_running_loop()
        loop.add_reader(fd, read)
    except NotImplementedError:
        return
    except RuntimeError:
        # A thread of the user's: the kernel's own loop.
        loop = getattr(getattr(getattr(_shell(), "kernel", None), "io_loop", None), "asyncio_loop", None)
        if loop is None:
            return
        loop.call_soon_threadsafe(loop.add_reader, fd, read)
    _readers[fd] = loop


def detach(fd: int) -> None:
    """Before the descriptor is closed: its number may be another's right after."""
    loop = _readers.pop(fd, None)
    if loop is not None and not loop.is_closed():
        loop.remove_reader(fd)


def later(seconds: float, function: Callable[[], object]) -> Callable[[], None]:
    """Call this once after so long, when no cell runs; what cancels it. Nothing without an event loop."""
    try:
        return asyncio.get_running_loop().call_later(seconds, function).cancel
    except RuntimeError:
        return _nothing


def on_objects_of(module: str, name: str, bundle: Callable[..., Any]) -> None:
    """Show objects of this class by this function, whenever somebody imports it; nothing outside IPython."""
    shell = _shell()
    if shell is not None:
        shell.display_formatter.mimebundle_formatter.for_type_by_name(module, name, bundle)


def _nothing() -> None: ...


def _shell() -> Any:
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    return get_ipython()
