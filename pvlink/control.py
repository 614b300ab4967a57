"""The kernel's end of a control wire, to a streamer or an outpost: short questions, answered in order."""

from __future__ import annotations

import itertools
import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

from pvlink.errors import PvlinkError
from pvlink.interrupt import Interrupt

_HEAD = struct.Struct("<II")
# The streamer never blocks; only an answer that waits for a picture takes longer, and says so itself.
PATIENCE = 5.0


class Control:
    """Asks the streamer. One question at a time; a cell interrupted meanwhile is interrupted right after."""

    def __init__(self, sock: socket.socket, lost: Callable[[], PvlinkError]) -> None:
        """`lost` makes the exception to raise when nobody answers."""
        self._socket = sock
        self._lost = lost
        self._turn = threading.Lock()
        self._interrupt = Interrupt()
        self._numbers = itertools.count(1)

    def ask(
        self,
        op: str,
        *,
        fd: int | None = None,
        blob: bytes = b"",
        patience: float = PATIENCE,
        meanwhile: Callable[[], None] | None = None,
        **facts: Any,
    ) -> tuple[dict[str, Any], bytes]:
        """The answer and its blob. Raises what `lost` makes when there is nobody, ValueError when the answer is no.

        `meanwhile` is called again and again until the answer begins to come.
        """
        with self._turn, self._interrupt:
            try:
                question = {"id": next(self._numbers), "op": op, **facts}
                answer, blob = self._exchange(question, fd, blob, patience, meanwhile)
            except (OSError, EOFError) as error:
                raise self._lost() from error
        if not answer.get("ok"):
            raise ValueError(answer.get("error", f"the streamer refused {op!r}"))
        return answer, blob

    def _exchange(
        self,
        question: dict[str, Any],
        fd: int | None,
        blob: bytes,
        patience: float,
        meanwhile: Callable[[], None] | None,
    ) -> tuple[dict[str, Any], bytes]:
        self._socket.settimeout(patience)
        text = json.dumps(question).encode()
        packet = _HEAD.pack(len(text), len(blob)) + text + blob
        if fd is None:
            self._socket.sendall(packet)
        else:
            sent = socket.send_fds(self._socket, [packet], [fd])
            self._socket.sendall(packet[sent:])
        deadline = time.monotonic() + patience
        while True:
            while meanwhile is not None and not select.select([self._socket], [], [], 0.0)[0]:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"no answer within {patience:g} s")
                meanwhile()
            answer, blob = self._answer()
            # An answer to a question given up on may still come.
            if answer.get("id") == question["id"]:
                return answer, blob

    def _answer(self) -> tuple[dict[str, Any], bytes]:
        lengths = _HEAD.unpack(self._read(_HEAD.size))
        answer = json.loads(self._read(lengths[0]))
        return answer, self._read(lengths[1])

    def _read(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = self._socket.recv(size - len(parts))
            if not part:
                raise EOFError("it has closed the connection")
            parts += part
        return bytes(parts)

    def fileno(self) -> int:
        return self._socket.fileno()

    def serve_idle(self) -> bool:
        """Whether the streamer is still there. Drops what nobody waits for: answers that were given up on."""
        if not self._turn.acquire(blocking=False):
            return True
        try:
            # What has woken us may be an answer that another thread has taken meanwhile. With a time-out set, Python
            # itself would wait for another one, whatever the flags say.
            self._socket.settimeout(0.0)
            if not self._socket.recv(1, socket.MSG_PEEK):
                return False
            self._socket.settimeout(PATIENCE)
            self._answer()
        except BlockingIOError:
            return True
        except (OSError, EOFError):
            return False
        else:
            return True
        finally:
            self._turn.release()

    def close(self) -> None:
        self._socket.close()
        self._interrupt.close()
