"""The way to whoever watches: known by its key, or not taken."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from pvlink.insitu import key
from pvlink.insitu.ferry import shore
from pvlink.insitu.ferry.shore import NoShore, Shore
from tests.unit.insitu.notebook import SECRET, Greet, Guest, knows, listening, proof, says, until

pytestmark = pytest.mark.insitu

HELLO = {"kind": "simulation", "name": "gray_scott.py"}


@pytest.fixture(autouse=True)
def our_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "insitu.key"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    monkeypatch.setenv(key.VARIABLE, str(path))
    return path


async def refused(greet: Greet) -> tuple[str, list[dict[str, Any]]]:
    """What is said of whoever greets like this, and all that it was told; its connection is closed."""
    async with asyncio.timeout(20), listening(greet) as notebook:
        with pytest.raises(NoShore) as error:
            await Shore("127.0.0.1", notebook.port).reach(HELLO)
        (guest,) = notebook.guests
        await until(lambda: guest.gone or guest.writer.is_closing() or guest.reader.at_eof())
        return str(error.value), guest.said


# -- the same key ----------------------------------------------------------------------------------


async def test_both_prove_that_they_have_the_key_and_then_talk() -> None:
    async with asyncio.timeout(20), listening(knows()) as notebook:
        reader, writer = await Shore("127.0.0.1", notebook.port).reach(HELLO)
        try:
            await until(lambda: notebook.guests[0].said[1:])
            (first, hello) = notebook.guests[0].said
            assert set(first) == {"pvlink", "version", "nonce"}
            assert {name: hello[name] for name in HELLO} == HELLO
            notebook.guests[0].say(order={"do": "pause"})
            assert json.loads(await reader.readline()) == {"order": {"do": "pause"}}
            assert writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        finally:
            writer.close()
            await writer.wait_closed()


async def test_what_comes_right_behind_the_greeting_is_not_lost() -> None:
    greet = knows()

    async def eager(guest: Guest) -> None:
        first = await guest.hear()
        guest.say(nonce="n", version=1, proof=proof(SECRET, "shore", first["nonce"], "n"))
        guest.say(order={"do": "go"})

    for one in (eager, greet):
        async with asyncio.timeout(20), listening(one) as notebook:
            reader, writer = await Shore("127.0.0.1", notebook.port).reach(HELLO)
            if one is eager:
                assert json.loads(await reader.readline()) == {"order": {"do": "go"}}
            writer.close()
            await writer.wait_closed()


async def test_an_answer_may_come_byte_by_byte() -> None:
    async def dribbling(guest: Guest) -> None:
        first = await guest.hear()
        answer = {"nonce": "n", "version": 1, "proof": proof(SECRET, "shore", first["nonce"], "n")}
        for byte in json.dumps(answer).encode() + b"\n":
            guest.writer.write(bytes([byte]))
            await guest.writer.drain()
            await asyncio.sleep(0)

    async with asyncio.timeout(20), listening(dribbling) as notebook:
        _, writer = await Shore("127.0.0.1", notebook.port).reach(HELLO)
        writer.close()
        await writer.wait_closed()


async def test_no_two_connections_have_the_same_nonce() -> None:
    async with asyncio.timeout(20), listening(knows()) as notebook:
        for _ in range(5):
            _, writer = await Shore("127.0.0.1", notebook.port).reach(HELLO)
            writer.close()
            await writer.wait_closed()
        await until(lambda: len(notebook.guests) == 5)

        assert len({guest.said[0]["nonce"] for guest in notebook.guests}) == 5


@pytest.fixture
def no_key(our_key: Path) -> Path:
    our_key.unlink()
    return our_key


@pytest.fixture
def open_key(our_key: Path) -> Path:
    our_key.chmod(0o644)
    return our_key


async def test_without_a_key_one_is_made_for_the_notebook_to_find(no_key: Path) -> None:
    why, _ = await refused(knows())

    assert "has another key" in why
    async with asyncio.timeout(20), listening(knows(key.read())) as notebook:
        _, writer = await Shore("127.0.0.1", notebook.port).reach(HELLO)
        writer.close()
        await writer.wait_closed()


# -- another key -----------------------------------------------------------------------------------


async def test_another_key_is_said_with_the_place_of_ours(our_key: Path) -> None:
    why, said = await refused(knows(bytes(32)))

    assert why.startswith("127.0.0.1:")
    assert why.endswith(f" has another key than {our_key}")
    # Nothing of the simulation was told.
    assert len(said) == 1


async def test_a_key_that_others_can_read_is_not_used(open_key: Path) -> None:
    why, said = await refused(knows())

    assert "can be read by others" in why
    assert said == []


async def test_another_version_is_said() -> None:
    for greet in (says(b'{"version":2}\n'), knows(version=2)):
        why, said = await refused(greet)

        assert why.endswith("is another version of pvlink's")
        assert len(said) == 1 or said == []


async def test_what_was_proven_once_proves_nothing_again() -> None:
    overheard: list[dict[str, Any]] = []

    async def played(guest: Guest) -> None:
        first = await guest.hear()
        overheard.append({"nonce": "n", "version": 1, "proof": proof(SECRET, "shore", first["nonce"], "n")})
        guest.say(**overheard[0])

    async def repeats(guest: Guest) -> None:
        await guest.hear()
        guest.say(**overheard[0])

    async with asyncio.timeout(20), listening(played) as notebook:
        _, writer = await Shore("127.0.0.1", notebook.port).reach(HELLO)
        writer.close()
        await writer.wait_closed()
    why, said = await refused(repeats)

    assert "has another key" in why
    assert len(said) == 1


async def test_who_only_says_back_what_we_say_proves_nothing() -> None:
    async def mirror(guest: Guest) -> None:
        first = await guest.hear()
        guest.say(**first)

    async def as_ferry(guest: Guest) -> None:
        # As if another of our ferries were made to prove it for him.
        first = await guest.hear()
        guest.say(nonce="n", version=1, proof=proof(SECRET, "ferry", first["nonce"], "n"))

    for greet in (mirror, as_ferry):
        why, said = await refused(greet)

        assert "has another key" in why
        assert len(said) == 1


# -- garbage, and nobody ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [
        b"\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b"<<<<\1\0\0\0\0\n", b"\0\0\0\n",
        b"\xff\xfe\n", b"null\n", b"[]\n", b"3\n", b'"pvlink"\n', b"{\n", b"{}\n", b'{"nonce":3}\n',
        b'{"nonce":"n"}\n', b'{"nonce":"n","version":1}\n', b'{"nonce":"n","proof":null}\n', b'{"version":null}\n',
        b'{"nonce":"n","proof":["' + b"0" * 64 + b'"]}\n', b'{"nonce":"n","proof":"' + b"0" * 64 + b'"}\n',
        b'{"nonce":"\\ud800","proof":"0"}\n', b'{"nonce":"n","proof":"\\ud800"}\n', b"1" * 5000 + b"\n",
        b"x" * (3 << 20), b"{" + b" " * (2 << 20) + b"}\n",
    ],
    ids=lambda one: str(one[:30]),
)  # fmt: skip
async def test_garbage_at_the_port_is_no_shore(garbage: bytes) -> None:
    why, said = await refused(says(garbage))

    assert why
    assert len(said) <= 1


async def test_garbage_that_is_nested_is_no_shore_either() -> None:
    await refused(says(b"[" * 100_000 + b"\n"))


@pytest.mark.parametrize("cut", range(0, 120, 7))
async def test_who_closes_in_the_middle_of_an_answer_is_no_shore(cut: int) -> None:
    async def dies(guest: Guest) -> None:
        first = await guest.hear()
        answer = {"nonce": "n", "version": 1, "proof": proof(SECRET, "shore", first["nonce"], "n")}
        guest.writer.write(json.dumps(answer).encode()[:cut])
        guest.writer.close()

    why, _ = await refused(dies)

    assert why


async def test_who_resets_the_connection_is_no_shore() -> None:
    async def dies(guest: Guest) -> None:
        await guest.hear()
        guest.writer.transport.abort()

    assert (await refused(dies))[0]


async def test_who_is_silent_is_no_shore_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shore, "REACH", 0.2)
    begun = time.monotonic()

    async def silent(guest: Guest) -> None:
        await guest.hear()

    assert (await refused(silent))[0] == "TimeoutError"
    assert time.monotonic() - begun < 5


async def test_nobody_there_is_no_shore() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(NoShore, match=str(port)):
        await Shore("127.0.0.1", port).reach(HELLO)


async def test_no_trace_of_who_was_no_shore_is_in_the_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(NoShore) as error:
        await Shore("127.0.0.1", port).reach(HELLO)
    assert error.value.__suppress_context__


# -- lines -----------------------------------------------------------------------------------------


async def heard(*pieces: bytes, ends: bool = True, patience: float | None = None) -> list[dict[str, Any]]:
    reader = asyncio.StreamReader(limit=1 << 10)
    for piece in pieces:
        reader.feed_data(piece)
    if ends:
        reader.feed_eof()
    async with asyncio.timeout(20):
        return [facts async for facts in shore.lines(reader, patience)]


async def test_lines_are_the_same_wherever_they_are_cut() -> None:
    said: list[dict[str, Any]] = [{"status": {"step": 1}}, {}, {"event": {"kind": "met", "text": "é\n"}}]
    data = b"".join(shore.line(one) for one in said)

    for cut in range(len(data) + 1):
        assert await heard(data[:cut], data[cut:]) == said


@pytest.mark.parametrize(
    "end", [b"", b'{"a":1', b"null\n", b"garbage\n", b"\xff\n", b"\n", b"x" * 5000 + b"\n", b"x" * 5000], ids=len
)
async def test_lines_end_where_there_is_none(end: bytes) -> None:
    assert await heard(b'{"a":0}\n', end) == [{"a": 0}]


async def test_lines_end_with_the_connection_however_it_ends() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b'{"a":0}\n')
    reader.set_exception(ConnectionResetError())

    assert [facts async for facts in shore.lines(reader)] == []


async def test_lines_end_after_so_much_silence() -> None:
    begun = time.monotonic()

    assert await heard(b'{"a":0}\n{"a":1}\n', ends=False, patience=0.1) == [{"a": 0}, {"a": 1}]
    assert time.monotonic() - begun < 5


async def test_lines_end_where_one_is_nested_deeper_than_python_reads() -> None:
    reader = asyncio.StreamReader(limit=1 << 20)
    reader.feed_data(b'{"a":0}\n' + b"[" * 100_000 + b"\n")

    assert [facts async for facts in shore.lines(reader)] == [{"a": 0}]
