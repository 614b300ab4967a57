"""The door to wslink and aiohttp: viewers on one side, typed messages on the other.

wslink brings the handshake, the chunks and the names of the messages. What it lacks is built around it here, each
found by experiment with 2.6.0: one lock held across all sends (a stalled viewer froze the others), unbounded tasks per
publish, message sizes up to 4 GB, tracebacks sent to viewers, `application.exit` open to all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

import msgspec
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web
from msgspec import Struct
from wslink.backends.aiohttp import AioHttpWsHandler
from wslink.chunking import HEADER_LENGTH, generate_chunks
from wslink.protocol import AUTHENTICATION_ERROR, EXCEPTION_ERROR, METHOD_NOT_FOUND

from pvlink.protocol import (
    CLOSE_DENIED,
    CLOSE_FULL,
    CLOSE_REVOKED,
    MAX_MESSAGE_BYTES,
    METHODS,
    PROTOCOL_VERSION,
    TOPICS,
    Frame,
    Greet,
    Greeted,
    Input,
    Way,
)
from pvlink.streamer.limits import EVENTS_PER_SECOND, MAX_VIEWERS, MESSAGES_PER_SECOND, Allowance
from pvlink.streamer.outbox import Outbox
from pvlink.streamer.receiver import Receiver, Refused
from pvlink.streamer.tickets import Ticket, nonce, proof, proves
from pvlink.version import __version__

# A frame goes out in pieces: each is a sign of life on a slow line (a second at 1 Mbit/s), and words go in between.
CHUNK_BYTES = 128 << 10
# Room for a hello, no more, before we know who it is.
HELLO_BYTES = 4096
DENIED = b"This page was not let in: its ticket is used, too old or wrong."
# Messages begun and not ended; each may claim MAX_MESSAGE_BYTES.
MAX_UNFINISHED = 4
# How long a goodbye may take.
FAREWELL_SECONDS = 0.5

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Peer:
    """One viewer's connection."""

    ws: web.WebSocketResponse
    transport: asyncio.Transport
    way: Way
    # Called once it has shown who it is.
    let_in: Callable[[], None]
    messages: Allowance
    events: Allowance
    outbox: Outbox = field(default_factory=Outbox)
    # Its ticket and what it must show for it; none before its greeting.
    ticket: Ticket | None = None
    expected: str = ""
    # When our greeting went out, and how long the viewer's answer took: both are tiny.
    greeted_at: float = 0.0
    round_trip: float = 0.0


class _Handler(AioHttpWsHandler):
    """wslink's connection handler, with one writer per viewer and nothing but our methods."""

    def __init__(self, receiver: Receiver) -> None:
        # No server protocol of wslink's: its table would hold application.exit and whatever a later version adds.
        super().__init__(_NoProtocol())
        self.receiver = receiver
        self.peers: dict[str, Peer] = {}
        self.functionMap = dict.fromkeys(METHODS)

    async def visit(
        self, request: web.Request, way: Way, let_in: Callable[[], None], heartbeat: float | None
    ) -> web.WebSocketResponse:
        """One viewer, from its handshake to its end."""
        transport = request.transport
        if transport is None:
            raise web.HTTPServiceUnavailable
        ws = web.WebSocketResponse(
            max_msg_size=MAX_MESSAGE_BYTES + HEADER_LENGTH, heartbeat=heartbeat, compress=False, timeout=1.0
        )
        await ws.prepare(request)
        client = uuid4().hex[:12]
        now = time.monotonic()
        self.connections[client] = ws
        self.peers[client] = peer = Peer(
            ws, transport, way, let_in, Allowance(MESSAGES_PER_SECOND, now), Allowance(EVENTS_PER_SECOND, now)
        )
        await self.onConnect(request, client)
        self.unchunkers[client].set_max_message_size(HELLO_BYTES)
        writer = asyncio.create_task(self._write(client, peer))
        log.info("viewer %s connected", client)
        try:
            async for message in ws:
                if peer.ticket is None:
                    await self._greeted(peer, message)
                elif not await self._received(message, client):
                    known = self.isClientAuthenticated(client)
                    code, why = (
                        (WSCloseCode.PROTOCOL_ERROR, b"not a viewer of pvlink's") if known else (CLOSE_DENIED, DENIED)
                    )
                    await ws.close(code=code, message=why)
                # Whoever says too much is read more slowly: nothing is dropped, and nobody else waits.
                if wait := peer.messages.take(1, time.monotonic()):
                    await asyncio.sleep(wait)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self.receiver.on_closed(client)
            await self.onClose(client)
            del self.connections[client], self.peers[client]
            self.authentified_client_ids.discard(client)
            log.info("viewer %s left", client)
        return ws

    async def _greeted(self, peer: Peer, message: WSMessage) -> None:
        """The viewer's first message: its ticket is used up, and we prove ourselves before it has to."""
        ticket = None
        if message.type is WSMsgType.TEXT and len(message.data) <= HELLO_BYTES:
            with contextlib.suppress(ValueError):
                greet = msgspec.json.decode(message.data, type=Greet)
                ticket = self.receiver.redeem(greet.ticket, peer.way)
        if ticket is None:
            await peer.ws.close(code=CLOSE_DENIED, message=DENIED)
            return
        ours = nonce()
        peer.ticket = ticket
        peer.expected = proof("viewer", ticket, greet.nonce, ours)
        shown = proof("streamer", ticket, greet.nonce, ours)
        answer = Greeted(PROTOCOL_VERSION, __version__, ours, shown)
        peer.greeted_at = time.monotonic()
        await peer.ws.send_str(msgspec.json.encode(answer).decode())

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
            if isinstance(argument, Input):
                await self._spend(client_id, len(argument.events))
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
        peer = self.peers[client_id]
        secret = args[0].get("secret") if isinstance(args, list) and args and isinstance(args[0], dict) else None
        if methodName != "wslink.hello" or self.isClientAuthenticated(client_id):
            self._fail(client_id, rpcid, METHOD_NOT_FOUND, "There is no such method.")
        elif peer.ticket is None or not proves(secret, peer.expected):
            log.warning("viewer %s could not prove that the ticket is its own", client_id)
            await peer.ws.close(code=CLOSE_DENIED, message=DENIED)
        elif len(self.authentified_client_ids) >= MAX_VIEWERS:
            await peer.ws.close(code=CLOSE_FULL, message=b"This session has as many viewers as it takes. Close some.")
        elif not self.receiver.on_entered(client_id, peer.ticket.guest):
            await peer.ws.close(code=CLOSE_REVOKED, message=b"This link has ended.")
        else:
            peer.round_trip = time.monotonic() - peer.greeted_at
            peer.let_in()
            self.authentified_client_ids.add(client_id)
            self.unchunkers[client_id].set_max_message_size(MAX_MESSAGE_BYTES)
            self._reply(client_id, rpcid, {"clientID": f"c{client_id}", "maxMsgSize": MAX_MESSAGE_BYTES})
        return True

    async def _spend(self, client: str, events: int) -> None:
        if wait := self.peers[client].events.take(events, time.monotonic()):
            await asyncio.sleep(wait)

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
                    # A word must not wait for a picture that takes its time.
                    while is_frame and (word := peer.outbox.word()) is not None:
                        for piece in generate_chunks(word, CHUNK_BYTES):
                            await peer.ws.send_bytes(piece)
                if is_frame:
                    self.receiver.on_written(client, (time.perf_counter() - began) * 1e3)
        except ConnectionError:
            log.info("viewer %s closed while we wrote", client)
        except Exception:
            log.exception("the writer of viewer %s failed", client)
        peer.transport.abort()


def packed(name: str, result: object) -> bytes:
    return msgspec.msgpack.encode({"wslink": "1.0", "id": name, "result": result})


class _NoProtocol:
    """Where wslink would find the methods of an application; ours are in METHODS."""

    network_monitor = None
    log_emitter = None

    def getLinkProtocols(self) -> list[object]:  # noqa: N802 - wslink's name
        return []

    def init(self, *_: object) -> None: ...


class Link:
    """All viewers of a session, through whichever door they came."""

    def __init__(self, receiver: Receiver) -> None:
        self._handler = _Handler(receiver)
        self._numbers = count(1)

    async def visit(
        self, request: web.Request, way: Way, let_in: Callable[[], None], heartbeat: float | None = None
    ) -> web.WebSocketResponse:
        return await self._handler.visit(request, way, let_in, heartbeat)

    def round_trip(self, client: str) -> float:
        """Seconds from a word of ours to the viewer's answer, with nothing else on the way."""
        peer = self._handler.peers.get(client)
        return 0.0 if peer is None else peer.round_trip

    def send_frame(self, client: str, frame: Frame) -> None:
        """To a viewer whose former frame is written; the receiver hears when this one is."""
        if peer := self._handler.peers.get(client):
            peer.outbox.frame(packed(f"publish:pvlink.frame:{next(self._numbers)}", frame))

    def send_news(self, client: str, news: Struct) -> None:
        """A state or the people: replaces one of its kind that this viewer has not taken yet."""
        if peer := self._handler.peers.get(client):
            topic = _TOPIC_OF[type(news)]
            peer.outbox.news(topic, packed(f"publish:{topic}:{next(self._numbers)}", news))

    async def dismiss(self, client: str, code: int, reason: str) -> None:
        """Ends one viewer's connection, and says why."""
        if peer := self._handler.peers.get(client):
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await peer.ws.close(code=code, message=reason.encode())
            # Not at once: the reason must get to whoever still reads. Who does not is cut.
            asyncio.get_running_loop().call_later(FAREWELL_SECONDS, peer.transport.abort)

    async def close(self) -> None:
        """Says goodbye, then cuts whoever does not listen. Bounded by FAREWELL_SECONDS."""
        peers = list(self._handler.peers.values())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                goodbye = (peer.ws.close(code=WSCloseCode.GOING_AWAY, message=b"the session ended") for peer in peers)
                await asyncio.gather(*(self._flush(peer) for peer in peers))
                await asyncio.gather(*goodbye, return_exceptions=True)
        for peer in peers:
            peer.transport.abort()

    async def _flush(self, peer: Peer) -> None:
        # A poll, for the last half second of a session only.
        while peer.outbox.has_words:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


_TOPIC_OF = {message: topic for topic, message in TOPICS.items()}
