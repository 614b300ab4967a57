"""Names of machines. A name server that does not answer must hold nothing up, the end of this process least of all."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

Found = tuple[socket.AddressFamily, tuple[object, ...]]


async def addresses(host: str, port: int) -> list[Found]:
    """Where that is, in the order to try. Raises socket.gaierror."""
    try:
        return _look_up(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Found]] = loop.create_future()

    def settle(found: list[Found] | None, error: OSError | None) -> None:
        if answer.done():
            return
        if found is not None:
            answer.set_result(found)
        elif error is not None:
            answer.set_exception(error)

    def work() -> None:
        found, error = None, None
        try:
            found = _look_up(host, port, 0)
        except (OSError, UnicodeError) as problem:
            error = problem if isinstance(problem, OSError) else socket.gaierror(socket.EAI_NONAME, "not a name")
        # The loop may have ended meanwhile.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, found, error)

    # Not the loop's own threads: at its end it would wait for them, and a name server may take a minute.
    threading.Thread(target=work, name="name", daemon=True).start()
    return await answer


def _look_up(host: str, port: int, flags: int) -> list[Found]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _, _, _, address in found]
