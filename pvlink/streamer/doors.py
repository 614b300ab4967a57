"""The doors of a session: the unix socket, for the Jupyter server, and TLS, for shared links and for direct viewers.

All stand behind the same hall of strangers and lead to the same websocket. They differ in who gets a ticket: whoever
Jupyter has let in at the first, whoever knows a link's password at the second; at the third, which gives none, whoever
has one from the kernel. The second is there only while something is shared, the third only where it was asked for.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import re
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Protocol

import msgspec
from aiohttp import web
from msgspec import Struct

from pvlink import rendezvous
from pvlink.protocol import Grant, Name, Role
from pvlink.streamer.doorman import Hall
from pvlink.streamer.limits import MAX_VIEWERS
from pvlink.streamer.link import FAREWELL_SECONDS, Link
from pvlink.streamer.shares import TooFast, UnknownShare, WrongPassword
from pvlink.streamer.tickets import TooManyTickets

# Anything heard from a viewer is a sign of life, and it says something every 5 s; after this silence it is asked, and
# after half as much again it is gone: 13.5 s.
HEARTBEAT_SECONDS = 9.0
# A password or a view's name, no more.
MAX_BODY = 4096
# The page may load its own script, show its own pictures and talk to this door; nothing else, and in nobody's frame.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' blob: data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    # Which versions of what run here is nobody's business.
    "Server": "pvlink",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
ACCEPTED = (
    "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'><title>pvlink</title>"
    "<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui;max-width:30em;margin:4em auto;padding:0 1em}"
    "</style><h1>It works</h1><p>This browser reaches the session and takes its certificate. Close this tab: "
    "the view in the notebook connects by itself.</p>"
)
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9_.-]+))(?::[0-9]{1,5})?")
log = logging.getLogger(__name__)


class JupyterAsks(Struct, forbid_unknown_fields=True):
    """For one of its users; `role` is the most that user may be."""

    view: Name
    role: Role = "owner"
    who: Name = ""


class StrangerAsks(Struct, forbid_unknown_fields=True):
    password: str


class Porter(Protocol):
    """Who gives tickets."""

    def ticket_for_jupyter(self, view: str, role: Role, who: str) -> Grant: ...
    def ticket_for_link(self, share: str, password: str, address: str) -> Grant: ...


def _answer(status: int, **said: object) -> web.Response:
    response = web.json_response(said, status=status, dumps=lambda value: msgspec.json.encode(value).decode())
    response.force_close()
    return response


@web.middleware
async def _strict(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """No answer says more than it must; what went wrong inside goes to the log, under a number."""
    try:
        response = await handler(request)
    except web.HTTPException as answer:
        response = _answer(answer.status, message=answer.text or answer.reason)
    except Exception:
        number = secrets.token_hex(4)
        log.exception("error %s at a door", number)
        response = _answer(500, message=f"This failed; the streamer's log has it as error {number}.")
    if not response.prepared:
        response.headers.update(HEADERS)
        response.force_close()
    return response


async def _body(request: web.Request, kind: type[Struct]) -> Struct:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.MsgspecError, ValueError):
        raise web.HTTPBadRequest(text="This is not a request of pvlink's.") from None


class Door:
    """One listening socket with its routes."""

    def __init__(self, link: Link, routes: list[web.RouteDef], **hall: object) -> None:
        self.app = web.Application(middlewares=[_strict], client_max_size=MAX_BODY)
        self.app.add_routes(routes)
        self._link = link
        self._runner = web.AppRunner(
            self.app,
            handle_signals=False,
            access_log=None,
            shutdown_timeout=FAREWELL_SECONDS,
            # A few packed bytes must not become megabytes.
            auto_decompress=False,
        )
        self._hall_options = hall
        self._hall: Hall | None = None

    async def open(self, listener: socket.socket, context: ssl.SSLContext | None = None) -> None:
        await self._runner.setup()
        server = self._runner.server
        assert server is not None
        self._hall = Hall(server, **self._hall_options)  # type: ignore[arg-type]
        self._hall.open(listener, context)

    @property
    def hall(self) -> Hall:
        assert self._hall is not None
        return self._hall

    async def close(self) -> None:
        """After the viewers have been told: cuts whoever is left."""
        if self._hall is not None:
            await self._hall.close()
        with contextlib.suppress(TimeoutError):
            await self._runner.cleanup()


class JupyterDoor(Door):
    """The unix socket. Only processes of the same user get as far as a byte."""

    def __init__(self, link: Link, porter: Porter) -> None:
        routes = [web.post("/ticket", self._ticket), web.get("/ws", self._ws)]
        super().__init__(link, routes, strangers=MAX_VIEWERS, guard=is_ours)
        self._porter = porter

    async def _ticket(self, request: web.Request) -> web.Response:
        asks = await _body(request, JupyterAsks)
        assert isinstance(asks, JupyterAsks)
        try:
            return _answer(
                200, **msgspec.structs.asdict(self._porter.ticket_for_jupyter(asks.view, asks.role, asks.who))
            )
        except TooManyTickets:
            return _answer(429, message="Too many pages connect at once.", wait=1.0)

    async def _ws(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        transport = request.transport
        return await self._link.visit(request, "jupyter", lambda: self.hall.let_in(transport))


class LinkDoor(Door):
    """TLS, for those who have a link and its password."""

    def __init__(self, link: Link, porter: Porter, names: frozenset[str]) -> None:
        """`names`: the host names under which this door is known, besides plain addresses."""
        routes = [
            web.get("/s/{share}", self._page),
            web.get("/page.js", self._script),
            web.post("/s/{share}/ticket", self._ticket),
            web.get("/ws", self._ws),
        ]
        super().__init__(link, routes)
        self._porter = porter
        self._names = names

    async def _page(self, request: web.Request) -> web.Response:
        return self._file(request, "page.html", "text/html")

    async def _script(self, request: web.Request) -> web.Response:
        return self._file(request, "page.js", "text/javascript")

    async def _ticket(self, request: web.Request) -> web.Response:
        self._same_origin(request)
        asks = await _body(request, StrangerAsks)
        assert isinstance(asks, StrangerAsks)
        try:
            grant = self._porter.ticket_for_link(request.match_info["share"], asks.password, request.remote or "")
        except UnknownShare:
            return _answer(
                404, message="This link does not exist, or no longer: its owner has ended it, or its time is over."
            )
        except WrongPassword:
            return _answer(403, message="This is not the password of this link.")
        except TooFast as refusal:
            return _answer(
                429, message="Somebody has just given a wrong password: one a second is looked at.", wait=refusal.wait
            )
        except TooManyTickets:
            return _answer(429, message="Too many pages of this link connect at once.", wait=1.0)
        return _answer(200, **msgspec.structs.asdict(grant))

    async def _ws(self, request: web.Request) -> web.StreamResponse:
        self._same_origin(request)
        assert request.transport is not None
        transport = request.transport
        return await self._link.visit(request, "link", lambda: self.hall.let_in(transport), HEARTBEAT_SECONDS)

    def _file(self, request: web.Request, name: str, content_type: str) -> web.Response:
        self._known_host(request)
        assert request.transport is not None
        self.hall.answering(request.transport)
        text = files("pvlink").joinpath("static", name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=content_type, charset="utf-8")

    def _known_host(self, request: web.Request) -> None:
        """A name that a stranger's DNS has pointed here would make our page a part of his site."""
        if not known_host(request.headers.get("Host", ""), self._names):
            raise web.HTTPForbidden(text="This session is not known under this name.")

    def _same_origin(self, request: web.Request) -> None:
        self._known_host(request)
        if not same_origin(request.headers.get("Origin"), request.headers.get("Host", "")):
            raise web.HTTPForbidden(text="Only the session's own page may connect.")


class DirectDoor(Door):
    """TLS, for the notebook's own viewers where no Jupyter server leads to us.

    Their page is Jupyter's, on a host that we do not know, so every origin may knock: nothing that a browser would
    send by itself counts here, only the ticket (docs/decisions/0013-where-there-is-no-relay.md).
    """

    def __init__(self, link: Link, names: frozenset[str]) -> None:
        """`names`: the host names under which this door is known, besides plain addresses."""
        super().__init__(link, [web.get("/", self._page), web.get("/ws", self._ws)])
        self._names = names

    async def _page(self, request: web.Request) -> web.Response:
        """What is opened once, so that the browser asks about the certificate."""
        self._known_host(request)
        assert request.transport is not None
        self.hall.answering(request.transport)
        return web.Response(text=ACCEPTED, content_type="text/html", charset="utf-8")

    async def _ws(self, request: web.Request) -> web.StreamResponse:
        self._known_host(request)
        if "Origin" not in request.headers:
            raise web.HTTPForbidden(text="A websocket without an Origin is not a page's.")
        assert request.transport is not None
        transport = request.transport
        return await self._link.visit(request, "direct", lambda: self.hall.let_in(transport), HEARTBEAT_SECONDS)

    def _known_host(self, request: web.Request) -> None:
        if not known_host(request.headers.get("Host", ""), self._names):
            raise web.HTTPForbidden(text="This session is not known under this name.")


def known_host(host: str, names: frozenset[str]) -> bool:
    """Whether a Host header is an address or one of our names; the port may be a tunnel's."""
    # Nothing but a name and a port: no user, no path.
    if not (found := _HOST.fullmatch(host)):
        return False
    name = (found["v6"] or found["name"]).lower()
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(name)
        return True
    return name in names


def same_origin(origin: str | None, host: str) -> bool:
    """Whether a browser says that our own page asks. None is no browser, or one that hides it: no."""
    return origin is not None and bool(host) and origin.lower() == f"https://{host}".lower()


def is_ours(connected: socket.socket) -> bool:
    """Whether the other end of a unix socket is a process of the same user."""
    return connected.family == socket.AF_UNIX and rendezvous.peer_uid(connected) == os.getuid()
