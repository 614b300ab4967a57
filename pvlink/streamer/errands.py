"""What the kernel asks of the streamer, by name."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

import msgspec

from pvlink.streamer.control_port import Answer, Request, RequestError
from pvlink.streamer.hub import Hub
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
            "share": self._share,
            "revoke": self._revoke,
            "people": self._people,
            "report": self._report,
            "ticket": self._ticket,
            "direct": self._direct,
            "stop": self._stop,
        }

    async def run(self, request: Request, fd: int | None) -> Answer:
        if request.op == "engine":
            if fd is None:
                raise RequestError("An engine comes with its socket.")
            self._hub.attach_engine(request.pid, socket.socket(fileno=fd))
            return _DONE
        if fd is not None:
            os.close(fd)
        if operation := self._operations.get(request.op):
            return await operation(request)
        raise RequestError(f"The streamer cannot do {request.op!r}. {request.wrong}".strip())

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
