"""`pvpython <this folder> CONFIG`: bring this folder in as a package, then run the loop.

Written so that any Python 3 can read it: an old one must be able to say that it is too old.
"""

import ctypes
import importlib.util
import json
import os
import signal
import socket
import sys
import types
import typing

if typing.TYPE_CHECKING:
    from pvlink.engine.headless import Screen  # noqa: F401 - in comments, for Pythons that know no annotations
    from pvlink.engine.kinds import Kind  # noqa: F401

OLDEST_PYTHON = (3, 9)
PR_SET_PDEATHSIG = 1


def fail(sentence):
    # type: (str) -> None
    """Say why on standard error, which the kernel reads, and end."""
    sys.stderr.write("pvlink: " + sentence + "\n")
    sys.stderr.flush()
    os._exit(3)


def bring_in(name, folder):
    # type: (str, str) -> None
    """Make the package in `folder` importable as `name`, and nothing that lies beside it."""
    init = os.path.join(folder, "__init__.py")
    spec = importlib.util.spec_from_file_location(name, init, submodule_search_locations=[folder])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def end_soon_after_parent():
    # type: () -> None
    """A second after its parent this process ends, whatever it does; an idle one has tidied up by then.

    Python's own handlers wait for the end of a render. libc's `alarm` as a handler does not: it is called with the
    signal's number, which for SIGHUP is the one second.
    """
    libc = ctypes.CDLL(None)
    libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
    libc.signal.restype = ctypes.c_void_p
    libc.signal(signal.SIGHUP, ctypes.cast(libc.alarm, ctypes.c_void_p))
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGHUP, 0, 0, 0)


def at_end(sock):
    # type: (socket.socket) -> bool
    """Whether the other end has gone, before this process could be told of it."""
    try:
        return sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False


def main():
    # type: () -> None
    if sys.version_info[:2] < OLDEST_PYTHON:
        fail(
            "this ParaView's Python is {}.{}; pvlink needs 3.9 or newer (ParaView's own archives have it from "
            "5.10 on)".format(*sys.version_info)
        )
    config = json.loads(sys.argv[1])
    kernel = socket.socket(fileno=config["kernel_fd"])
    if config["die_with_parent"]:
        # Under a wrapper that did not exec, the parent is the wrapper; it ends when the kernel does (the watchdog).
        end_soon_after_parent()
        if at_end(kernel):
            os._exit(0)
    # The folder itself must not be on the path: `import loop` would find ours.
    sys.path[:] = [p for p in sys.path if os.path.realpath(p or ".") != os.path.dirname(os.path.realpath(__file__))]
    # pvpython sends these through VTK's output window; the kernel reads the plain descriptors.
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
    # The parent package is empty on purpose: the engine is an island.
    parent = types.ModuleType("pvlink")
    parent.__path__ = []
    sys.modules["pvlink"] = parent
    for name, folder in config["packages"].items():
        bring_in(name, folder)
    bring_in("pvlink.engine", os.path.dirname(os.path.abspath(__file__)))

    from pvlink.engine.headless import NoDisplay

    only_vtk = config["kind"] == "vtk" or (not has("paraview") and has("vtkmodules"))
    try:
        screen, kind = (make_vtk if only_vtk else make_paraview)(config)
    except NoDisplay as reason:
        fail(str(reason))

    from pvlink.engine.loop import Loop
    from pvlink.engine.stream import Stream

    loop = Loop(kernel, Stream(socket.socket(fileno=config["post_fd"])), screen, kind, config)
    if not only_vtk:
        from pvlink.engine import captures

        captures.guard(sys.modules["paraview.simple"], lambda: loop.views)
    try:
        loop.run()
    except NoDisplay as reason:
        screen.end()
        fail(str(reason))
    loop.farewell()
    screen.end()
    # Windows and X server outlive each other badly: no destructors.
    os._exit(0)


def has(module):
    # type: (str) -> bool
    return importlib.util.find_spec(module) is not None


def make_paraview(config):
    # type: (dict[str, typing.Any]) -> tuple[Screen, Kind]
    """ParaView, and a display for it, which starts meanwhile."""
    from pvlink.engine.headless import Screen

    screen = Screen(config["display"])
    screen.begin()
    simple = import_paraview()
    screen.settle()
    # ParaView's logger takes SIGINT for itself, as a crash.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    from pvlink.engine import versions
    from pvlink.engine.keeper import Keeper
    from pvlink.engine.kinds.paraview import ParaView, paraview_version
    from pvlink.engine.names import Names
    from pvlink.engine.scenes.paraview import guard_size
    from pvlink.engine.server import Server

    guard_size(simple.servermanager)
    if paraview_version() < versions.OLDEST_PARAVIEW:
        fail(
            "this is ParaView {}.{}.{}; pvlink needs {}.{} or newer".format(
                *paraview_version(), *versions.OLDEST_PARAVIEW
            )
        )
    generation = config["generation"]
    names = Names(f"{generation}-" if generation else "")
    return screen, ParaView(Keeper(config["checkpoint_fds"], generation, names), names, Server())


def make_vtk(config):
    # type: (dict[str, typing.Any]) -> tuple[Screen, Kind]
    """VTK, and a way to draw that has been tried before it is relied on."""
    from pvlink.engine.offscreen import VtkScreen

    screen = VtkScreen(config["display"])
    screen.begin()
    try:
        import vtkmodules.vtkRenderingOpenGL2  # noqa: F401
    except ImportError as error:
        fail(f"{sys.executable or sys.argv[0]} has no working VTK: {error}")
    screen.settle()
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    from pvlink.engine.kinds.vtk import Vtk

    return screen, Vtk("{}-".format(config["generation"]) if config["generation"] else "")


def import_paraview():
    # type: () -> types.ModuleType
    from pvlink.engine import versions

    try:
        versions.mend_numpy()
        import paraview.simple
    except ImportError as error:
        fail(f"{sys.executable or sys.argv[0]} is not ParaView's Python: {error}")
    return paraview.simple


main()
