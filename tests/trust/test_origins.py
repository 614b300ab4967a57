"""Which pages may speak to a session: origins, hosts, XSRF tokens; and what TLS the link's door speaks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import warnings
from collections.abc import AsyncIterator

import aiohttp
import psutil
import pytest

from tests.trust.house import House

pytestmark = pytest.mark.trust

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def foreign(scheme: str, name: str, port: int) -> list[str | None]:
    """Origins that are not the page's, for a door at scheme://name:port."""
    other = "http" if scheme == "https" else "https"
    found: list[str | None] = [
        None,
        "",
        "null",
        "file://",
        "about:blank",
        "https://evil.example",
        "chrome-extension://abc",
    ]
    found += [f"{scheme}://{name}:{port + 1}", f"{scheme}://{name}:{port}0", f"{scheme}://{name}"]
    found += [f"{scheme}://{name}:{port}.evil.example", f"{scheme}://{name}.evil.example:{port}"]
    found += [f"{scheme}://evil-{name}:{port}", f"{scheme}://evil.{name}:{port}", f"{scheme}://{name}.:{port}"]
    found += [f"{scheme}://ann@{name}:{port}", f"{scheme}://{name}:{port}@evil.example", f"{scheme}://[::1]:{port}"]
    found += [f"{scheme}://evil.example#{name}:{port}", f"{scheme}://evil.example?{name}:{port}", f"{name}:{port}"]
    if scheme == "https":
        found.append(f"{other}://{name}:{port}")
    return found


# What a stranger's DNS, a proxy or a mistake may put into the Host header.
HOSTS = [
    "evil.example",
    "evil.example:PORT",
    "127.0.0.1.nip.io:PORT",
    "localhost.evil.example:PORT",
    "localhost.:PORT",
    "evil.example@localhost:PORT",
    "localhost:PORT@evil.example",
    "localhost:PORT.evil.example",
    "2130706433:PORT",
    "127.1:PORT",
    "[::ffff:evil]:PORT",
    "*",
]


async def status(
    http: aiohttp.ClientSession, method: str, url: str, headers: dict[str, str | None], body: str = ""
) -> int:
    sent = {name: value for name, value in headers.items() if value is not None}
    async with http.request(method, url, headers=sent, data=body or None, allow_redirects=False) as answer:
        return answer.status


# -- the link's door -----------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["ws", "ticket"])
async def test_the_link_s_door_answers_to_its_own_page_only(house: House, what: str) -> None:
    port = int(house.link_origin.rpartition(":")[2])
    url = house.address("link", what)
    right = json.dumps({"password": house.share["password"]})
    method, body, good = ("GET", "", 101) if what == "ws" else ("POST", right, 200)
    extra = UPGRADE if what == "ws" else {}
    async with house.client("link") as http:
        for origin in foreign("https", "127.0.0.1", port):
            assert await status(http, method, url, {**extra, "Origin": origin}, body) == 403, origin
        for host in HOSTS:
            named = host.replace("PORT", str(port))
            headers: dict[str, str | None] = {**extra, "Host": named, "Origin": f"https://{named}"}
            assert await status(http, method, url, headers, body) in (400, 403), host
        # The right page, under each of the door's own names, also through a tunnel with another port.
        for name in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]", "192.0.2.7"):
            for shown in (f"{name}:{port}", f"{name}:9999"):
                headers = {**extra, "Host": shown, "Origin": f"https://{shown.lower()}"}
                assert await status(http, method, url, headers, body) == good, shown
        # Its own name and another page's: each of the two counts.
        headers = {**extra, "Host": f"localhost:{port}", "Origin": f"https://127.0.0.1:{port}"}
        assert await status(http, method, url, headers, body) == 403


@pytest.mark.parametrize("path", ["/s/SHARE", "/page.js"])
async def test_the_page_itself_is_shown_under_its_own_names_only(house: House, path: str) -> None:
    url = f"{house.link_origin}{path.replace('SHARE', house.share['share'])}"
    port = house.link_origin.rpartition(":")[2]
    async with house.client("link") as http:
        assert await status(http, "GET", url, {}) == 200
        for host in HOSTS:
            assert await status(http, "GET", url, {"Host": host.replace("PORT", port)}) in (400, 403), host
        async with http.get(url) as answer:
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert "Set-Cookie" not in answer.headers
            assert answer.headers["Server"] == "pvlink"


# -- Jupyter's routes ----------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def browser(house: House) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """As a page that is logged in: by cookie, which a stranger's page would send along, too."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        async with http.get(f"{house.url}api/status?token={house.token}") as answer:
            assert answer.status == 200
        async with http.get(f"{house.url}pvlink/{house.kernel.session}") as answer:
            assert await answer.json() == {"alive": True}
        cookies = {cookie.key: cookie.value for cookie in jar}
        yield http, cookies["_xsrf"]


async def test_the_relay_answers_to_jupyters_own_page_only(house: House) -> None:
    url = house.address("jupyter", "ws")
    async with browser(house) as (http, _):
        assert await status(http, "GET", url, {**UPGRADE, "Origin": house.origin}) == 101
        for origin in foreign("http", "127.0.0.1", house.port):
            assert await status(http, "GET", url, {**UPGRADE, "Origin": origin}) == 403, origin
        for host in HOSTS:
            named = host.replace("PORT", str(house.port))
            headers: dict[str, str | None] = {**UPGRADE, "Host": named, "Origin": f"http://{named}"}
            assert await status(http, "GET", url, headers) in (400, 403), host


async def test_a_cookie_alone_gets_no_ticket(house: House) -> None:
    url, body = house.address("jupyter", "ticket"), '{"view": "1"}'
    async with browser(house) as (http, xsrf):
        origin = {"Origin": house.origin}
        assert await status(http, "POST", url, {**origin, "X-XSRFToken": xsrf}, body) == 200
        # Its third part is the token, masked with the second; the last is only a date.
        version, mask, token, date = xsrf.split("|")
        forged = "|".join((version, mask, token[:-1] + ("0" if token[-1] != "0" else "1"), date))
        for wrong in (None, "", "x", forged, "2|" + "0" * 60, xsrf * 50):
            assert await status(http, "POST", url, {**origin, "X-XSRFToken": wrong}, body) == 403, wrong
        # With another visitor's token, which is good for him.
        async with browser(house) as (_, another):
            assert await status(http, "POST", url, {**origin, "X-XSRFToken": another}, body) == 403
        for host in HOSTS:
            named = host.replace("PORT", str(house.port))
            assert await status(http, "POST", url, {"Host": named, "X-XSRFToken": xsrf}, body) in (400, 403), host
        for origin_ in ("https://evil.example", "null", f"http://127.0.0.1:{house.port + 1}"):
            # A page elsewhere cannot know the token; without it its origin is of no use.
            assert await status(http, "POST", url, {"Origin": origin_}, body) in (403, 404)
        async with http.options(url, headers={"Origin": "https://evil.example"}) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers


# -- TLS -----------------------------------------------------------------------------------------


def tls(house: House, version: ssl.TLSVersion) -> str | None:
    """What is agreed on with a client that speaks only this version."""
    port = int(house.link_origin.rpartition(":")[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # What we test is that the other side says no; ours must be willing.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", port), 5) as raw, context.wrap_socket(raw) as secured:
        return secured.version()


async def test_tls_1_2_and_newer(house: House) -> None:
    assert await asyncio.to_thread(tls, house, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    assert await asyncio.to_thread(tls, house, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.to_thread(tls, house, old)


async def test_plain_http_at_the_tls_port_gets_no_answer(house: House) -> None:
    port = int(house.link_origin.rpartition(":")[2])
    for words in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"SSH-2.0-x\r\n", bytes(300), b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(words)
        if not words:
            writer.write_eof()
        said = b""
        with contextlib.suppress(ConnectionError):
            said = await asyncio.wait_for(reader.read(), 8)
        # An alert of TLS at most.
        assert len(said) < 20, said
        assert b"HTTP" not in said
        writer.close()
    # And the door is as before.
    await house.grant("link")


async def test_the_certificate_is_the_one_whose_fingerprint_is_shown(house: House) -> None:
    async with aiohttp.ClientSession() as http:
        digest = bytes.fromhex(house.share["fingerprint"].replace(":", ""))
        async with http.get(house.share["url"], ssl=aiohttp.Fingerprint(digest)) as answer:
            assert answer.status == 200
        with pytest.raises(aiohttp.ServerFingerprintMismatch):
            await http.get(house.share["url"], ssl=aiohttp.Fingerprint(bytes(32)))
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await http.get(house.share["url"])
    await asyncio.sleep(0.05)


# -- where it listens ----------------------------------------------------------------------------


async def test_a_link_is_for_this_machine_only_unless_asked_otherwise(house: House) -> None:
    connections = psutil.Process(house.kernel.process.pid).net_connections("inet")
    listening = [connection.laddr for connection in connections if connection.status == psutil.CONN_LISTEN]

    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert int(house.link_origin.rpartition(":")[2]) in {address.port for address in listening}
