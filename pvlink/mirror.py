"""`paraview` and its modules in a kernel that has no ParaView: each name resolves to the engine's.

Functions become local functions, so that completion, `?` and signatures need no round trip; everything else is fetched
when it is first asked for. The modules outlive a session: a name imported from them works with the next one too.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from pvlink.errors import PvlinkError

if TYPE_CHECKING:
    from pvlink.sessions import Session

ROOT = "paraview"
VTK_ROOTS = frozenset({"vtk", "vtkmodules"})
# What cannot be had beside a mirror of VTK, and why.
REFUSED_BESIDE_VTK = {
    "pyvista": (
        "PyVista is made of VTK's own classes, and pvlink.start() has put VTK into a process of its own. Restart the "
        "kernel and leave pvlink.start() out: pvlink.show(plotter) needs no session."
    ),
    ROOT: (
        "This session draws with VTK alone, and this module is ParaView's. Install ParaView (Debian, Ubuntu: apt "
        "install paraview python3-paraview), or say where it is: pvlink.start(pvpython='/path/to/bin/pvpython')."
    ),
}
_KINDS = [
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD,
]
CurrentSession = Callable[[], "Session"]
Instead = Mapping[str, Mapping[str, Callable[..., Any]]]


class MirrorModule(ModuleType):
    """A module whose names live in the engine."""

    def __init__(self, name: str, current: CurrentSession) -> None:
        super().__init__(name)
        self.__dict__["_current"] = current
        self.__dict__["_remote"] = frozenset[str]()
        # Modules among the names, and what they are really called.
        self.__dict__["_modules"] = dict[str, str]()
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if name in self._modules:
            return importlib.import_module(self._modules[name])
        return self._current().desk.attribute(self.__name__, name)

    def __setattr__(self, name: str, value: Any) -> None:
        # `paraview.compatibility.major = 5` and its like must reach ParaView; the import system's own must not.
        if name.startswith("__") or isinstance(value, ModuleType):
            super().__setattr__(name, value)
        else:
            self._current().desk.assign(self.__name__, name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self._remote} - {"_current", "_modules", "_remote"})


class MirrorFinder(MetaPathFinder, Loader):
    """Answers `import paraview...` while a session runs."""

    def __init__(
        self,
        current: CurrentSession,
        roots: frozenset[str],
        refused: Mapping[str, str] = MappingProxyType({}),
        instead: Instead = MappingProxyType({}),
    ) -> None:
        """`refused`: what cannot be imported while the session runs, and why. With any, it is silent without one.

        `instead`: by module and name, functions that are called in the place of the engine's.
        """
        self._instead = instead
        self._current = current
        self._roots = roots
        self._refused = refused

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        root = name.partition(".")[0]
        if root not in self._roots and root not in self._refused:
            return None
        if self._refused and not _session_runs(self._current):
            return None
        if root in self._refused:
            raise ModuleNotFoundError(self._refused[root], name=name)
        return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return MirrorModule(spec.name, self._current)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        try:
            session = self._current()
        except PvlinkError as error:
            # Also for those who ask by importing whether there is a ParaView.
            raise ModuleNotFoundError(f"{name!r} is ParaView's. {error}", name=name) from None
        try:
            entries, text = session.desk.module(name)
        except ImportError as error:
            raise ModuleNotFoundError(f"ParaView's Python has no module {name!r}", name=name) from error
        space = module.__dict__
        space["__doc__"] = text
        space["_remote"] = frozenset(key for key, _, _ in entries)
        space["__all__"] = [key for key, _, _ in entries if not key.startswith("_")]
        for key, kind, value in entries:
            if kind == "value":
                space[key] = value
            elif kind == "function":
                doc, arguments = value
                instead = self._instead.get(name, {}).get(key)
                space[key] = _function(self._current, name, key, doc, arguments, instead)
            elif kind == "module" and value.partition(".")[0] in {ROOT, *VTK_ROOTS, *sys.stdlib_module_names}:
                # `os` in a script means this kernel's, with its working directory.
                space["_modules"][key] = value


def _function(
    current: CurrentSession,
    module: str,
    name: str,
    doc: str | None,
    arguments: list[Any],
    instead: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if instead is not None:
            return instead(*args, **kwargs)
        return current().desk.call(module, name, args, kwargs)

    call.__name__ = call.__qualname__ = name
    call.__module__ = module
    call.__doc__ = doc
    # Only for people and completion: what is accepted is ParaView's business.
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(key, _KINDS[kind], default=default[0] if default else inspect.Parameter.empty)
            for key, kind, default in arguments
        ]
    )
    return call


def install(current: CurrentSession, kind: str, instead: Instead = MappingProxyType({})) -> None:
    """Let imports find the mirror: of ParaView before any that this Python may have itself, or of VTK likewise.

    Beside ParaView VTK's modules are mirrored only where this Python has none: whoever installed VTK here means that
    one.
    """
    uninstall()
    if kind == "vtk":
        sys.meta_path.insert(0, MirrorFinder(current, VTK_ROOTS, REFUSED_BESIDE_VTK))
    else:
        sys.meta_path.insert(0, MirrorFinder(current, frozenset({ROOT}), instead=instead))
        sys.meta_path.append(MirrorFinder(current, VTK_ROOTS))


def uninstall() -> None:
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, MirrorFinder)]


def real(root: str) -> bool:
    """Whether this Python has imported a ParaView, or a VTK, of its own."""
    module = sys.modules.get(root)
    return module is not None and not isinstance(module, MirrorModule)


def _session_runs(current: CurrentSession) -> bool:
    try:
        return not current().stopped
    except PvlinkError:
        return False


def forget() -> None:
    """Take the mirrored modules away, so that the next `import` asks the next engine."""
    for name in [name for name, module in sys.modules.items() if isinstance(module, MirrorModule)]:
        del sys.modules[name]
