"""Two routes, both behind Jupyter's own authentication and authorisation."""

from __future__ import annotations

import json
import socket
from typing import Any

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.iostream import IOStream
from tornado.websocket import WebSocketHandler, WebSocketProtocol

from pvlink import rendezvous
from pvlink.protocol import MAX_MESSAGE_BYTES
from pvlink.server.relay import Relay, StreamerGoneError

# Ours are docs/wire.md's; a browser hands them to the page.
NO_SESSION = 4404
STREAMER_GONE = 4502
# Reverse proxies close what is silent for 60 s (nginx's default).
PING_SECONDS = 20.0
# The machine's own default gives up after 15 minutes.
DEAD_SECONDS = 120
# wslink's 12 byte header in front of each message.
HEADER_BYTES = 12

_SESSION = r"([0-9A-Za-z_-]{1,64})"


class SessionHandler(APIHandler):
    """Tells a session that ended from a network that is away."""

    auth_resource = "pvlink"

    @web.authenticated
    @authorized(action="read", resource="pvlink")
    def get(self, session: str) -> None:
        path = rendezvous.find(session)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"alive": path is not None and rendezvous.answers(path)}))


class SocketHandler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """One viewer's websocket, tied to one of the streamer's."""

    auth_resource = "pvlink"
    _relay: Relay | None = None

    # WebSocketMixin counts in milliseconds, tornado (6.5 on) in seconds: tornado does it here.
    ping_interval = PING_SECONDS
    # tornado would give an answer 20 s at most, and on a slow line a frame before it may take longer.
    ping_timeout = 0.0
    max_message_size = MAX_MESSAGE_BYTES + HEADER_BYTES

    @ws_authenticated
    @authorized(action="execute", resource="pvlink")
    async def get(self, *args: str, **kwargs: str) -> None:
        # check_origin follows in there, before the handshake is answered.
        await super().get(*args, **kwargs)

    def get_compression_options(self) -> dict[str, Any] | None:
        """None: pictures are compressed already, and deflate costs 8 ms per 300 KB."""
        return None

    async def open(self, session: str) -> None:
        # Not WebSocketMixin's: it would start a second ping.
        self.set_nodelay(True)
        self._end_with_a_dead_line()
        path = rendezvous.find(session)
        if path is None or not rendezvous.answers(path):
            self.close(
                NO_SESSION, "The kernel of this view has ended. The picture is the last one. Run the cells again."
            )
            return
        try:
            self._relay = await Relay.connect(path, self)
        except StreamerGoneError as error:
            self.close(STREAMER_GONE, str(error))

    def _end_with_a_dead_line(self) -> None:
        """A browser that vanished (lid closed, cable out) confirms no bytes, pings among them."""
        stream = self.ws_connection.stream if isinstance(self.ws_connection, WebSocketProtocol) else None
        if isinstance(stream, IOStream) and stream.socket.family in (socket.AF_INET, socket.AF_INET6):
            stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_SECONDS * 1000)

    async def on_message(self, message: str | bytes) -> None:
        # tornado reads the next message when this one is with the streamer.
        if self._relay is not None:
            await self._relay.send(message)

    def on_streamer_gone(self, reason: str) -> None:
        self.close(STREAMER_GONE, reason)

    def on_close(self) -> None:
        if self._relay is not None:
            self._relay.close()


def handlers(base_url: str) -> list[tuple[str, type[web.RequestHandler]]]:
    return [
        (url_path_join(base_url, "pvlink", _SESSION), SessionHandler),
        (url_path_join(base_url, "pvlink", _SESSION, "ws"), SocketHandler),
    ]
