"""The viewers that reach nothing but the kernel: the widget's messages carry their websockets to the streamer.

What the kernel says (iopub) any user of the machine may be able to read, what it is told (shell) not: so the browser
throws the name and the key of its ticket and tells them to the kernel, and the handshake goes on as everywhere. While a
cell runs nothing is handed on: the event loop is the cell's.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import weakref
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec
from IPython.core.getipython import get_ipython

from pvlink.channel import ENDED, GONE, Channel
from pvlink.errors import PvlinkError, StreamerLost
from pvlink.protocol import (
    CLOSE_DENIED,
    CLOSE_FULL,
    CLOSE_GONE,
    CLOSE_NO_SESSION,
    MAX_MESSAGE_BYTES,
    CommCall,
    CommNews,
    CommWord,
    Door,
)

# Viewers of one widget: tabs and outputs that show it.
MAX_CHANNELS = 32
# A viewer says something every 5 s; in a page in the background every minute.
TICK_SECONDS = 5.0
SILENT_TICKS = 15
log = logging.getLogger(__name__)


class Streaming(Protocol):
    """What is needed of a session."""

    @property
    def id(self) -> str: ...
    @property
    def stopped(self) -> bool: ...
    def ask(self, op: str, **facts: Any) -> dict[str, Any]: ...


class Switchboard:
    """The viewers of one widget that speak through the kernel."""

    def __init__(self, session: Streaming, view: str, send: Callable[[dict[str, Any], list[bytes]], None]) -> None:
        self._session = session
        self._view = view
        self._send = send
        self._channels: dict[str, Channel] = {}
        self._ticking: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._channels)

    def heard(self, content: object, buffers: Iterable[bytes | memoryview]) -> None:
        """A custom message of the widget's."""
        if not isinstance(content, dict) or "pvlink" not in content:
            return
        try:
            call = msgspec.convert(content, CommCall)
        except msgspec.ValidationError as error:
            log.warning("a message that is no viewer's: %s", error)
            return
        channel = self._channels.get(call.channel)
        if channel is not None:
            channel.heard(call.seq)
        if call.pvlink == "ticket":
            self._admit(call)
        elif call.pvlink == "open" and channel is None:
            self._open(call)
        elif call.pvlink == "close" and channel is not None:
            channel.close()
        elif call.pvlink == "data" and channel is not None:
            self._pass(channel, call, buffers)
        elif call.pvlink == "data":
            self._tell(CommWord("closed", call.channel, call.seq, code=CLOSE_GONE, message=GONE), [])

    def _pass(self, channel: Channel, call: CommCall, buffers: Iterable[bytes | memoryview]) -> None:
        if call.text is not None:
            channel.send(call.text)
        if call.base64 is not None:
            try:
                buffers = [base64.b64decode(each, validate=True) for each in call.base64]
            except ValueError:
                channel.close(CLOSE_DENIED, "This message is no base64.")
                return
        for buffer in buffers:
            if len(buffer) > MAX_MESSAGE_BYTES:
                channel.close(CLOSE_DENIED, "This message is too long.")
                return
            channel.send(bytes(buffer))

    def cell(self, news: CommNews) -> None:
        """A cell begins ("busy") or has ended ("idle")."""
        for channel in self._channels.values():
            channel.say(news)

    def close(self) -> None:
        """The widget is no more."""
        for channel in list(self._channels.values()):
            channel.close(CLOSE_NO_SESSION, ENDED)

    def _admit(self, call: CommCall) -> None:
        if call.ticket is None or call.key is None:
            return
        try:
            said = self._session.ask(
                "ticket", view=self._view, ticket=call.ticket, ticket_key=call.key, direct=call.direct
            )
        except (PvlinkError, ValueError) as error:
            final = self._session.stopped
            lost = isinstance(error, StreamerLost) and not final
            code = CLOSE_GONE if lost else CLOSE_NO_SESSION if final else CLOSE_FULL
            self._tell(
                CommWord("refused", call.channel, call.seq, code=code, message=_first_line(error), final=final), []
            )
            return
        door = None if said["door"] is None else Door(**said["door"])
        self._tell(CommWord("granted", call.channel, call.seq, self._view, said["role"], door), [])

    def _open(self, call: CommCall) -> None:
        if len(self._channels) >= MAX_CHANNELS:
            message = "This output is open in as many pages as can be. Close some."
            self._tell(CommWord("closed", call.channel, call.seq, code=CLOSE_FULL, message=message), [])
            return
        channel = Channel(call.channel, self._session.id, self._tell, self._forget, plain=call.plain)
        self._channels[call.channel] = channel
        channel.heard(call.seq)
        _watch_cells(self)
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        """Counts ticks, not time: while a cell runs nobody is heard, and nobody is to blame."""
        for channel in list(self._channels.values()):
            channel.silent_ticks += 1
            if channel.silent_ticks > SILENT_TICKS:
                channel.close(CLOSE_GONE, "This page was silent for too long.")
        loop = asyncio.get_running_loop()
        self._ticking = loop.call_later(TICK_SECONDS, self._tick) if self._channels else None

    def _forget(self, channel: Channel) -> None:
        if self._channels.get(channel.name) is channel:
            del self._channels[channel.name]

    def _tell(self, word: CommWord, buffers: list[bytes]) -> None:
        self._send(msgspec.to_builtins(word), buffers)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


# Those with viewers, since the first one.
_boards: weakref.WeakSet[Switchboard] = weakref.WeakSet()
_watching = False


def _watch_cells(board: Switchboard) -> None:
    global _watching
    _boards.add(board)
    shell = get_ipython()
    if not _watching and shell is not None:
        shell.events.register("pre_run_cell", lambda _info: _cells("busy"))
        shell.events.register("post_run_cell", lambda _result: _cells("idle"))
        _watching = True


def _cells(news: CommNews) -> None:
    for board in list(_boards):
        board.cell(news)
