"""What the kernel asks of the engine, besides the ParaView objects themselves."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import sys
import types
from typing import TYPE_CHECKING, Any, Callable

from pvlink.engine import delivery, sources
from pvlink.engine.insitudesk import InsituDesk
from pvlink.engine.serverdesk import ServerDesk

if TYPE_CHECKING:
    from pvlink.engine.loop import Loop

# How a name of a module crosses the wire: as a plain value, a function, a module or a reference.
VALUE, FUNCTION, MODULE, REFERENCE = "value", "function", "module", "reference"
_PLAIN = (type(None), bool, int, float, complex, str, bytes)


class Desk(ServerDesk, InsituDesk):
    """The root object of the wire. Everything here answers at once."""

    def __init__(self, loop: Loop) -> None:
        super().__init__(loop)
        self._loop = loop
        # What was put and is still there, and who is told.
        self._put: list[int] = []
        self._on_put: Callable[[list[int]], None] | None = None

    def describe(self) -> dict[str, Any]:
        """What this engine is."""
        return {
            **self._loop.kind.describe(),
            "pid": os.getpid(),
            "python": ".".join(str(n) for n in sys.version_info[:3]),
            "screen": self._loop.screen.description,
        }

    def module(self, name: str) -> tuple[list[tuple[str, str, Any]], str | None]:
        """Import a module of ParaView's Python; its names with what is needed to mirror them, and its docstring."""
        module = importlib.import_module(name)
        names = [(key, *_described(value)) for key, value in sorted(vars(module).items()) if key[:2] != "__"]
        return names, module.__doc__

    def attribute(self, module: str, name: str) -> Any:
        """A name of a module, as it is now."""
        return getattr(importlib.import_module(module), name)

    def assign(self, module: str, name: str, value: Any) -> None:
        """Set a name of a module."""
        setattr(importlib.import_module(module), name, value)

    def call(self, module: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a module's function, looked up now: ParaView replaces some when plugins are loaded."""
        return getattr(importlib.import_module(module), name)(*args, **kwargs)

    def view_id(self, obj: Any) -> str | None:
        """The id of a view that can be watched, or None for anything else."""
        return self._loop.kind.name_of(obj)

    def active(self) -> Any:
        """The view that is meant when none is named."""
        return self._loop.kind.active()

    def watch(self, view: Any, width: int, height: int) -> str:
        """Make a view ready to be watched; its id. The size counts until a viewer says its own."""
        return self._loop.add(view, width, height).id

    def renderer(self, view: Any) -> dict[str, str]:
        """What draws a view or a window that has been drawn: the kind of window, and what its driver says of itself."""
        window = view.SMProxy.GetRenderWindow() if hasattr(view, "SMProxy") else view
        said = dict(line.split(":", 1) for line in window.ReportCapabilities().splitlines() if ":" in line)
        names = (("vendor", "OpenGL vendor string"), ("renderer", "OpenGL renderer string"))
        return {"window": window.GetClassName(), **{key: said.get(name, "").strip() for key, name in names}}

    def move(self, folder: str) -> None:
        """The kernel works in another folder now: relative names mean that one."""
        # One that is gone, or closed to us, will be said by whoever opens a file there.
        with contextlib.suppress(OSError):
            os.chdir(folder)

    def cell_ended(self) -> None:
        """A cell that used ParaView is over: show what it did."""
        self._loop.altered()
        self._tell_put()

    def put(
        self,
        name: str,
        facts: dict[str, Any],
        layout: list[Any],
        number: int,
        fresh: bool,
        known: Callable[[list[int]], None],
    ) -> tuple[Any, int | None, list[int]]:
        """The source of that name, showing what is in memory `number`; what it is known by, and all that are there.

        `known`, a function of the kernel, is told when some of them are not any more.
        """
        source = delivery.put(self._loop.memory(number), name, facts, layout, number, fresh=fresh)
        self._loop.altered()
        self._on_put, self._put = known, sources.here().numbers()
        return source, sources.here().number(source), self._put

    def put_object(self, name: str, obj: Any, fresh: bool) -> Any:
        """The same for a data object, or what has one, that is here already. It shares its arrays."""
        source = delivery.put_object(name, obj, fresh=fresh)
        self._loop.altered()
        return source

    def fetch(self, obj: Any, name: str | None, at: str | None, number: int) -> tuple[dict[str, Any], list[Any]]:
        """The facts of what a source holds, and where its arrays are in memory `number`."""
        return delivery.fetch(self._loop.memory(number), obj, name, at)

    def refill(
        self, key: int, facts: dict[str, Any], layout: list[Any], number: int, known: Callable[[list[int]], None]
    ) -> bool:
        """Give a source of a former engine what it showed; False: it has not come back."""
        self._on_put = known
        return delivery.refill(self._loop.memory(number), key, facts, layout)

    def empty(self, filled: list[int]) -> list[str]:
        """Names of sources that were put, and have come back without data: all but these."""
        return sources.here().empty(filled)

    def _tell_put(self) -> None:
        if self._on_put is not None:
            before, self._put = self._put, sources.here().numbers()
            if self._put != before:
                self._on_put(self._put)

    def recall(self, recipes: list[list[Any]]) -> list[Any]:
        """The objects that a former engine's recipes lead to; none for each that is no more."""
        keeper = self._loop.keeper
        return [None if keeper is None else keeper.find(recipe) for recipe in recipes]

    def listen(self, progress: Callable[..., None], output: Callable[..., None], server: Callable[..., None]) -> None:
        """Functions of the kernel: told of progress, of output that no call explains, and of a server's end."""
        self._loop.listen(progress, output, server)


def _described(value: Any) -> tuple[str, Any]:
    if isinstance(value, types.ModuleType):
        return MODULE, value.__name__
    if isinstance(value, types.FunctionType):
        return FUNCTION, (value.__doc__, _arguments(value))
    if type(value) in _PLAIN:
        return VALUE, value
    return REFERENCE, None


def _arguments(function: types.FunctionType) -> list[tuple[str, int, tuple[Any, ...]]]:
    """Name, kind and default (if any) of each argument; a default that is no plain value becomes `...`."""
    shown = (*_PLAIN, list, tuple, dict)
    return [
        (
            p.name,
            int(p.kind),
            () if p.default is p.empty else (p.default if issubclass(type(p.default), shown) else ...,),
        )
        for p in inspect.signature(function).parameters.values()
    ]
