"""The streamer's end of the wire to the engine. Never blocks, whatever the engine is busy with."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from functools import partial
from typing import Protocol

import msgspec
from msgspec import Struct

from pvlink.streamer.frames import FrameFacts, Pools, Shot
from pvlink.streamer.inputs import ViewInput
from pvlink.streamer.pins import Pins

MAX_PACKET = 1 << 16
log = logging.getLogger(__name__)


class Hello(Struct, tag_field="op", tag="hello"):
    pid: int
    # "ParaView 5.11.0", for the log, and "paraview" or "vtk", for what viewers are told.
    name: str = ""
    kind: str = "paraview"


class ViewMade(Struct, tag_field="op", tag="view"):
    view: str


class ViewGone(Struct, tag_field="op", tag="gone"):
    view: str
    message: str = ""


class PoolMade(Struct, tag_field="op", tag="pool"):
    view: str
    pool: int
    width: int
    height: int
    slots: int


class Ready(Struct, tag_field="op", tag="ready"):
    pass


class Busy(Struct, tag_field="op", tag="busy"):
    message: str = ""
    progress: float | None = None
    # Only if it lasts for so many seconds.
    after: float = 0.0


class Idle(Struct, tag_field="op", tag="idle"):
    pass


class Live(Struct, tag_field="op", tag="live"):
    """ParaView waits for a simulation at this port; at 0 no more."""

    port: int
    processes: int = 1
    # It is the server that waits there, and not ParaView's own process.
    server: bool = False


class Next(Struct, tag_field="op", tag="next"):
    """It takes another step of the simulation: these of its sources; `ask`: something was changed."""

    wanted: list[str]
    ask: bool = False


Packet = Hello | ViewMade | ViewGone | PoolMade | FrameFacts | Ready | Busy | Idle | Live | Next
_decoder = msgspec.json.Decoder(Packet)


class Listener(Protocol):
    """Who hears what the engine says."""

    def on_packet(self, packet: Packet) -> None: ...
    def on_shot(self, shot: Shot) -> None: ...
    def on_engine_lost(self, port: EnginePort) -> None: ...


class EnginePort:
    """One engine, until its end of file."""

    def __init__(self, sock: socket.socket, listener: Listener) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._listener = listener
        self._pools = Pools()
        self._loop = asyncio.get_running_loop()
        # What the engine has not taken yet, newest per subject: at most one watch and one want a view, one free a
        # slot, one input (there is one a `ready`). So it is bounded by itself and nothing is dropped.
        self._unsent: dict[tuple[object, ...], bytes] = {}
        self.open = True
        self._loop.add_reader(sock, self._read)

    def watch(self, view: str, width: int, height: int, pins: Pins) -> None:
        wish = {"width": width, "height": height, "rate": pins.rate, "scale": pins.scale}
        self._send(("watch", view), {"op": "watch", "view": view, **wish})

    def unwatch(self, view: str) -> None:
        self._send(("watch", view), {"op": "unwatch", "view": view})

    def want(self, view: str) -> None:
        self._send(("want", view), {"op": "want", "view": view})

    def input(self, views: list[ViewInput]) -> None:
        self._send(("input",), {"op": "input", "views": views})

    def tell(self, message: dict[str, object]) -> None:
        """What has no subject of its own among these; the newest of its kind."""
        self._send((message["op"],), message)

    def close(self) -> None:
        if self.open:
            self.open = False
            self._unsent.clear()
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()

    def _free(self, facts: FrameFacts) -> None:
        key = ("free", facts.view, facts.pool, facts.slot)
        self._send(key, {"op": "free", "view": facts.view, "pool": facts.pool, "slot": facts.slot})

    def _send(self, key: tuple[object, ...], message: dict[str, object]) -> None:
        if not self.open:
            return
        # The newest of a subject goes to the end: an unwatch must not overtake the watch that replaced it.
        self._unsent.pop(key, None)
        self._unsent[key] = msgspec.json.encode(message)
        self._write()

    def _write(self) -> None:
        while self._unsent:
            key = next(iter(self._unsent))
            try:
                self._socket.send(self._unsent[key])
            except BlockingIOError:
                self._loop.add_writer(self._socket, self._write)
                return
            except OSError as error:
                # The reader sees the end of file, after the packets that are still there.
                log.info("the engine takes nothing more: %s", error)
                self._unsent.clear()
                break
            del self._unsent[key]
        self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        # A bound, so that an engine that never stops talking cannot keep viewers waiting.
        for _ in range(64):
            try:
                data, fds, _, _ = socket.recv_fds(self._socket, MAX_PACKET, 4)
            except BlockingIOError:
                return
            except OSError as error:
                log.info("the engine's socket failed: %s", error)
                data, fds = b"", []
            if not data:
                self.close()
                self._listener.on_engine_lost(self)
                return
            self._take(data, fds)
            if not self.open:
                return

    def _take(self, data: bytes, fds: list[int]) -> None:
        try:
            packet = _decoder.decode(data)
            if isinstance(packet, PoolMade):
                if not fds:
                    log.error("the engine announced a pool without its memory")
                    return
                self._pools.open(packet.view, packet.pool, packet.width, packet.height, packet.slots, fds.pop(0))
            elif isinstance(packet, FrameFacts):
                self._listener.on_shot(self._pools.shot(packet, partial(self._free, packet)))
            else:
                if isinstance(packet, ViewGone):
                    self._pools.close(packet.view)
                self._listener.on_packet(packet)
        except (msgspec.DecodeError, ValueError, OSError) as error:
            log.error("the engine sent a packet that makes no sense (%d bytes): %s", len(data), error)
        finally:
            for fd in fds:
                os.close(fd)
