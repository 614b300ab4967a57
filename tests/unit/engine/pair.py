"""A kernel's wire and, in a thread, an engine's end of it without ParaView."""

from __future__ import annotations

import select
import socket
import threading
from typing import Any

from pvlink.engine.later import Later
from pvlink.engine.rpc import Wire, is_function
from pvlink.wire import KernelWire


class EngineEnd(Wire):
    def adopt(self, reference: Any) -> Any:
        return Later(reference) if is_function(reference) else reference


class Lost(Exception):
    """The other end is gone."""


class Pair:
    """`kernel` is used by the test; `desk` is what the thread offers as its root."""

    def __init__(self, desk: Any) -> None:
        ours, theirs = socket.socketpair()
        self.kernel = KernelWire(ours, Lost)
        self.engine = EngineEnd(theirs, desk)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.desk = self.kernel.root

    def _serve(self) -> None:
        poll = select.poll()
        poll.register(self.engine.fileno(), select.POLLIN)
        try:
            while poll.poll():
                self.engine.poll()
        except (EOFError, OSError):
            return

    def close(self) -> None:
        self.kernel.close_quietly()
        self._thread.join(5)
        assert not self._thread.is_alive()
