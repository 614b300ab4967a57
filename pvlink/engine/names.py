"""What the views of ParaView are called on the wire: no name is ever given twice in a session."""

from __future__ import annotations

from typing import Any

from paraview import servermanager

# Between the number of a server's connection and that of a view there.
_FAR = "s"


class Names:
    """Views are numbered within each of ParaView's connections; a view that comes back keeps the name it had."""

    def __init__(self, prefix: str = "") -> None:
        """`prefix`: what names begin with, so that no other engine or kind of this session has them."""
        self._prefix = prefix
        self._home = _connection(servermanager.ActiveConnection.Session)
        # Names of views that came back, by the connection and the number they have now.
        self._given: dict[tuple[int, int], str] = {}

    def of(self, view: Any) -> str:
        smproxy = view.SMProxy
        key = _connection(smproxy.GetSession()), int(smproxy.GetGlobalID())
        far = "" if key[0] == self._home else f"{_FAR}{key[0]}-"
        return self._given.get(key, f"{self._prefix}{far}{key[1]}")

    def give(self, view: Any, name: str) -> None:
        smproxy = view.SMProxy
        self._given[_connection(smproxy.GetSession()), int(smproxy.GetGlobalID())] = name


def is_far(name: str) -> bool:
    """Whether the view of that name is, or was, on a server."""
    return _FAR in name


def _connection(session: Any) -> int:
    return int(servermanager.vtkProcessModule.GetProcessModule().GetSessionID(session))
