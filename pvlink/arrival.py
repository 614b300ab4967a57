"""What this kernel's own ParaView or VTK needs when it is imported, so that it cannot end the kernel.

ParaView takes SIGINT for a crash and ends the process; and where there is no display, many builds end it at the first
render. Neither may cost a user the day, so both are seen to before the first line of theirs runs.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from pvlink.engine import versions
from pvlink.engine.headless import NoDisplay, Screen, needs_x, usable

PARAVIEW, SIMPLE, VTK = "paraview.servermanager", "paraview.simple", "vtkmodules.vtkRenderingOpenGL2"
# ParaView's view that would end the process, and the way to one that does not.
NO_VIEWS = "No view can be made in this kernel: {}"
_DRAWING = ("CreateView", "CreateRenderView", "GetActiveViewOrCreate", "GetRenderView", "Render", "Show")
# What VTK from 9.4 on draws with where there is no X; it loads these by name itself.
_OFFSCREEN = (
    ("libEGL.so.1", "vtkEGLRenderWindow"),
    ("libOSMesa.so.8", "vtkOSOpenGLRenderWindow"),
    ("libOSMesa.so.6", "vtkOSOpenGLRenderWindow"),
    ("libOSMesa.so", "vtkOSOpenGLRenderWindow"),
)


class Arrival(MetaPathFinder, Loader):
    """Stands at the door through which some modules come in, once for each."""

    def __init__(self) -> None:
        self._loaders: dict[str, Loader] = {}
        # Who wants to hear of a module that has come in.
        self._wishes: dict[str, list[Callable[[ModuleType], None]]] = {}
        # X servers end with this process; nobody may end them sooner, for windows outlive everything.
        self.screens: list[Screen] = []
        # Why ParaView can draw nothing here.
        self._no_views = ""

    def when(self, name: str, told: Callable[[ModuleType], None]) -> None:
        """Call this with a module once it is imported; now if it is."""
        self._wishes.setdefault(name, []).append(told)
        if _is_here(name):
            told(sys.modules[name])

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != PARAVIEW and name not in self._wishes:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            # One without a place is a mirror's: there is nothing here to be seen to.
            if spec is not None and spec.loader is not None and spec.has_location:
                self._loaders[name] = spec.loader
                spec.loader = self
                return spec
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loaders[spec.name].create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        loader = self._loaders.pop(name)
        # What asks a module for its loader (a traceback that wants its source, say) means the real one.
        module.__loader__ = loader
        if module.__spec__ is not None:
            module.__spec__.loader = loader
        if name == PARAVIEW:
            with _undisturbed():
                self.paraview(lambda: loader.exec_module(module))
        elif name == SIMPLE:
            with _undisturbed():
                loader.exec_module(module)
                self._tell(module)
        else:
            loader.exec_module(module)
            self._tell(module)

    def _tell(self, module: ModuleType) -> None:
        for told in self._wishes[module.__name__]:
            told(module)

    def to_the_front(self, _module: ModuleType) -> None:
        """VTK puts a finder of its own before all others."""
        sys.meta_path.remove(self)
        sys.meta_path.insert(0, self)

    def paraview(self, bring_in: Callable[[], None]) -> None:
        versions.mend_numpy()
        screen = Screen("auto")
        reason = ""
        try:
            screen.begin()
        except NoDisplay as error:
            reason = str(error)
        handler = signal.getsignal(signal.SIGINT)
        # Before VTK comes in with it, which must not look for a display of its own.
        self.screens.append(screen)
        _initialize()
        try:
            bring_in()
        finally:
            _give_back(handler)
        try:
            screen.settle()
        except NoDisplay as error:
            reason = str(error)
        if reason:
            sys.stderr.write(f"pvlink: {NO_VIEWS.format(reason)}\n")
            self._no_views = NO_VIEWS.format(reason)

    def simple(self, module: ModuleType) -> None:
        """What would make a view, or draw one, ends the process where there is nothing to draw on."""
        if self._no_views:
            for name in _DRAWING:
                if hasattr(module, name):
                    setattr(module, name, functools.partial(_refuse, self._no_views))

    def vtk(self, _module: ModuleType) -> None:
        """VTK chooses for itself from 9.4 on; what is left are builds for X alone, and machines with nothing at all."""
        display = os.environ.get("DISPLAY", "")
        if self.screens or (display and usable(display)):
            return
        offscreen = [window for library, window in _OFFSCREEN if _loads(library)]
        if offscreen and not needs_x():
            # Or VTK tries X first, and says on standard error that it is not there.
            os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", offscreen[0])
            return
        screen = Screen("auto")
        try:
            screen.begin()
            screen.settle()
        except NoDisplay as error:
            sys.stderr.write(f"pvlink: a picture by VTK would end this kernel: {error}\n")
        else:
            self.screens.append(screen)


def _initialize() -> None:
    """What ParaView does in the middle of its import, before it: its logger takes SIGINT and ends the process then.

    In the middle of half a second of import that cannot be undone in time; alone it takes 2 ms, and is undone at once.
    """
    handler = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    try:
        core, application, strings = (
            importlib.import_module(f"paraview.modules.{name}")
            for name in ("vtkRemotingCore", "vtkRemotingApplication", "vtkPVVTKExtensionsCore")
        )
        if core.vtkProcessModule.GetProcessModule() is None and main and handler is not None:
            # As ParaView itself says it, for a client without MPI.
            words = strings.vtkStringList()
            words.AddString(sys.executable)
            words.AddString("--no-mpi")
            application.vtkInitializationHelper.Initialize(words, core.vtkProcessModule.PROCESS_CLIENT)
            atexit.register(lambda: importlib.import_module(PARAVIEW).Finalize())
    except (ImportError, AttributeError):
        # A ParaView that is made otherwise initializes itself.
        return
    finally:
        _give_back(handler)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """An interrupt strikes afterwards, half a second later at most: VTK calls Python functions of ParaView's meanwhile,
    and ends the process when one is interrupted."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    struck: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: struck.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if struck:
        handler(signal.SIGINT, None)


def _give_back(handler: Any) -> None:
    """The signal that interrupts a cell."""
    if threading.current_thread() is threading.main_thread() and handler is not None:
        signal.signal(signal.SIGINT, handler)


def prepare() -> None:
    """See to what has been imported already, and to what will be."""
    arrival = _the_one()
    if arrival not in sys.meta_path:
        sys.meta_path.insert(0, arrival)
        if _is_here(PARAVIEW):
            arrival.paraview(_nothing)
        arrival.when(SIMPLE, arrival.simple)
        arrival.when("vtkmodules", arrival.to_the_front)
        arrival.when(VTK, _nothing if _is_here(PARAVIEW) else arrival.vtk)


def when(name: str, told: Callable[[ModuleType], None]) -> None:
    """Call this with a module once it is imported; now if it is. After `prepare()`."""
    _the_one().when(name, told)


def display_lost() -> bool:
    """Whether an X server of this process's own has ended: what draws through it may end the process now."""
    servers = [screen.server for screen in _the_one().screens if screen.server is not None]
    return bool(servers and select.select(servers, [], [], 0.0)[0])


@functools.cache
def _the_one() -> Arrival:
    return Arrival()


def _refuse(why: str, *_: Any, **__: Any) -> None:
    raise RuntimeError(why)


def _loads(library: str) -> bool:
    import ctypes

    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _nothing(*_: object) -> None: ...


def _is_here(module: str) -> bool:
    """Whether it has been imported, and is not the mirror of another process's, which is no file."""
    return getattr(sys.modules.get(module), "__file__", None) is not None
