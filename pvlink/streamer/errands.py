"""What the kernel asks of the streamer, by name."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

import msgspec

from pvlink.streamer.control_port import Answer, Request, RequestError
from pvlink.streamer.hub import Hub
from pvlink.streamer.insitu.harbour import HarbourError
from pvlink.streamer.pvserver.wish import wished
from pvlink.streamer.shares import ShareError, UnknownShare
from pvlink.streamer.tickets import TooManyTickets
from pvlink.streamer.views import NoPictureError, View

_DONE: Answer = ({}, b"")


class Errands:
    """Runs them on a hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._operations: dict[str, Callable[[Request], Awaitable[Answer]]] = {
            "engine-ended": self._engine_ended,
            "restored": self._restored,
            "snapshot": self._snapshot,
            "stats": self._stats,
            "pin": self._pin,
            "share": self._share,
            "revoke": self._revoke,
            "people": self._people,
            "report": self._report,
            "ticket": self._ticket,
            "direct": self._direct,
            "server-state": self._server_state,
            "server-cut": self._server_cut,
            "server-close": self._server_close,
            "notice": self._notice,
            "insitu-open": self._insitu_open,
            "insitu-close": self._insitu_close,
            "insitu-state": self._insitu_state,
            "insitu-order": self._insitu_order,
            "stop": self._stop,
        }
        # Those that bring sockets, which are theirs then.
        self._deliveries: dict[str, Callable[[Request, list[socket.socket]], None]] = {
            "engine": self._engine,
            "server-open": self._server_open,
            "server-watch": self._server_watch,
            "visitor": self._visitor,
        }

    async def run(self, request: Request, fds: list[int]) -> Answer:
        if delivery := self._deliveries.get(request.op):
            delivery(request, [socket.socket(fileno=fd) for fd in fds])
            return _DONE
        for fd in fds:
            os.close(fd)
        if operation := self._operations.get(request.op):
            return await operation(request)
        raise RequestError(f"The streamer cannot do {request.op!r}. {request.wrong}".strip())

    def _engine(self, request: Request, sockets: list[socket.socket]) -> None:
        if not sockets:
            raise RequestError("An engine comes with its socket.")
        self._hub.attach_engine(request.pid, sockets[0])

    def _server_open(self, request: Request, sockets: list[socket.socket]) -> None:
        try:
            wish = wished(request.server)
            if len(sockets) != sum(line.way == "fd" for line in wish.lines):
                raise ValueError("A line of the kind fd comes with its socket.")
        except ValueError as error:
            for sock in sockets:
                sock.close()
            raise RequestError(str(error)) from None
        self._hub.servers.open(wish, sockets)

    def _server_watch(self, _request: Request, sockets: list[socket.socket]) -> None:
        if not sockets:
            raise RequestError("Whoever watches a server comes with a socket.")
        self._hub.servers.watch(sockets[0])

    def _visitor(self, _request: Request, sockets: list[socket.socket]) -> None:
        """Of the Jupyter server's, from another machine: whoever sends it has seen to who that is."""
        for sock in sockets:
            self._hub.door.hall.take(sock)

    async def _server_state(self, _request: Request) -> Answer:
        return {"server": self._hub.servers.state()}, b""

    async def _server_cut(self, request: Request) -> Answer:
        self._hub.servers.cut(request.message)
        return _DONE

    async def _server_close(self, _request: Request) -> Answer:
        self._hub.servers.close_link()
        return _DONE

    async def _notice(self, request: Request) -> Answer:
        self._hub.servers.notice(request.message)
        return _DONE

    async def _insitu_open(self, request: Request) -> Answer:
        try:
            return {"place": await self._hub.harbour.open(request.host, request.port)}, b""
        except HarbourError as error:
            raise RequestError(str(error)) from None

    async def _insitu_close(self, _request: Request) -> Answer:
        self._hub.harbour.leave()
        return _DONE

    async def _insitu_state(self, request: Request) -> Answer:
        return {"insitu": self._hub.harbour.state(request.event, request.point)}, b""

    async def _insitu_order(self, request: Request) -> Answer:
        try:
            self._hub.harbour.order(request.order or {})
        except HarbourError as error:
            raise RequestError(str(error)) from None
        return _DONE

    async def _engine_ended(self, request: Request) -> Answer:
        self._hub.engine_ended(request.message)
        return _DONE

    async def _restored(self, _request: Request) -> Answer:
        self._hub.restored()
        return _DONE

    async def _snapshot(self, request: Request) -> Answer:
        view = self._known(request.view)
        try:
            width, height, data = await view.snapshot(
                max(0.0, request.timeout), lambda: self._hub.state.state == "busy", request.since
            )
        except NoPictureError as error:
            raise RequestError(f"{error} {self._hub.state.message}".strip()) from error
        return {"width": width, "height": height}, data

    async def _stats(self, request: Request) -> Answer:
        return {"stats": self._known(request.view).report()}, b""

    async def _pin(self, request: Request) -> Answer:
        self._known(request.view).pin(request.pins)
        return _DONE

    async def _share(self, request: Request) -> Answer:
        self._known(request.view)
        try:
            share, password, note = await self._hub.reception.share(request)
        except ShareError as error:
            raise RequestError(str(error)) from None
        return {"share": msgspec.to_builtins(share), "password": password, "note": note}, b""

    async def _revoke(self, request: Request) -> Answer:
        try:
            self._hub.reception.revoke(request.share)
        except UnknownShare:
            # Revoked by another hand, or over: what was asked for is so.
            return _DONE
        return _DONE

    async def _people(self, request: Request) -> Answer:
        return {"people": msgspec.to_builtins(self._hub.reception.people(request.view))}, b""

    async def _ticket(self, request: Request) -> Answer:
        if request.ticket is None or request.ticket_key is None:
            raise RequestError("A ticket for a browser has the name and the key that it has thrown.")
        try:
            role, door = self._hub.reception.ticket_for_browser(
                request.view, request.ticket, request.ticket_key, direct=request.direct
            )
        except TooManyTickets:
            raise RequestError("Too many pages connect at once.") from None
        # Neither name nor key: they are known where they are needed.
        return {"role": role, "door": msgspec.to_builtins(door)}, b""

    async def _direct(self, request: Request) -> Answer:
        try:
            door, note = await self._hub.reception.open_direct(
                request.host, request.port, request.certificate, request.key
            )
        except ShareError as error:
            raise RequestError(str(error)) from None
        return {"door": msgspec.to_builtins(door), "note": note}, b""

    async def _report(self, _request: Request) -> Answer:
        """For the doctor: who watches what and how, and what listens besides the unix socket."""
        views = {
            view.name: {**view.report(), "ways": [one.way for one in self._hub.reception.people(view.name).viewers]}
            for view in self._hub.views
        }
        return {"report": {"views": views, "doors": self._hub.reception.listening}}, b""

    async def _stop(self, _request: Request) -> Answer:
        # The answer goes out first: it is queued before the event is looked at.
        asyncio.get_running_loop().call_soon(self._hub.stopped.set)
        return _DONE

    def _known(self, name: str) -> View:
        view = self._hub.known(name)
        if view is None:
            raise RequestError(f"ParaView has no view {name}.")
        return view
