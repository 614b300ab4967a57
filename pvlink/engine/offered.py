"""What a simulation offers: its sources and filters, as proxies that can be changed, and new ones made among them."""

from __future__ import annotations

from typing import Any

from paraview import servermanager

# As the simulation's side has it (pvlink/insitu).
STEERING, ORDER, AT = "pvlink parameters", "pvlink_order", "pvlink_at"


class NoSimulation(RuntimeError):
    """The sentence goes to the user."""


class Offered:
    """Through ParaView's manager of the simulation's proxies. What changes is pushed by whoever has the link."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def sources(self) -> dict[str, dict[str, Any]]:
        """By name, with the arrays they have."""
        found = {}
        for name, proxy in self._proxies().items():
            info = proxy.GetDataInformation(0) if hasattr(proxy, "GetDataInformation") else None
            points = _arrays(info.GetPointDataInformation()) if info is not None else []
            cells = _arrays(info.GetCellDataInformation()) if info is not None else []
            found[name] = {"kind": proxy.GetXMLName(), "arrays": {"POINTS": points, "CELLS": cells}}
        return found

    def proxy(self, name: str) -> Any:
        """Raises NoSimulation, with what there is."""
        proxies = self._proxies()
        if name not in proxies:
            raise NoSimulation(f"The simulation offers no {name!r}; it offers {', '.join(proxies) or 'nothing yet'}.")
        return proxies[name]

    def make(self, kind: str, name: str, of: str, properties: dict[str, Any]) -> None:
        source = self.proxy(of)
        if name in self._proxies():
            raise NoSimulation(f"The simulation has a {name!r} already.")
        proxy = self._manager.NewProxy("filters", kind)
        if proxy is None:
            raise NoSimulation(f"ParaView has no filter {kind!r}.")
        # Or the proxies that its properties stand for are not there when it is made, which ends this process.
        controller = servermanager.ParaViewPipelineController()
        controller.PreInitializeProxy(proxy)
        proxy.GetProperty("Input").SetInputConnection(0, source, 0)
        controller.PostInitializeProxy(proxy)
        self._manager.RegisterProxy("sources", name, proxy)
        _assign(proxy, properties)

    def change(self, name: str, properties: dict[str, Any]) -> None:
        _assign(self.proxy(name), properties)

    def steer(self, order: int, at: int, values: dict[str, float]) -> None:
        proxy = self._manager.GetProxy("sources", STEERING)
        if proxy is None:
            raise NoSimulation("The simulation has no parameters.")
        for name, value in {**values, ORDER: order, AT: at}.items():
            proxy.GetProperty(name).SetElement(0, float(value))
        proxy.UpdateVTKObjects()

    def _proxies(self) -> dict[str, Any]:
        walk = servermanager.vtkSMProxyIterator()
        walk.SetSessionProxyManager(self._manager)
        walk.SetModeToOneGroup()
        walk.Begin("sources")
        found = {}
        while not walk.IsAtEnd():
            if walk.GetKey() != STEERING:
                found[walk.GetKey()] = walk.GetProxy()
            walk.Next()
        return found


def _assign(proxy: Any, properties: dict[str, Any]) -> None:
    wrapped = servermanager._getPyProxy(proxy)  # noqa: SLF001 - there is no other way from one to the other
    known = wrapped.ListProperties()
    for name, value in properties.items():
        if name not in known:
            raise NoSimulation(f"{proxy.GetXMLName()} has no {name}; it has {', '.join(known)}.")
        setattr(wrapped, name, value)
    # A property that is changed is what ParaView takes for a reason to tell the simulation, and not a new proxy.
    proxy.GetProperty("Input").Modified()
    proxy.UpdateVTKObjects()


def _arrays(about: Any) -> list[str]:
    return [str(about.GetArrayInformation(i).GetName()) for i in range(about.GetNumberOfArrays())]
