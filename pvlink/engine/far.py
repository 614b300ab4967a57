"""A ParaView whose data is on a server of its own."""

from __future__ import annotations

from typing import Any

from paraview import servermanager

from pvlink.engine.refusal import Refusal


def is_far() -> bool:
    """Whether the active connection leads to a server."""
    return servermanager.ActiveConnection is not None and bool(servermanager.ActiveConnection.IsRemote())


def put(proxy: Any, name: str, data: Any) -> Any:
    raise Refusal("the data is to be on a server")
