"""The direct door: any page may knock, and only a ticket from the kernel opens it."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from pvlink.direct import place as wished
from pvlink.errors import OptionError
from pvlink.protocol import Grant
from pvlink.streamer import certificate
from tests.unit.streamer.fake_engine import FakeEngine
from tests.unit.streamer.harness import Kernel, Viewer, until

pytestmark = pytest.mark.ways

# As JupyterLab on another host would say it.
ORIGIN = "https://hub.example"


def trusting() -> aiohttp.TCPConnector:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return aiohttp.TCPConnector(ssl=context)


@pytest.fixture
async def door(kernel: Kernel) -> AsyncIterator[dict[str, str]]:
    engine: FakeEngine = await kernel.engine()
    answer, _ = await kernel.ask("direct", host="127.0.0.1", port=0)
    yield answer["door"]
    await asyncio.to_thread(engine.die)


async def ticket(kernel: Kernel, **facts: Any) -> Grant:
    grant = Grant(secrets.token_hex(16), secrets.token_hex(32), "1", "owner")
    answer, _ = await kernel.ask("ticket", view="1", ticket=grant.ticket, ticket_key=grant.key, direct=True, **facts)
    assert answer["ok"], answer
    return grant


async def test_a_viewer_comes_straight_to_the_streamer(kernel: Kernel, door: dict[str, str]) -> None:
    viewer = await Viewer.over(aiohttp.ClientSession(connector=trusting()), door["url"], origin=ORIGIN)
    await viewer.enter(await ticket(kernel))
    viewer._let_in = True
    joined = await viewer.join()
    await until(lambda: viewer.frames)

    assert joined.role == "owner"
    assert viewer.people[-1].viewers[0].way == "direct"
    await viewer.close()


async def test_each_ticket_opens_it_once(kernel: Kernel, door: dict[str, str]) -> None:
    grant = await ticket(kernel)
    first = await Viewer.over(aiohttp.ClientSession(connector=trusting()), door["url"], origin=ORIGIN)
    await first.enter(grant)
    second = await Viewer.over(aiohttp.ClientSession(connector=trusting()), door["url"], origin=ORIGIN)
    await second.ws.send_json({"protocol": 2, "ticket": grant.ticket, "nonce": "n" * 24})
    await until(lambda: second.ws.closed)

    assert second.ws.close_code == 4401
    await first.close()
    await second.close()


async def test_a_key_that_was_not_thrown_here_does_not(kernel: Kernel, door: dict[str, str]) -> None:
    grant = await ticket(kernel)
    thief = Grant(grant.ticket, secrets.token_hex(32), "1", "owner")
    viewer = await Viewer.over(aiohttp.ClientSession(connector=trusting()), door["url"], origin=ORIGIN)
    with pytest.raises(AssertionError):
        # The streamer's own proof does not fit.
        await viewer.enter(thief)
    await viewer.close()


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 403), ({"Origin": ORIGIN, "Host": "evil.example"}, 403), ({"Origin": "null"}, 101)]
)
async def test_who_is_no_page_or_uses_a_strange_name_is_turned_away(
    kernel: Kernel, door: dict[str, str], headers: dict[str, str], status: int
) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **headers}
    async with (
        aiohttp.ClientSession(connector=trusting()) as http,
        http.get(door["url"].replace("wss:", "https:"), headers=upgrade) as answer,
    ):
        assert answer.status == status


async def test_its_page_says_that_it_works_and_it_gives_no_tickets(kernel: Kernel, door: dict[str, str]) -> None:
    async with aiohttp.ClientSession(connector=trusting()) as http:
        async with http.get(door["page"]) as answer:
            assert "It works" in await answer.text()
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        async with http.post(f"{door['page']}ticket", json={"view": "1"}) as answer:
            assert answer.status == 404


async def test_it_moves_when_it_is_asked_for_elsewhere(kernel: Kernel, door: dict[str, str]) -> None:
    again, _ = await kernel.ask("direct", host="127.0.0.1", port=0)
    elsewhere, _ = await kernel.ask("direct", host="localhost", port=0)

    assert again["door"] == door
    assert elsewhere["door"]["url"].startswith("wss://localhost:")
    async with aiohttp.ClientSession(connector=trusting()) as http:
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.get(door["page"])


async def test_where_nothing_can_listen_is_said(kernel: Kernel) -> None:
    answer, _ = await kernel.ask("direct", host="192.0.2.1", port=0)

    assert "Nothing can listen at 192.0.2.1" in answer["error"]


async def test_without_a_door_the_ticket_is_for_the_kernels_messages(kernel: Kernel) -> None:
    answer, _ = await kernel.ask("ticket", view="1", ticket="0" * 32, ticket_key="0" * 64, direct=True)

    assert answer == {"ok": True, "role": "owner", "door": None}


@pytest.mark.parametrize("facts", [{}, {"ticket": "0" * 32}, {"ticket": "0" * 32, "ticket_key": "0" * 63}])
async def test_a_ticket_that_nobody_threw_is_none(kernel: Kernel, facts: dict[str, Any]) -> None:
    answer, _ = await kernel.ask("ticket", view="1", **facts)

    assert not answer["ok"]


@pytest.mark.parametrize(
    ("wish", "host", "port"),
    [
        (True, "", 0),
        ("node7", "node7", 0),
        ("node7.example:8443", "node7.example", 8443),
        ("192.0.2.7", "192.0.2.7", 0),
        ("192.0.2.7:8443", "192.0.2.7", 8443),
        ("2001:db8::7", "2001:db8::7", 0),
        ("[2001:db8::7]:8443", "2001:db8::7", 8443),
    ],
)
def test_what_may_be_wished_for(wish: bool | str, host: str, port: int) -> None:
    assert wished(wish) == {"host": host, "port": port}


@pytest.mark.parametrize(
    "wish", ["", "node7:", "node7:x", "node7:70000", "https://node7", "a b", "a/b", False, 8443, None]
)
def test_what_may_not_is_said(wish: Any) -> None:
    with pytest.raises(OptionError, match="direct="):
        wished(wish)


@pytest.mark.parametrize(
    ("host", "found", "place"),
    [
        ("", "", "0.0.0.0"),
        ("192.0.2.7", "", "192.0.2.7"),
        ("localhost", "", "localhost"),
        ("node7", "192.0.2.7", "node7"),
        # As Debian has it in /etc/hosts.
        ("node7", "127.0.1.1", "0.0.0.0"),
    ],
)
def test_it_listens_where_others_reach_it(monkeypatch: pytest.MonkeyPatch, host: str, found: str, place: str) -> None:
    monkeypatch.setattr("socket.gethostbyname", lambda _: found)

    assert certificate.place(host) == place


def test_a_name_that_only_others_know_is_heard_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: str) -> str:
        raise OSError

    monkeypatch.setattr("socket.gethostbyname", unknown)

    assert certificate.place("gateway.example") == "0.0.0.0"


def test_a_machine_is_not_called_localhost_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getfqdn", lambda: "localhost.localdomain")
    monkeypatch.setattr("socket.gethostname", lambda: "node7")

    assert certificate.url_host("0.0.0.0") == "node7"
