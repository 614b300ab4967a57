"""Three routes, all behind Jupyter's own authentication and authorisation."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import ensure_async, url_path_join
from tornado import web
from tornado.ioloop import PeriodicCallback
from tornado.iostream import IOStream
from tornado.websocket import WebSocketClosedError, WebSocketHandler, WebSocketProtocol

from pvlink import rendezvous
from pvlink.protocol import CLOSE_GONE, CLOSE_NO_SESSION, MAX_MESSAGE_BYTES
from pvlink.server.relay import Relay, StreamerGoneError, ask_for_ticket
from pvlink.version import __version__

# Anything heard from a viewer is a sign of life; one that sees nothing answers pings at least.
PING_SECONDS = 4.5
# After this silence it is gone. A slow line is not silent: a viewer says something every 5 s, whatever it receives.
SILENCE_SECONDS = 13.0
# Bytes that wait in the machine's own queue before more are taken: so far a ping stands behind a picture.
UNSENT_BYTES = 128 << 10
# What is longer brings a picture; an answer to a sign of life does not.
PICTURE_BYTES = 1 << 10
# wslink's 12 byte header in front of each message.
HEADER_BYTES = 12
# Linux's, which Python does not name (tcp(7)).
TCP_NOTSENT_LOWAT = 25
ENDED = "The kernel of this view has ended. The picture is the last one. Run the cells again."

MAX_VIEW = 64
_SESSION = r"([0-9A-Za-z_-]{1,64})"


class SessionHandler(APIHandler):
    """Tells a session that ended from a network that is away."""

    auth_resource = "pvlink"

    @web.authenticated
    @authorized(action="read", resource="pvlink")
    def get(self, session: str) -> None:
        # A page that has no cookie yet gets one, so that it can ask for a ticket.
        _ = self.xsrf_token
        self.set_header("Content-Type", "application/json")
        # The doctor compares it with the kernel's.
        self.set_header("Pvlink-Version", __version__)
        self.finish(json.dumps({"alive": _alive(session) is not None}))


class TicketHandler(APIHandler):
    """Leave to open one websocket. Who may execute gets the session's role, who may only read may only look."""

    auth_resource = "pvlink"

    @web.authenticated
    @authorized(action="read", resource="pvlink")
    async def post(self, session: str) -> None:
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        try:
            asks = json.loads(self.request.body)
        except (ValueError, RecursionError):
            raise web.HTTPError(400, "This is not JSON.") from None
        view = asks.get("view") if isinstance(asks, dict) else None
        if not isinstance(view, str) or len(view) > MAX_VIEW:
            raise web.HTTPError(400, "Say which view.")
        path = _alive(session)
        if path is None:
            return self._say(404, {"alive": False, "message": ENDED})
        user = self.current_user
        may_execute = await ensure_async(self.authorizer.is_authorized(self, user, "execute", "pvlink"))
        role = "owner" if may_execute else "view"
        who = str(getattr(user, "display_name", "") or getattr(user, "username", ""))[:MAX_VIEW]
        try:
            return self._say(*await ask_for_ticket(path, {"view": view, "role": role, "who": who}))
        except StreamerGoneError as error:
            return self._say(502, {"message": str(error)})

    def _say(self, status: int, said: dict[str, Any]) -> None:
        self.set_status(status)
        self.finish(json.dumps(said))


class SocketHandler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """One viewer's websocket, tied to one of the streamer's."""

    auth_resource = "pvlink"
    _relay: Relay | None = None
    _pulse: PeriodicCallback | None = None
    _heard = 0.0

    # WebSocketMixin's and tornado's own pings wait for a pong, which on a slow line stands behind a picture.
    ping_interval = 0.0
    max_message_size = MAX_MESSAGE_BYTES + HEADER_BYTES

    @ws_authenticated
    @authorized(action="read", resource="pvlink")
    async def get(self, *args: str, **kwargs: str) -> None:
        # Browsers always say where a websocket comes from; Jupyter would let pass who does not.
        if "Origin" not in self.request.headers:
            raise web.HTTPError(403, "A websocket without an Origin is not a page's.")
        # check_origin follows in there, before the handshake is answered.
        await super().get(*args, **kwargs)

    def get_compression_options(self) -> dict[str, Any] | None:
        """None: pictures are compressed already, and deflate costs 8 ms per 300 KB."""
        return None

    async def open(self, session: str) -> None:
        # Not WebSocketMixin's: it would start a second ping.
        self.set_nodelay(True)
        self._bound_what_waits()
        self._heard = time.monotonic()
        self._pulse = PeriodicCallback(self._beat, PING_SECONDS * 1e3)
        self._pulse.start()
        path = _alive(session)
        if path is None:
            self.close(CLOSE_NO_SESSION, ENDED)
            return
        try:
            self._relay = await Relay.connect(path, self)
        except StreamerGoneError as error:
            self.close(CLOSE_GONE, str(error))

    def _bound_what_waits(self) -> None:
        stream = self._stream
        if stream is not None and stream.socket.family in (socket.AF_INET, socket.AF_INET6):
            stream.socket.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES)

    @property
    def _stream(self) -> IOStream | None:
        stream = self.ws_connection.stream if isinstance(self.ws_connection, WebSocketProtocol) else None
        return stream if isinstance(stream, IOStream) else None

    def _beat(self) -> None:
        """A browser that vanished (lid closed, cable out) says nothing more."""
        if time.monotonic() - self._heard > SILENCE_SECONDS:
            if (stream := self._stream) is not None:
                stream.close()
            return
        with contextlib.suppress(WebSocketClosedError):
            self.ping()

    def on_pong(self, data: bytes) -> None:
        self._heard = time.monotonic()

    async def on_message(self, message: str | bytes) -> None:
        self._heard = time.monotonic()
        # tornado reads the next message when this one is with the streamer.
        if self._relay is not None:
            await self._relay.send(message)

    def write_message(self, message: bytes | str | dict[str, Any], binary: bool = False) -> asyncio.Future[None]:
        if isinstance(message, bytes) and len(message) > PICTURE_BYTES:
            # Whoever stops idle servers asks for this. No picture goes to a page that nobody sees.
            self.settings["last_activity_times"]["pvlink"] = datetime.now(UTC)
        return super().write_message(message, binary)

    def on_streamer_gone(self, code: int, reason: str) -> None:
        self.close(code, reason)

    def on_close(self) -> None:
        if self._pulse is not None:
            self._pulse.stop()
        if self._relay is not None:
            self._relay.close()


def _alive(session: str) -> Path | None:
    """The socket of a session that lives. What a streamer that was killed has left is taken away."""
    path = rendezvous.find(session)
    if path is not None and not rendezvous.answers(path):
        rendezvous.sweep()
        return None
    return path


def handlers(base_url: str) -> list[tuple[str, type[web.RequestHandler]]]:
    return [
        (url_path_join(base_url, "pvlink", _SESSION), SessionHandler),
        (url_path_join(base_url, "pvlink", _SESSION, "ticket"), TicketHandler),
        (url_path_join(base_url, "pvlink", _SESSION, "ws"), SocketHandler),
    ]
