"""Objects of a pipeline that is not there any more: what asks them for something gets an error, never a wrong number.

A ParaView client whose server has died answers every question with nothing: 0 cells, an empty array. So the Python
objects that stand for its proxies are made to refuse, in their place, wherever a user holds them; and when the
pipeline comes back on another server, the same objects stand for the new proxies.
"""

from __future__ import annotations

import gc
import weakref
from typing import Any, Callable

from paraview import servermanager

Why = Callable[[], BaseException]

# What a user may hold of a proxy.
_PARTS = (
    servermanager.Property,
    servermanager.DataInformation,
    servermanager.FieldDataInformation,
    servermanager.ArrayInformation,
)
# Set aside while an object refuses; what it takes to bring it back.
_STATE = "_pvlink_departed"
# Since ParaView 6.0 each proxy keeps the manager of the session that it was made in.
_MANAGER = "pxm"


class Refusing:
    """Mixed into the class of what has departed. Private to this file; never made, only put in the place of a class."""

    _pvlink_was: type

    def __getattribute__(self, name: str) -> Any:
        if name in ("__class__", "__dict__", "__doc__", "__weakref__"):
            return object.__getattribute__(self, name)
        raise _error(self)

    def __setattr__(self, name: str, value: Any) -> None:
        raise _error(self)

    def __repr__(self) -> str:
        return f"<{_class_of(self).__name__}, gone with its ParaView server>"

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise _error(self)

    __iter__ = __len__ = __getitem__ = __setitem__ = __call__ = __bool__ = _refuse


def _error(obj: Any) -> BaseException:
    why: Why = _state(obj)["why"]
    return why()


_classes: dict[type, type] = {}


def _refusing(cls: type) -> type:
    if cls not in _classes:
        _classes[cls] = type(cls.__name__, (Refusing,), {"_pvlink_was": cls, "__module__": cls.__module__})
    return _classes[cls]


def _class_of(obj: Any) -> type:
    """What it was, and may be again."""
    found: type = vars(type(obj))["_pvlink_was"]
    return found


def _state(obj: Any) -> dict[str, Any]:
    found: dict[str, Any] = object.__getattribute__(obj, "__dict__")[_STATE]
    return found


def refuse(obj: Any) -> None:
    """Raises where it is one of them: to `isinstance` it is not what it was."""
    if _has_departed(obj):
        raise _error(obj)


class Departed:
    """The Python objects of one session, from its end until another one takes its place."""

    def __init__(self) -> None:
        # Weakly: what nobody holds need not come back.
        self._objects: list[weakref.ref[Any]] = []

    def take(self, session: Any, why: Why) -> None:
        """All that stand for proxies and properties of this session; from here on they raise what `why` makes."""
        for proxy in _proxies_of(session):
            number = int(proxy.SMProxy.GetGlobalID())
            self._take(proxy, why, {"number": number, "port": getattr(proxy, "Port", 0)})
        known = {id(each()) for each in self._objects}
        # Properties know their proxies, not these them, but for a weak reference; so it is with information on data.
        for found in gc.get_objects():
            kind = type(found)
            if not issubclass(kind, _PARTS):
                continue
            owner = found.__dict__.get("Proxy")
            if issubclass(kind, servermanager.Property) and id(owner) in known:
                name = found.__dict__["SMProperty"].GetXMLName()
                self._take(found, why, {"number": _state(owner)["number"], "name": name})
            elif hasattr(type(owner), "GetSession") and owner.GetSession() == session:
                self._take(found, why, {"number": 0, "name": ""})

    def _take(self, obj: Any, why: Why, facts: dict[str, Any]) -> None:
        cls = type(obj)
        object.__getattribute__(obj, "__dict__")[_STATE] = {"why": why, **facts}
        object.__setattr__(obj, "__class__", _refusing(cls))
        self._objects.append(weakref.ref(obj))

    def explain(self, why: Why) -> None:
        """What they say from here on: they will not come back."""
        for obj in self._living():
            _state(obj)["why"] = why

    def let_go(self) -> None:
        """Of ParaView's own objects, which would be deleted on a server that is not there."""
        for obj in self._living():
            inner = object.__getattribute__(obj, "__dict__")
            for name in ("SMProxy", "SMProperty", _MANAGER):
                if name in inner:
                    inner[name] = None
        dead = [key for key, weak in servermanager._pyproxies.items() if _has_departed(weak())]  # noqa: SLF001
        for key in dead:
            del servermanager._pyproxies[key]  # noqa: SLF001

    def come_back(self, locate: Callable[[int], Any]) -> None:
        """Stand for the proxies that `locate` finds by the numbers they had; what it does not find stays as it is."""
        waiting = self._living()
        for obj in (one for one in waiting if "name" not in _state(one)):
            state, smproxy = _state(obj), locate(_state(obj)["number"])
            if smproxy is None:
                continue
            self._restore(obj)
            inner = obj.__dict__
            inner["_Proxy__Properties"] = {}
            inner["Port"] = state["port"]
            if _MANAGER in inner:
                inner[_MANAGER] = servermanager.ProxyManager()
            obj.InitializeFromProxy(smproxy, False)
        for obj in (one for one in waiting if "name" in _state_or_nothing(one)):
            state, smproxy = _state(obj), locate(_state(obj)["number"])
            target = None if smproxy is None or not state["name"] else smproxy.GetProperty(state["name"])
            if target is not None:
                self._restore(obj)
                obj.__dict__["SMProperty"] = target
        self._objects = [weakref.ref(obj) for obj in waiting if _has_departed(obj)]

    def _restore(self, obj: Any) -> None:
        object.__setattr__(obj, "__class__", _class_of(obj))
        del obj.__dict__[_STATE]

    def _living(self) -> list[Any]:
        return [obj for obj in (weak() for weak in self._objects) if obj is not None]


class NoConnection:
    """In the place of `servermanager.ActiveConnection`: whatever would make or ask for a proxy raises."""

    def __init__(self, why: Why) -> None:
        object.__setattr__(self, "_why", why)

    def __getattribute__(self, name: str) -> Any:
        if name in ("__class__", "__doc__"):
            return object.__getattribute__(self, name)
        why = object.__getattribute__(self, "_why")
        raise why()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def _proxies_of(session: Any) -> list[Any]:
    found = []
    for weak in list(servermanager._pyproxies.values()):  # noqa: SLF001 - ParaView's only list of them
        proxy = weak()
        if proxy is None or _has_departed(proxy) or not proxy.SMProxy:
            continue
        if proxy.SMProxy.GetSession() is session or proxy.SMProxy.GetSession() == session:
            found.append(proxy)
    return found


def _has_departed(obj: Any) -> bool:
    return obj is not None and issubclass(type(obj), Refusing)


def _state_or_nothing(obj: Any) -> dict[str, Any]:
    return _state(obj) if _has_departed(obj) else {}
