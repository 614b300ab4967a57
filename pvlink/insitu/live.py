"""ParaView within the simulation: its sources, the proxy that carries the parameters, and the link. The door to both.

Everything in here is done by all ranks at the same step, or by none.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import struct
import time as clock
from collections.abc import Iterable, Mapping
from typing import Any, Callable

import paraview

# Before ParaView itself is there: all ranks run the same script.
paraview.options.batch = True
paraview.options.symmetric = True

from paraview import servermanager, simple  # noqa: E402 - after its options
from paraview.modules.vtkRemotingLive import vtkLiveInsituLink  # noqa: E402
from vtkmodules.vtkCommonCore import vtkObject  # noqa: E402

from pvlink.insitu.parameters import AT, ORDER, Parameters, Value  # noqa: E402

STEERING = "pvlink parameters"
# A step that is none.
NEVER = -2
# A ferry answers at once; one that is stopped costs the simulation so many seconds, and its link.
PATIENCE = 3
# What was sent before it was told of is there, or nearly, in seconds.
ARRIVES = 0.1
# A longer answer does not fit into a socket, and comes while it is read.
VISIBLE = 32 << 10


class Live:
    """This rank's part."""

    def __init__(self, parameters: Parameters) -> None:
        self._manager = servermanager.ActiveConnection.Session.GetSessionProxyManager()
        self._parameters = parameters
        self._steering: Any = None
        if parameters:
            self._manager.GetProxyDefinitionManager().LoadConfigurationXMLFromString(parameters.definition)
            self._steering = self._manager.NewProxy("sources", parameters.proxy_name)
            self._steering.UpdateVTKObjects()
            self._manager.RegisterProxy("sources", STEERING, self._steering)
        self._producers: dict[str, Any] = {}
        self._link: Any = None
        # This rank's of the link.
        self._sockets: list[int] = []
        self._order = 0.0

    @property
    def version(self) -> str:
        manager = servermanager.vtkSMProxyManager
        return f"{manager.GetVersionMajor()}.{manager.GetVersionMinor()}.{manager.GetVersionPatch()}"

    @property
    def linked(self) -> bool:
        return self._link is not None

    def show(self, grids: Mapping[str, Any], extents: Mapping[str, Any]) -> None:
        """What its sources have from now on. `extents`: of all ranks, where the parts are images or structured."""
        for name, grid in grids.items():
            producer = self._producers.get(name)
            if producer is None:
                producer = self._producers[name] = simple.TrivialProducer(registrationName=name)
            source = producer.GetClientSideObject()
            source.SetOutput(grid)
            if extents.get(name) is not None:
                source.SetWholeExtent(*extents[name])
            # Else what was computed from the last step passes for this one's.
            producer.SMProxy.MarkModified(producer.SMProxy)

    def there(self) -> dict[str, Any]:
        """What its sources have without filters: what an adaptor of Catalyst's has given them."""
        found = {}
        for (name, _), source in simple.GetSources().items():
            algorithm = source.GetClientSideObject()
            if name != STEERING and algorithm is not None and algorithm.IsA("vtkTrivialProducer"):
                found[name] = algorithm.GetOutputDataObject(0)
        return found

    @property
    def sources(self) -> list[str]:
        return sorted(name for name, _ in simple.GetSources() if name != STEERING)

    # -- the link ----------------------------------------------------------------------------------

    def connect(self, port: int | None) -> bool:
        """To the ferry, which answers at once; none: let go of what there is."""
        self._link = None
        if port is None:
            return False
        link = vtkLiveInsituLink()
        link.SetProcessType(vtkLiveInsituLink.INSITU)
        link.SetHostname("127.0.0.1")
        link.SetInsituPort(port)
        before = _sockets()
        if _quietly(lambda: link.Initialize(self._manager)):
            self._link = link
            self._sockets = sorted(_sockets() - before)
            for fd in self._sockets:
                _be_impatient(fd)
        return self.linked

    def heard(self, size: int) -> bool:
        """Whether so many bytes of an answer wait to be read: ParaView ends this process where one does not come."""
        if not self.linked or len(self._sockets) != 1:
            return False
        wanted, deadline = min(size, VISIBLE), clock.monotonic() + ARRIVES
        # Without a time-out of its own, which would hold for ParaView's copy of the socket as well.
        with socket.socket(fileno=os.dup(self._sockets[0])) as same:
            while clock.monotonic() < deadline:
                try:
                    seen = len(same.recv(wanted, socket.MSG_PEEK | socket.MSG_DONTWAIT))
                except BlockingIOError:
                    seen = -1
                except OSError:
                    return False
                if seen in (0, wanted):
                    return seen == wanted
                clock.sleep(0.001)
        return False

    def ask(self, step: int, time: float) -> tuple[int, int, dict[str, Value]] | None:
        """Hear what was changed: a new order for the parameters (number, from which step, values), if there is one.

        What else was changed, such as filters of the notebook's, is done by then.
        """
        _quietly(lambda: self._link.InsituUpdate(time, step))
        if self._steering is None:
            return None
        number = _value(self._steering, ORDER)
        if number == self._order:
            return None
        self._order = number
        values = {name: _value(self._steering, name) for name in self._parameters}
        at = _value(self._steering, AT)
        return int(number), int(at) if math.isfinite(at) else NEVER, values

    def make(self, time: float, wanted: Iterable[str]) -> None:
        """Compute what these sources have at this step."""
        for name in wanted:
            source = simple.FindSource(name)
            if source is not None:
                source.UpdatePipeline(time)

    def deliver(self, step: int, time: float) -> None:
        """Send it."""
        _quietly(lambda: self._link.InsituPostProcess(time, step))

    def keep(self, values: Mapping[str, Value]) -> None:
        """What counts now is what whoever comes next finds in the proxy."""
        if self._steering is not None:
            for name, value in values.items():
                self._steering.GetProperty(name).SetElement(0, float(value))
            self._steering.UpdateVTKObjects()


def _sockets() -> set[int]:
    """Of this process; ParaView does not tell which are its own."""
    found = set()
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []:  # noqa: PTH112, PTH208
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):  # noqa: PTH115
                found.add(int(name))
    return found


def _be_impatient(fd: int) -> None:
    """ParaView waits at a socket for ever, unless the socket itself does not."""
    with socket.socket(fileno=os.dup(fd)) as same:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            same.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", PATIENCE, 0))


def _value(proxy: Any, name: str) -> float:
    return float(proxy.GetProperty(name).GetElement(0))


def _quietly(act: Callable[[], Any]) -> Any:
    """A link that is cut is no news to a simulation: it goes on without a word of VTK's in its output."""
    said = vtkObject.GetGlobalWarningDisplay()
    vtkObject.SetGlobalWarningDisplay(0)
    try:
        return act()
    finally:
        vtkObject.SetGlobalWarningDisplay(said)
