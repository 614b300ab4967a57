"""What an engine there prints and writes down, once the news have brought it here."""

from __future__ import annotations

import os
from collections.abc import Callable

from pvlink.output import Output
from pvlink.saved import Saved, State


class FarOutput(Output):
    """What it prints."""

    def __init__(self, drain: Callable[[], None]) -> None:
        super().__init__()
        self._drain = drain

    def show(self) -> None:
        self._drain()
        super().show()

    def skip(self) -> None:
        self._drain()
        super().skip()

    def take(self, error: bool, data: bytes) -> None:
        os.write((self.stderr if error else self.stdout).fd, data)


class FarSaved(Saved):
    """The pipeline as it has last written it down."""

    def __init__(self, drain: Callable[[], None]) -> None:
        super().__init__()
        self._drain = drain
        self._before: State | None = None

    def newest(self) -> State | None:
        self._drain()
        return super().newest() or self._before

    def keep(self) -> None:
        """Another outpost begins to count anew; until it has written something, what there is counts."""
        self._before = super().newest() or self._before
        for which in (0, 1):
            self.take(which, b"")
