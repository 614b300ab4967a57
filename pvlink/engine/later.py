"""Functions of the kernel, called without waiting for it.

A kernel may be busy for hours. An observer that waited for its answer would stop every render until then, so a call is
sent and not waited for; while one is under way only the newest of those that follow is kept.
"""

from __future__ import annotations

from typing import Any

from pvlink.engine.rpc import call_later


class Later:
    """Stands for a function of the kernel: takes any call at once and returns None."""

    def __init__(self, reference: Any) -> None:
        self._reference = reference
        self._under_way = False
        self._next: tuple[Any, ...] | None = None

    def __call__(self, *args: Any) -> None:
        if self._under_way:
            self._next = args
        else:
            self._under_way = True
            call_later(self._reference, args, self._done)

    def _done(self, _failed: bool, _result: Any) -> None:
        # A failure has been shown by the kernel, where its trace means something.
        self._under_way = False
        if self._next is not None:
            args, self._next = self._next, None
            self(*args)
