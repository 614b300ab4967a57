"""Sources of ParaView's pipeline: made by a put, found by name, and what they hold.

ParaView's own `TrivialProducer` shows a data object of this process. A note on the proxy, which ParaView writes into
its states, tells those that were put from those that a user has made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from paraview import servermanager, simple

from pvlink.engine import departed, far, pieces
from pvlink.engine.refusal import Refusal
from pvlink.engine.sources import listed, numbered, vtk_data

NOTE = "pvlink"
# Instead of a number: what nobody else keeps.
KEPT_BY_NOBODY = "0"


class Proxies:
    """The pipeline of the active connection."""

    def put(self, name: str, data: Any, number: int, *, fresh: bool) -> Any:
        if fresh:
            name = numbered(name, {key[0] for key in simple.GetSources()})
        proxy = self._own(name)
        if far.is_far():
            proxy = far.put(proxy, name, data)
        else:
            if proxy is None:
                proxy = simple.TrivialProducer(registrationName=name)
            proxy.GetClientSideObject().SetOutput(data)
        if not _was_put(proxy):
            proxy.SMProxy.SetAnnotation(NOTE, str(number) if number else KEPT_BY_NOBODY)
        _updated(proxy)
        return proxy

    def data(self, obj: Any) -> Any:
        if isinstance(obj, str):
            obj = self._named(obj)
        departed.refuse(obj)
        if not isinstance(obj, servermanager.Proxy):
            return vtk_data(obj)
        if not isinstance(obj, servermanager.SourceProxy):
            raise Refusal(
                f"a {obj.GetXMLLabel()} has no data to fetch: give a source, a filter, one of its ports, or a name"
            )
        # A port is a proxy, too, that knows which it is.
        port = obj.Port
        obj.SMProxy.UpdatePipeline()
        if far.is_far():
            return pieces.fetched(obj, port)
        return obj.GetClientSideObject().GetOutputDataObject(port)

    def number(self, source: Any) -> int | None:
        return _number(_note(source))

    def numbers(self) -> list[int]:
        return [number for note in _notes() if (number := _number(note)) is not None]

    def refill(self, number: int, data: Any) -> bool:
        for (name, _), proxy in simple.GetSources().items():
            if self.number(proxy) == number:
                if far.is_far():
                    far.put(proxy, name, data)
                else:
                    proxy.GetClientSideObject().SetOutput(data)
                _updated(proxy)
                return True
        return False

    def empty(self, filled: list[int]) -> list[str]:
        put = {key[0]: proxy for key, proxy in simple.GetSources().items() if _was_put(proxy)}
        return [name for name, proxy in put.items() if self.number(proxy) not in filled]

    def _named(self, name: str) -> Any:
        found = simple.FindSource(name)
        if found is None:
            there = {key[0] for key in simple.GetSources()}
            raise Refusal(f"there is no source {name!r} in the pipeline. There is: {listed(sorted(there))}.")
        return found

    def _own(self, name: str) -> Any:
        """The source of that name that was put; none if the name is free."""
        same = [proxy for key, proxy in simple.GetSources().items() if key[0] == name]
        own = [proxy for proxy in same if _was_put(proxy)]
        if same and not own:
            raise Refusal(
                f"{name!r} is a {same[0].GetXMLLabel()} of the pipeline that was not made by pvlink.put. "
                f"Give another name, or delete that one first: Delete(FindSource({name!r}))."
            )
        return own[0] if own else None


def _notes() -> Iterator[str]:
    """On the sources of all connections: while one is on a server, those of this process itself wait."""
    for connection in servermanager.Connections:
        # ParaView's iterator in Python knows the active connection only.
        one = servermanager.vtkSMProxyIterator()
        one.SetSession(connection.Session)
        one.SetModeToOneGroup()
        one.Begin("sources")
        while not one.IsAtEnd():
            if one.GetProxy().HasAnnotation(NOTE):
                yield str(one.GetProxy().GetAnnotation(NOTE))
            one.Next()


def _note(proxy: Any) -> str:
    smproxy = proxy.SMProxy
    return str(smproxy.GetAnnotation(NOTE)) if smproxy.HasAnnotation(NOTE) else ""


def _number(note: str) -> int | None:
    # Zero: of no file in memory.
    return int(note) or None if note.isdigit() else None


def _was_put(proxy: Any) -> bool:
    return bool(_note(proxy))


def _updated(proxy: Any) -> None:
    # Whoever consumes it is out of date, too.
    proxy.SMProxy.MarkModified(proxy.SMProxy)
    proxy.SMProxy.UpdatePipeline()
