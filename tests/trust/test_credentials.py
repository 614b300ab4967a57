"""Every route there is, and everything that is not leave to use it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import zlib
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web

from pvlink.protocol import CLOSE_DENIED, Grant
from pvlink.streamer.doorman import STRANGER_BYTES
from pvlink.streamer.doors import Door, JupyterDoor, LinkDoor
from tests.trust.house import DOORS, House, close_code, greet, greeted, hello, say

pytestmark = pytest.mark.trust

# How each route is guarded; one that is not here turns the first test red.
GUARDS = {
    # Jupyter's own authentication and authorisation; changing requests need its XSRF token, too.
    ("jupyter", "GET", "pvlink/{session}"): "jupyter",
    ("jupyter", "POST", "pvlink/{session}/ticket"): "jupyter",
    ("jupyter", "GET", "pvlink/{session}/ws"): "jupyter, then a ticket",
    # Answers what may be asked from elsewhere: nothing, as there is no CORS header of ours.
    ("jupyter", "OPTIONS", "pvlink/{session}"): "preflight",
    ("jupyter", "OPTIONS", "pvlink/{session}/ticket"): "preflight",
    # The unix socket: a process of the same user.
    ("unix", "POST", "/ticket"): "uid",
    ("unix", "GET", "/ws"): "uid, then a ticket",
    ("unix", "HEAD", "/ws"): "uid, then a ticket",
    # The link's door.
    ("link", "GET", "/s/{share}"): "open: a page that asks for the password",
    ("link", "HEAD", "/s/{share}"): "open: a page that asks for the password",
    ("link", "GET", "/page.js"): "open: the page's script",
    ("link", "HEAD", "/page.js"): "open: the page's script",
    ("link", "POST", "/s/{share}/ticket"): "origin and password",
    ("link", "GET", "/ws"): "origin, then a ticket",
    ("link", "HEAD", "/ws"): "origin, then a ticket",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "LOOK")
# What no answer to a stranger holds.
TELLTALES = ("Traceback", 'File "', "site-packages", "aiohttp/", "Python/")

_LIST_JUPYTER = """
import json, sys
from jupyter_server.serverapp import ServerApp
from tornado.web import RequestHandler
app = ServerApp(base_url="/")
app.initialize(argv=["--allow-root"], new_httpserver=False)
found = []
for rule in app.web_app.default_router.rules + app.web_app.wildcard_router.rules:
    for inner in getattr(rule.target, "rules", [rule]):
        handler = inner.target
        if getattr(handler, "__module__", "").startswith("pvlink"):
            for method in RequestHandler.SUPPORTED_METHODS:
                if getattr(handler, method.lower()) is not getattr(RequestHandler, method.lower()):
                    found.append([method, inner.matcher.regex.pattern])
print(json.dumps(found))
"""


def jupyter_routes(house: House) -> set[tuple[str, str, str]]:
    """What the extension has added to a real server's application."""
    said = subprocess.run(
        [sys.executable, "-c", _LIST_JUPYTER], env=house.environment(), capture_output=True, check=True, cwd=house.home
    ).stdout
    routes = json.loads(said.splitlines()[-1])
    return {
        ("jupyter", method, pattern.strip("/$").replace("([0-9A-Za-z_-]{1,64})", "{session}"))
        for method, pattern in routes
    }


def door_routes(name: str, door: Door) -> set[tuple[str, str, str]]:
    return {(name, route.method, cast(web.Resource, route.resource).canonical) for route in door.app.router.routes()}


async def test_every_route_has_a_row_and_every_row_a_route(house: House) -> None:
    nobody: Any = None
    routes = door_routes("unix", JupyterDoor(nobody, nobody))
    routes |= door_routes("link", LinkDoor(nobody, nobody, frozenset()))
    routes |= await asyncio.to_thread(jupyter_routes, house)
    assert routes == GUARDS.keys()


def harmless(house: House, said: bytes, *, stranger: bool = True) -> None:
    """Jupyter's own pages hold its token, for whoever has it."""
    text = said.decode("utf-8", "replace")
    token = [house.token] if stranger else []
    for word in (*TELLTALES, *token, house.share["password"], house.second["password"]):
        assert word not in text, text[:500]


async def answered(house: House, http: aiohttp.ClientSession, url: str, body: bytes, **options: Any) -> int:
    """The status for this body; 413 also for being cut off, which is what happens above 64 KiB."""
    try:
        async with http.post(url, data=body, **options) as answer:
            harmless(house, await answer.read())
            return answer.status
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
        assert len(body) > STRANGER_BYTES
        return 413


def paths(house: House, door: str) -> dict[str, str]:
    """Where each route is, and what it takes."""
    found: dict[str, str] = {}
    for there, method, path in GUARDS:
        if there == door:
            shown = path.replace("{session}", house.kernel.session)
            shown = shown.replace("{share}", house.share["share"])
            found[shown] = found.get(shown, "") + f" {method}"
    return found


@pytest.mark.parametrize("door", DOORS)
async def test_wrong_methods_and_neighbouring_paths_are_refused(house: House, door: str) -> None:
    bases = {"jupyter": house.url, "unix": "http://pvlink", "link": house.link_origin}
    async with house.client(door) as http:
        for path, right in paths(house, door).items():
            for method in METHODS:
                if method in right.split():
                    continue
                async with http.request(method, f"{bases[door]}{path}", allow_redirects=False) as answer:
                    assert 400 <= answer.status < 500, (method, path, answer.status)
                    harmless(house, await answer.read(), stranger=door != "jupyter")
        for path in (
            "/",
            "/s",
            "/s/",
            "/s/x/y",
            "/ws/",
            "/ticket/x",
            "/static/page.js",
            "/..%2f..%2fetc/passwd",
            "/%00",
        ):
            if door != "jupyter":
                async with http.get(f"{bases[door]}{path}", allow_redirects=False) as answer:
                    assert answer.status in (400, 403, 404, 405) or path == "/s/", (path, answer.status)
                    harmless(house, await answer.read())


# -- Jupyter's routes ----------------------------------------------------------------------------


def not_jupyters(house: House) -> dict[str, dict[str, str]]:
    """Headers, and what is in the query, that a stranger may send to Jupyter."""
    grant_like = {"ticket": "t" * 22, "key": "k" * 43}
    return {
        "none": {},
        "empty": {"Authorization": ""},
        "empty token": {"Authorization": "token "},
        "wrong": {"Authorization": f"token {'0' * 32}"},
        "one letter less": {"Authorization": f"token {house.token[:-1]}"},
        "one letter more": {"Authorization": f"token {house.token}0"},
        "upper case": {"Authorization": f"token {house.token.upper()}A"},
        "huge": {"Authorization": f"token {house.token * 200}"},
        "another scheme": {"Authorization": f"Basic {house.token}"},
        "the session's name": {"Authorization": f"token {house.kernel.session}"},
        "a link's password": {"Authorization": f"token {house.share['password']}"},
        "a ticket": {"Authorization": f"token {grant_like['key']}"},
        "a cookie": {"Cookie": f"username-127-0-0-1-{house.port}=2|1:0|10:1700000000|forged"},
        "many cookies": {"Cookie": "; ".join(f"username-127-0-0-1-{house.port}=x{n}" for n in range(100))},
        "the token in another place": {"Cookie": f"token={house.token}", "X-Token": house.token},
    }


@pytest.mark.parametrize("what", ["", "/ticket", "/ws"])
async def test_jupyters_routes_refuse_whoever_jupyter_does_not_know(house: House, what: str) -> None:
    url = f"{house.url}pvlink/{house.kernel.session}{what}"
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    async with aiohttp.ClientSession() as http:
        for name, headers in not_jupyters(house).items():
            asked = headers | {"Origin": house.origin} | (upgrade if what == "/ws" else {})
            method, data = ("POST", b'{"view": "1"}') if what == "/ticket" else ("GET", None)
            for suffix in ("", f"?token={'0' * 32}", f"?ticket={house.token}"):
                async with http.request(method, url + suffix, headers=asked, data=data) as answer:
                    assert answer.status in (401, 403), (name, answer.status)
                    harmless(house, await answer.read())


BODIES: dict[str, bytes] = {
    "empty": b"",
    "null": b"null",
    "a list": b"[]",
    "a word": b'"1"',
    "a number": b"1",
    "true": b"true",
    "no JSON": b"view=1",
    "bytes": bytes(range(256)),
    "a view of null": b'{"view": null}',
    "a view of a list": b'{"view": ["1"]}',
    "a number for a view": b'{"view": 1}',
    "a long view": json.dumps({"view": "1" * 65}).encode(),
    "a huge view": json.dumps({"view": "1" * 100_000}).encode(),
    "deep": b"[" * 5000 + b"]" * 5000,
    "half a surrogate": b'{"view": "\\ud800"}',
}


@pytest.mark.parametrize("door", ["jupyter", "unix"])
async def test_what_is_no_request_for_a_ticket_is_refused(house: House, door: str) -> None:
    async with house.client(door) as http:
        for name, body in BODIES.items():
            status = await answered(house, http, house.address(door, "ticket"), body)
            assert 400 <= status < 500, (name, status)


async def test_nobody_asks_for_more_than_jupyter_grants(house: House) -> None:
    async with house.client("jupyter") as http:
        asks = json.dumps({"view": "1", "role": "owner", "who": "root"})
        async with http.post(house.address("jupyter", "ticket"), data=asks) as answer:
            assert answer.status == 200
    people, _ = await house.kernel.ask("people", view="1")
    assert people["people"]["viewers"] == []


# -- the link's ----------------------------------------------------------------------------------


def wrong_passwords(house: House) -> dict[str, object]:
    return {
        "empty": {"password": ""},
        "wrong": {"password": "not the password"},
        "another link's": {"password": house.second["password"]},
        "another session's": {"password": house.foreign["password"]},
        "the share's name": {"password": house.share["share"]},
        "upper case": {"password": house.share["password"].upper()},
        "with a blank": {"password": house.share["password"] + " "},
        "large": {"password": house.share["password"] * 100},
        "huge": {"password": house.share["password"] * 1000},
        "null": {"password": None},
        "true": {"password": True},
        "a number": {"password": 0},
        "a list": {"password": [house.share["password"]]},
        "an object": {"password": {"password": house.share["password"]}},
        "none": {},
        "with a role": {"password": house.share["password"], "role": "owner"},
        "with a view": {"password": house.share["password"], "view": "2"},
        "a list of bodies": [{"password": house.share["password"]}],
    }


async def test_a_link_opens_for_its_password_only(house: House) -> None:
    share = await house.shared(house.kernel, "1", house.share["password"])
    url = house.address("link", "ticket", share=share)
    async with house.client("link", headers={"Origin": house.link_origin}) as http:
        for name, body in wrong_passwords(house).items():
            # 429: guesses come faster than one a second.
            status = await answered(house, http, url, json.dumps(body).encode())
            assert status in (400, 403, 413, 429), (name, status)
        for name, text in BODIES.items():
            status = await answered(house, http, url, text)
            assert status in (400, 413), (name, status)
        packed = json.dumps({"password": house.share["password"]}).encode()
        # Nothing is unpacked: a few bytes must not become megabytes.
        bomb = zlib.compress(packed + b" " * (1 << 22))
        assert await answered(house, http, url, bomb, headers={"Content-Encoding": "deflate"}) in (400, 413)
        for name in ("x" * 16, house.foreign["share"], house.share["share"][:-1], "%00", "..%2f" * 3):
            async with http.post(f"{house.link_origin}/s/{name}/ticket", data=packed) as answer:
                assert answer.status in (400, 404), (name, answer.status)


async def test_guessing_locks_out_neither_owner_nor_whoever_knew_it(house: House) -> None:
    share = await house.shared(house.kernel, "1", house.share["password"])
    url, right = house.address("link", "ticket", share=share), json.dumps({"password": share["password"]})
    statuses = []
    async with house.client("link", headers={"Origin": house.link_origin}) as http:
        async with http.post(url, data=b'{"password": "not the password"}') as answer:
            statuses.append(answer.status)
        for _ in range(20):
            async with http.post(url, data=b'{"password": "not the password"}') as answer:
                said = await answer.json()
                statuses.append(answer.status)
        assert statuses[0] == 403
        assert statuses.count(403) <= 3
        assert statuses.count(429) >= 18
        assert 0 < said["wait"] <= 1
        # The owner comes by another door, the holders of other links by theirs.
        await house.grant("jupyter")
        await house.grant("link")
        await asyncio.sleep(said["wait"] + 0.05)
        async with http.post(url, data=right) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("how", ["revoked", "expired"])
async def test_a_share_that_ended_lets_nobody_in_at_any_stage(house: House, how: str) -> None:
    lasts = 1.5 if how == "expired" else 600.0
    keeper = house.share  # its door stays open
    share = await house.shared(house.kernel, "1", keeper["password"], expires=lasts)
    url, right = house.address("link", "ticket", share=share), json.dumps({"password": share["password"]})

    async def grant(http: aiohttp.ClientSession) -> Grant:
        async with http.post(url, data=right) as answer:
            assert answer.status == 200
            return Grant(**await answer.json())

    async with (
        house.client("link", headers={"Origin": house.link_origin}) as http,
        house.socket("link") as inside,
        house.socket("link") as halfway,
        house.socket("link") as before,
    ):
        first, second, third = [await grant(http) for _ in range(3)]
        _, shown = await greeted(inside, first)
        await say(inside, hello({"secret": shown}))
        _, shown = await greeted(halfway, second)
        if how == "revoked":
            await house.kernel.ask("revoke", share=share["share"])
        # aiohttp's client says 1006 when the other side hung up before its own goodbye was out.
        assert await asyncio.wait_for(_ended(inside), 6) in (4403, 1006)
        await say(halfway, hello({"secret": shown}))
        assert await asyncio.wait_for(_ended(halfway), 6) == 4403
        await greet(before, third.ticket)
        assert await close_code(before) == CLOSE_DENIED
        async with http.post(url, data=right) as answer:
            assert answer.status == 404
    people, _ = await house.kernel.ask("people", view="1")
    assert share["share"] not in json.dumps(people)


async def _ended(ws: aiohttp.ClientWebSocketResponse) -> int | None:
    async for _ in ws:
        pass
    return ws.close_code
