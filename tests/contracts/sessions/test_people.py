"""Others who look at a view: by a link, and until it is taken back."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from pvlink.protocol import CLOSE_REVOKED, Grant
from tests.contracts.sessions.room import SIZE, Room
from tests.unit.streamer.harness import Viewer, until

pytestmark = pytest.mark.ways


class Visitor(Viewer):
    """Comes by a link, with its password."""

    async def grant(self, view: str = "") -> Grant:
        async with self._http.post(self.tickets, json=self.asks, headers=self.headers) as answer:
            said = json.loads(await answer.read())
            assert answer.status == 200, said
            return Grant(**said)

    @classmethod
    async def by(cls, url: str, password: str, view: str) -> Visitor:
        page = urlsplit(url)
        # The certificate is the streamer's own, made for this test.
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting))
        visitor = await cls.over(http, f"wss://{page.netloc}/ws", origin=f"https://{page.netloc}")
        visitor.tickets, visitor.asks = f"{url}/ticket", {"password": password}
        visitor.headers = {"Origin": f"https://{page.netloc}"}
        await visitor.join(view, *SIZE)
        return visitor

    headers: dict[str, str]


async def test_a_link_lets_others_look_until_it_is_taken_back(room: Room) -> None:
    room.do("widget = pvlink.show(view); share = widget.share(); again = widget.share(role='control')")
    visitor = await Visitor.by(*room.value("(share.url, share.password, widget.view)"))
    try:
        # Their pictures are made when the kernel is idle, if it is the kernel that makes them.
        await until(lambda: visitor.frames)
        assert visitor.joined is not None
        assert visitor.joined.role == "view"
        people: list[Any] = room.value("[(one.role, one.way) for one in widget.watching]")
        assert people == [("view", "link")]
        # Meanwhile it must read: the streamer does not wait long for one that is told to go.
        await asyncio.to_thread(room.do, "share.revoke()")
        await until(lambda: visitor.ws.closed)
        # aiohttp's client says 1006 when the other side hung up before its own goodbye was out.
        assert visitor.ws.close_code in (CLOSE_REVOKED, 1006)
        async with visitor._http.post(visitor.tickets, json=visitor.asks, headers=visitor.headers) as answer:
            assert answer.status == 404
        assert room.value("widget.watching") == []
        room.do("again.revoke()")
    finally:
        # With a goodbye: TLS wants one.
        await visitor.ws.close()
        await visitor.close()


def test_the_owner_knows_who_watches(room: Room) -> None:
    with room.watch() as viewer:
        viewer.still()
        assert room.value("[(one.role, one.way) for one in widget.watching]") == [("owner", "jupyter")]
