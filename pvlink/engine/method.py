"""A method of a ParaView proxy that may be kept."""

from __future__ import annotations

from typing import Any


class FreshMethod:
    """A method of a ParaView proxy that is looked up anew at each call.

    ParaView's `Proxy.__getattr__` keeps the last name it was asked for in the proxy, so that a bound method kept
    over a second look-up calls the second one's target.
    """

    def __init__(self, owner: Any, name: str) -> None:
        self._owner = owner
        self.__name__ = name
        self.__doc__ = getattr(owner.SMProxy, name).__doc__

    def __call__(self, *args: Any) -> Any:
        return getattr(self._owner, self.__name__)(*args)
