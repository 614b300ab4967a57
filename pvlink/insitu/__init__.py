"""The simulation's side: what a running code shows of itself, and what may be changed in it.

Runs in the simulation's own Python, with its ParaView, numpy and the standard library alone: nothing else of pvlink's
is imported here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pvlink.insitu.bridge import Bridge

__all__ = ["Bridge"]


def __getattr__(name: str) -> Any:
    """On first use: what is pure in here is also read where there is no ParaView."""
    if name == "Bridge":
        from pvlink.insitu.bridge import Bridge

        return Bridge
    raise AttributeError(f"module 'pvlink.insitu' has no attribute {name!r}")
