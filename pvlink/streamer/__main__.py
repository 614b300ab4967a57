"""`python -P -m pvlink.streamer --session ID --control-fd N`: started by the kernel, ends with it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import socket
import sys

from pvlink import rendezvous
from pvlink.protocol import Role
from pvlink.streamer import control_port
from pvlink.streamer.errands import Errands
from pvlink.streamer.hub import Hub
from pvlink.streamer.journal import Journal

_PR_SET_PDEATHSIG = 1
log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="pvlink.streamer", description="Streams the views of one session.")
    parser.add_argument("--session", required=True, help="32 hexadecimal digits")
    parser.add_argument(
        "--control-fd", required=True, type=int, action="append", help="our end of a socket of the kernel's"
    )
    parser.add_argument("--die-with-parent", action="store_true", help="end when the starting thread does")
    parser.add_argument("--role", default="owner", choices=("owner", "control", "view"), help="of Jupyter's users")
    parser.add_argument("--log-level", default="WARNING", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
    options = parser.parse_args(arguments)
    logging.basicConfig(level=options.log_level, handlers=[Journal()])
    # Ctrl-C in a terminal goes to the whole process group; only the kernel decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if options.die_with_parent:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    try:
        asyncio.run(_run(options.session, options.role, [socket.socket(fileno=fd) for fd in options.control_fd]))
    except (rendezvous.RendezvousError, ValueError) as error:
        log.error("%s", error)
        return 1
    except OSError as error:
        places = ", ".join(map(str, rendezvous.candidates()))
        log.error("no socket could be made in %s: %s. PVLINK_RUNTIME_DIR may name another place.", places, error)
        return 1
    return 0


async def _run(session: str, role: Role, controls: list[socket.socket]) -> None:
    """Until one of `controls` is at its end: beside the kernel's there may be that of who has started us for it."""
    # What we make is for nobody else, whatever the kernel's umask.
    os.umask(0o077)
    hub = Hub(role)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, hub.stopped.set)
    rendezvous.sweep()
    listener, path = rendezvous.listen(session)
    serving = [asyncio.create_task(control_port.serve(control, Errands(hub).run)) for control in controls]
    stopping = asyncio.create_task(hub.stopped.wait())
    try:
        await hub.door.open(listener)
        log.info("session %s listens", session)
        await asyncio.wait([*serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        # A SIGTERM may be the parent's death note (--die-with-parent): what counts is whether the kernel is there.
        gone = any(task.done() for task in serving) or any(map(_at_end, controls))
        await hub.close(kernel_gone=gone)
        for task in (*serving, stopping):
            task.cancel()
        await asyncio.gather(*serving, stopping, return_exceptions=True)
        for control in controls:
            control.close()


def _at_end(sock: socket.socket) -> bool:
    try:
        return sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


if __name__ == "__main__":
    # Whatever a library still does in a thread must not hold the end up.
    code = main()
    sys.stderr.flush()
    os._exit(code)
