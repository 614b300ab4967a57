"""Screenshots draw into a view's own window at other sizes and colours: such pictures are not the view."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, Callable

from pvlink.engine.view import LiveView

_CAPTURES = ("SaveScreenshot", "SaveAnimation", "WriteImage", "WriteAnimation", "ExportView", "SaveExtracts")


def guard(simple: Any, views: Callable[[], Iterable[LiveView]]) -> None:
    """Tell the views when such a function runs, so that they neither show nor keep what it draws."""
    for name in _CAPTURES:
        function = getattr(simple, name, None)
        if function is not None:
            setattr(simple, name, _guarded(function, views))


def _guarded(function: Callable[..., Any], views: Callable[[], Iterable[LiveView]]) -> Callable[..., Any]:
    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        for view in views():
            view.capturing = True
        try:
            return function(*args, **kwargs)
        finally:
            for view in views():
                view.capturing = False
                view.pace.rendered = False
                view.pace.changed = True

    return guarded
