"""ParaView's whole state, written down and brought back: sources, displays, colours, cameras, time.

Proxies are numbered anew when a state is loaded. What has to be found again, such as the objects a user's variables
stand for, is written down as a recipe: the number it had, and how to get from there to it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any
from xml.etree import ElementTree

from paraview import servermanager, simple
from paraview.modules.vtkRemotingServerManager import vtkSMProxyLocator, vtkSMProxyManager, vtkSMStateLoader

# How to find an object again: kind, number of the proxy or name of the module, and what else it takes.
Recipe = list[Any]
_MODULES = ("paraview.simple", "paraview.servermanager")
# Properties of a view that a hand changes, and what a camera calls them.
_CAMERA = {
    "CameraPosition": "Position",
    "CameraFocalPoint": "FocalPoint",
    "CameraViewUp": "ViewUp",
    "CameraViewAngle": "ViewAngle",
    "CameraParallelScale": "ParallelScale",
}
# What a state is asked for: the things a user has made and named.
_OWN = ("sources", "views", "layouts")


class Pipeline:
    """What this engine's ParaView holds."""

    def __init__(self) -> None:
        self._scratch = os.memfd_create("pvlink-state")
        # Proxies of a state that was loaded, by the numbers they had in it.
        self._loaded: Any = None

    # -- writing ---------------------------------------------------------------------------------

    def state(self) -> bytes:
        """ParaView's own state file (.pvsm), which it writes to files only."""
        for view in _views_with("SynchronizeCameraProperties"):
            # A hand moves cameras; the properties, which are what is written, hear of it only so.
            view.SMProxy.SynchronizeCameraProperties()
        _proxies().SaveXMLState(f"/proc/self/fd/{self._scratch}")
        return os.pread(self._scratch, os.fstat(self._scratch).st_size, 0)

    def facts(self) -> dict[str, Any]:
        """What ParaView leaves out."""
        view, source = simple.GetActiveView(), simple.GetActiveSource()
        return {
            "active_view": _number(view),
            "active_source": None if source is None else [_number(source), source.Port],
            "plugins": _plugins(),
        }

    def cameras(self) -> list[list[Any]]:
        """Where a hand has moved the cameras: number of each view, and what its properties are to be."""
        found = []
        for view in _views_with("GetActiveCamera"):
            camera = view.SMProxy.GetActiveCamera()
            values = {name: getattr(camera, f"Get{getter}")() for name, getter in _CAMERA.items()}
            found.append(
                [
                    _number(view),
                    {name: value if isinstance(value, tuple) else [value] for name, value in values.items()},
                ]
            )
        return found

    def recipes(self, objects: dict[Any, Any]) -> list[list[Any]]:
        """How to find those of the objects again that can be: `[*key, recipe]` of each."""
        names = {
            id(value): ["name", module, name]
            for module in _MODULES
            for name, value in vars(sys.modules[module]).items()
            if name[:2] != "__" and not isinstance(value, (int, float, str))
        }
        cameras = {view.SMProxy.GetActiveCamera().__this__: _number(view) for view in _views_with("GetActiveCamera")}
        found = []
        for key, obj in objects.items():
            recipe = _recipe(obj, cameras) or names.get(id(obj))
            if recipe is not None:
                found.append([*key, recipe])
        return found

    # -- bringing back ---------------------------------------------------------------------------

    def load(self, facts: dict[str, Any], state: bytes) -> list[str]:
        """Bring a state back; names of what did not come. Raises ValueError when it is no state."""
        for plugin in facts["plugins"]:
            if plugin not in _plugins():
                with contextlib.suppress(RuntimeError):
                    simple.LoadPlugin(plugin, remote=False)
        parser = servermanager.vtkPVXMLParser()
        if not parser.Parse(state.decode("utf-8", "replace")):
            raise ValueError("ParaView cannot read the state it has written")
        locator = vtkSMProxyLocator()
        locator.SetSession(servermanager.ActiveConnection.Session)
        loader = vtkSMStateLoader()
        loader.SetSessionProxyManager(_proxies())
        loader.SetProxyLocator(locator)
        # Or the next Render() would take a restored camera for one that nobody has placed.
        simple._DisableFirstRenderCameraReset()  # noqa: SLF001 - ParaView's traces call it too
        _proxies().LoadXMLState(parser.GetRootElement(), loader)
        self._loaded = locator
        _settle(ElementTree.fromstring(state), locator)  # noqa: S314 - ParaView has written it
        for number, values in facts.get("cameras", []):
            moved = locator.LocateProxy(number)
            for name, value in values.items() if moved is not None else ():
                _set(moved.GetProperty(name), value)
            if moved is not None:
                moved.UpdateVTKObjects()
        view, source = facts["active_view"], facts["active_source"]
        if view is not None:
            simple.SetActiveView(self.find(["proxy", view, 0]))
        if source is not None:
            simple.SetActiveSource(self.find(["proxy", *source]))
        return [name for number, name in _named(state) if locator.LocateProxy(number) is None]

    def find(self, recipe: Recipe) -> Any:
        """The object that a recipe of the loaded state leads to; none if there is no such thing any more."""
        kind, where, *rest = recipe
        if kind == "name":
            return getattr(sys.modules[where], rest[0], None)
        smproxy = None if self._loaded is None else self._loaded.LocateProxy(where)
        if smproxy is None:
            return None
        if kind == "smproxy":
            return smproxy
        proxy = servermanager._getPyProxy(smproxy, rest[0] if kind == "proxy" else 0)  # noqa: SLF001
        if kind == "camera":
            return proxy.GetActiveCamera()
        return proxy.GetProperty(rest[0]) if kind == "property" else proxy


def update() -> None:
    """Have all sources run that a state has brought; one that fails says so by itself."""
    for source in simple.GetSources().values():
        with contextlib.suppress(RuntimeError):
            source.SMProxy.UpdatePipeline(simple.GetAnimationScene().AnimationTime)


def _recipe(obj: Any, cameras: dict[str, int | None]) -> Recipe | None:
    # By type: asking a proxy for an attribute that it may not have changes its state.
    kind = type(obj)
    if issubclass(kind, servermanager.Proxy) and obj.SMProxy.GetSession() != servermanager.ActiveConnection.Session:
        # Of this process itself, while the pipeline is on a server.
        return None
    if issubclass(kind, servermanager.Proxy):
        return ["proxy", _number(obj), getattr(obj, "Port", 0) if issubclass(kind, servermanager.SourceProxy) else 0]
    if issubclass(kind, servermanager.Property):
        return ["property", _number(obj.Proxy), obj.SMProperty.GetXMLName()]
    if hasattr(kind, "GetGlobalID") and hasattr(kind, "GetXMLName"):
        return ["smproxy", obj.GetGlobalID()]
    if kind.__name__ == "_camera_wrapper":
        # ParaView's stand-in for a camera: its methods wrap the camera's own.
        camera = getattr(getattr(obj.GetPosition, "__wrapped__", None), "__self__", None)
        view = cameras.get(getattr(camera, "__this__", ""))
        return None if view is None else ["camera", view]
    return None


def _settle(state: ElementTree.Element, locator: Any) -> None:
    """Bring back what a user had set and loading has overwritten.

    Many properties of views follow ParaView's settings. A state has the links but not the settings' values, so loading
    one gives every follower the settings' value of this process, such as FXAA on where the user had switched it off.
    """
    linked: dict[str, set[str]] = {}
    for links in state.iter("Links"):
        for link in links.iter("Property"):
            linked.setdefault(link.attrib["target_id"], set()).add(link.attrib["target_property"])
    for element in state.iter("Proxy"):
        names = linked.get(element.get("id", ""), set())
        proxy = locator.LocateProxy(int(element.attrib["id"])) if names else None
        if proxy is None:
            continue
        for found in element.findall("Property"):
            if found.attrib["name"] in names:
                values = [item.attrib["value"] for item in found.findall("Element")]
                _set(proxy.GetProperty(found.attrib["name"]), values)
        proxy.UpdateVTKObjects()


def _set(target: Any, values: Any) -> None:
    kind: type | None = None
    if target is not None:
        kind = {"Double": float, "Int": int, "IdType": int, "String": str}.get(
            target.GetClassName()[len("vtkSM") : -len("VectorProperty")]
        )
    if kind is None or target.GetNumberOfElements() != len(values):
        return
    for index, value in enumerate(values):
        if target.GetElement(index) != kind(value):
            target.SetElement(index, kind(value))


def _views_with(method: str) -> list[Any]:
    return [view for view in simple.GetViews() if hasattr(view.SMProxy, method)]


def _number(proxy: Any) -> int | None:
    return None if proxy is None or not proxy.SMProxy else int(proxy.SMProxy.GetGlobalID())


def _named(state: bytes) -> list[tuple[int, str]]:
    """Numbers and names of what a user has made, as a state has them."""
    groups = ElementTree.fromstring(state).iter("ProxyCollection")  # noqa: S314 - ParaView has written it
    return [
        (int(item.attrib["id"]), item.attrib["name"]) for group in groups if group.get("name") in _OWN for item in group
    ]


def _plugins() -> list[str]:
    """Files of the plugins that were loaded by somebody."""
    known = vtkSMProxyManager.GetProxyManager().GetPluginManager().GetLocalInformation()
    files = [known.GetPluginFileName(i) for i in range(known.GetNumberOfPlugins()) if known.GetPluginLoaded(i)]
    return [file for file in files if file and os.path.isabs(file)]  # noqa: PTH117 - "linked-in" is no path


def _proxies() -> Any:
    return servermanager.ProxyManager().SMProxyManager
