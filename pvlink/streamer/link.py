"""The door to wslink and aiohttp: viewers on one side, typed messages on the other.

wslink brings the handshake, the chunks and the names of the messages. What it lacks is built around it here, each
found by experiment with 2.6.0: one lock held across all sends (a stalled viewer froze the others), unbounded tasks per
publish, message sizes up to 4 GB, tracebacks sent to viewers, `application.exit` open to all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol
from uuid import uuid4

import msgspec
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web
from msgspec import Struct
from wslink.backends.aiohttp import AioHttpWsHandler, WebAppServer
from wslink.chunking import HEADER_LENGTH, generate_chunks
from wslink.protocol import AUTHENTICATION_ERROR, EXCEPTION_ERROR, METHOD_NOT_FOUND
from wslink.websocket import ServerProtocol

from pvlink import rendezvous
from pvlink.protocol import MAX_MESSAGE_BYTES, METHODS, Frame, ViewState
from pvlink.streamer.outbox import Outbox

HEARTBEAT_SECONDS = 20.0
# What wslink's client sends in one chunk, and what we do: aiohttp's and tornado's readers hold one in memory.
CHUNK_BYTES = 4 << 20
# Room for a hello, no more, before we know who it is.
HELLO_BYTES = 4096
# Messages begun and not ended; each may claim MAX_MESSAGE_BYTES.
MAX_UNFINISHED = 4
# How long a goodbye may take.
FAREWELL_SECONDS = 0.5

log = logging.getLogger(__name__)


class Refused(Exception):
    """What the viewer asked is not possible; the sentence is for its user."""


class Receiver(Protocol):
    """Who gets what viewers say. Every method returns at once."""

    def on_call(self, client: str, argument: Struct) -> Struct | None: ...
    def on_written(self, client: str, milliseconds: float) -> None: ...
    def on_closed(self, client: str) -> None: ...


@dataclass(slots=True)
class Peer:
    """One viewer's connection."""

    ws: web.WebSocketResponse
    transport: asyncio.Transport
    outbox: Outbox = field(default_factory=Outbox)


class _Handler(AioHttpWsHandler):
    """wslink's connection handler, with one writer per viewer and nothing but our methods."""

    def __init__(self, protocol: ServerProtocol, web_app: WebAppServer, receiver: Receiver) -> None:
        super().__init__(protocol, web_app)
        self.receiver = receiver
        self.peers: dict[str, Peer] = {}
        # wslink's own table holds application.exit and whatever a later version adds.
        self.functionMap = dict.fromkeys(METHODS)

    async def handleWsRequest(self, request: web.Request) -> web.WebSocketResponse:  # noqa: N802 - wslink's name
        transport = request.transport
        if transport is None or not _is_ours(transport):
            raise web.HTTPForbidden(text="Only the user who started this session may connect.")
        ws = web.WebSocketResponse(
            max_msg_size=MAX_MESSAGE_BYTES + HEADER_LENGTH, heartbeat=HEARTBEAT_SECONDS, compress=False, timeout=1.0
        )
        await ws.prepare(request)
        client = uuid4().hex[:12]
        self.connections[client] = ws
        self.peers[client] = peer = Peer(ws, transport)
        await self.onConnect(request, client)
        self.unchunkers[client].set_max_message_size(HELLO_BYTES)
        writer = asyncio.create_task(self._write(client, peer))
        log.info("viewer %s connected", client)
        try:
            async for message in ws:
                if not await self._received(message, client):
                    await ws.close(code=WSCloseCode.PROTOCOL_ERROR, message=b"not a pvlink viewer")
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self.receiver.on_closed(client)
            await self.onClose(client)
            del self.connections[client], self.peers[client]
            self.authentified_client_ids.discard(client)
            log.info("viewer %s left", client)
        return ws

    async def _received(self, message: WSMessage, client: str) -> bool:
        """Takes one websocket message; False if it is none of ours."""
        unchunker = self.unchunkers[client]
        if message.type is not WSMsgType.BINARY or len(message.data) < HEADER_LENGTH:
            return False
        try:
            complete = unchunker.process_chunk(message.data)
        except Exception as error:  # noqa: BLE001 - whatever wslink and msgpack make of garbage, it is garbage
            log.warning("viewer %s sent garbage: %s", client, type(error).__name__)
            return False
        if complete is None:
            return len(unchunker.pending_messages) <= MAX_UNFINISHED
        if not isinstance(complete, dict):
            return False
        name, method = complete.get("id"), complete.get("method")
        if not (isinstance(name, str) and isinstance(method, str) and len(name) <= 256):
            return False
        await self.onCompleteMessage(complete, client)
        return True

    async def onCompleteMessage(self, rpc: dict[str, Any], client_id: str) -> None:  # noqa: N802 - wslink's name
        name, method = rpc["id"], rpc["method"]
        arguments = rpc.get("args")
        if await self.handleSystemMessage(name, method, arguments, client_id):
            return
        if not self.isClientAuthenticated(client_id):
            self._fail(client_id, name, AUTHENTICATION_ERROR, "Say hello first.")
            return
        if method not in self.functionMap:
            self._fail(client_id, name, METHOD_NOT_FOUND, "There is no such method.")
            return
        try:
            if not isinstance(arguments, list) or len(arguments) != 1:
                raise Refused(f"{method} takes one argument.")
            argument = msgspec.convert(arguments[0], METHODS[method][0], strict=True)
            self._reply(client_id, name, self.receiver.on_call(client_id, argument))
        except Refused as refusal:
            self._fail(client_id, name, EXCEPTION_ERROR, str(refusal))
        except Exception as error:
            number = secrets.token_hex(4)
            if isinstance(error, msgspec.ValidationError):
                log.warning("error %s: %s of viewer %s is not what it should be: %s", number, method, client_id, error)
            else:
                log.exception("error %s: %s of viewer %s failed", number, method, client_id)
            sentence = f"{method} failed; the streamer's log has it as error {number}."
            self._fail(client_id, name, EXCEPTION_ERROR, sentence)

    async def handleSystemMessage(self, rpcid: str, methodName: str, args: object, client_id: str) -> bool:  # noqa: N802, N803
        if rpcid.split(":")[0] != "system":
            return False
        if methodName != "wslink.hello":
            self._fail(client_id, rpcid, METHOD_NOT_FOUND, "There is no such method.")
        else:
            # The socket is ours, in a directory only we can enter, and SO_PEERCRED said that the peer is us: the
            # Jupyter server, which has let its user in. There is nothing left for a secret to prove here.
            self.authentified_client_ids.add(client_id)
            self.unchunkers[client_id].set_max_message_size(MAX_MESSAGE_BYTES)
            self._reply(client_id, rpcid, {"clientID": f"c{client_id}", "maxMsgSize": MAX_MESSAGE_BYTES})
        return True

    # Whatever wslink itself wants to send goes the same way.

    async def sendWrappedMessage(  # noqa: N802 - wslink's name
        self, rpcid: str, content: object, method: str = "", client_id: str | None = None, **_: object
    ) -> None:
        for client in [client_id] if client_id else list(self.peers):
            self._reply(client, rpcid, content)

    async def sendWrappedError(  # noqa: N802 - wslink's name
        self, rpcid: str, code: int, message: str, data: object = None, client_id: str | None = None
    ) -> None:
        for client in [client_id] if client_id else list(self.peers):
            self._fail(client, rpcid, code, message)

    def _reply(self, client: str, name: str, result: object) -> None:
        self._queue(client, packed(name, result))

    def _fail(self, client: str, name: str, code: int, message: str) -> None:
        error = {"code": code, "message": message}
        self._queue(client, msgspec.msgpack.encode({"wslink": "1.0", "id": name, "error": error}))

    def _queue(self, client: str, message: bytes) -> None:
        if (peer := self.peers.get(client)) is None:
            return
        if not peer.outbox.reply(message):
            log.warning("viewer %s asks and does not read; it is cut off", client)
            peer.transport.abort()

    async def _write(self, client: str, peer: Peer) -> None:
        """Sends one message after the other, as fast as this viewer takes them; nobody else waits for it."""
        try:
            while True:
                message, is_frame = await peer.outbox.next()
                began = time.perf_counter()
                for chunk in generate_chunks(message, CHUNK_BYTES):
                    await peer.ws.send_bytes(chunk)
                if is_frame:
                    self.receiver.on_written(client, (time.perf_counter() - began) * 1e3)
        except ConnectionError:
            log.info("viewer %s closed while we wrote", client)
        except Exception:
            log.exception("the writer of viewer %s failed", client)
        peer.transport.abort()


def packed(name: str, result: object) -> bytes:
    return msgspec.msgpack.encode({"wslink": "1.0", "id": name, "result": result})


def _is_ours(transport: asyncio.Transport) -> bool:
    sock = transport.get_extra_info("socket")
    return sock is not None and sock.family == socket.AF_UNIX and rendezvous.peer_uid(sock) == os.getuid()


class Link(WebAppServer):
    """The websocket server of a session, on its unix socket."""

    def __init__(self, receiver: Receiver) -> None:
        super().__init__({"handle_signals": False, "ws_compress": False})
        self._handler = _Handler(ServerProtocol(), self, receiver)
        self._numbers = count(1)
        self.app.add_routes([web.get("/ws", self._handler.handleWsRequest)])

    async def listen(self, listener: socket.socket) -> None:
        self._runner = web.AppRunner(self.app, handle_signals=False, access_log=None, shutdown_timeout=FAREWELL_SECONDS)
        await self._runner.setup()
        # A socket that listens already: aiohttp's UnixSite would bind the final name before it listens.
        await web.SockSite(self._runner, listener).start()

    def send_frame(self, client: str, frame: Frame) -> None:
        """To a viewer whose former frame is written; the receiver hears when this one is."""
        if peer := self._handler.peers.get(client):
            peer.outbox.frame(packed(f"publish:pvlink.frame:{next(self._numbers)}", frame))

    def send_state(self, client: str, state: ViewState) -> None:
        """Replaces a state that this viewer has not taken yet."""
        if peer := self._handler.peers.get(client):
            peer.outbox.state(packed(f"publish:pvlink.state:{next(self._numbers)}", state))

    async def close(self) -> None:
        """Says goodbye, then cuts whoever does not listen. Bounded by two FAREWELL_SECONDS."""
        peers = list(self._handler.peers.values())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                goodbye = (peer.ws.close(code=WSCloseCode.GOING_AWAY, message=b"the session ended") for peer in peers)
                await asyncio.gather(*(self._flush(peer) for peer in peers))
                await asyncio.gather(*goodbye, return_exceptions=True)
        for peer in peers:
            peer.transport.abort()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _flush(self, peer: Peer) -> None:
        # A poll, for the last half second of a session only.
        while peer.outbox.has_words:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
