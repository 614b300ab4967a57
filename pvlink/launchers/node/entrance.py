"""The other side of a job's door: how pvlink introduces itself there."""

from __future__ import annotations

import socket

from pvlink.streamer.pvserver.handshake import PVLINK, Caller, Code, Introduction, NotParaViewError

SECONDS = 20.0


def introduce(door: socket.socket, connect_id: int) -> None:
    """Greet at a door that was just reached. Raises OSError: nobody is there, or he lets nobody in."""
    caller = Caller(Introduction("0.0", connect_id, PVLINK))
    door.settimeout(SECONDS)
    try:
        door.sendall(caller.begin())
        while not caller.done:
            # Not a byte more than the greeting: what follows is for others.
            data = door.recv(1)
            if not data:
                raise ConnectionError("it was closed")
            if answer := caller.feed(data):
                door.sendall(answer)
    except NotParaViewError as error:
        raise ConnectionError(f"it says {error.said[:40]!r}") from None
    if caller.code is Code.ID:
        raise ConnectionError("the connect-id is a former one's")
    if caller.code is not Code.GOOD:
        raise ConnectionError("it takes us for a ParaView: its pvlink is older than this one")
