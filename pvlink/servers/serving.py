"""A ParaView server on this machine: how it is started, and how safely."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pvlink.errors import OptionError, ServerError
from pvlink.servers import levels, mpi, pvservers
from pvlink.servers.levels import Level
from pvlink.servers.served import Line, Served

__all__ = ["Line", "Plan", "Served", "choose"]

# Below the ports that are given to those who ask for any.
_PORTS = range(20000, 32000)
# There when there is a graphics card that users may use.
CARDS = Path("/dev/dri")


@dataclass(frozen=True)
class Plan:
    """What will be started, and how safe that is. `start` does it."""

    level: Level
    # Of each better level, why it is not that.
    why_not: dict[str, str]
    version: str
    pvserver: Path
    ranks: int
    connect_id: int
    mpiexec: Path | None
    mpi: mpi.Mpi | None
    # Xvfb, or a display, or neither.
    xvfb: str
    display: str
    arguments: tuple[str, ...]
    patience: float

    @property
    def reverse(self) -> bool:
        """Whether the server comes to a port where somebody listens already: `start(port)`."""
        return self.level == "reverse"

    def command(self, port: int, folder: str) -> tuple[list[str], list[str]]:
        """mpiexec's part, and a rank's."""
        before: list[str] = []
        if self.mpi is not None:
            before = mpi.launch(str(self.mpiexec), self.mpi, self.ranks, folder)
        return before, mpi.server(
            self.level, str(self.pvserver), port, self.connect_id, self.arguments, alone=self.ranks == 1
        )

    def start(self, port: int | None = None) -> Served:
        """`port`: in reverse, where on 127.0.0.1 the server finds us. Raises ServerError."""
        if self.reverse and port is None:
            raise OptionError("A server at level 'reverse' connects to us: start(port) of a listener on 127.0.0.1.")
        return Served(self, port if port is not None else _free_port(self.level))


def choose(
    pvpython: Path,
    *,
    ranks: int = 1,
    pvserver: str | os.PathLike[str] | None = None,
    mpiexec: str | os.PathLike[str] | None = None,
    level: str | None = None,
    allow_insecure: bool = False,
    display: str = "auto",
    arguments: Sequence[str] = (),
    patience: float = 60.0,
) -> Plan:
    """The safest way to serve that works here, or the `level` asked for. Raises ServerError, OptionError.

    `display`: "auto", "own" (a private X server), "none" (EGL or OSMesa) or a display such as ":0".
    """
    if isinstance(ranks, bool) or not isinstance(ranks, int) or ranks < 1:
        raise OptionError(f"ranks={ranks!r}: a server has one rank or more.")
    for word in arguments:
        if not word.isprintable():
            raise OptionError(f"The argument {word!r} for pvserver has characters that cannot be printed.")
    program = pvservers.find(pvpython, pvserver)
    version = pvservers.version(program)
    if pvserver is not None and (own := pvservers.version(pvpython)) != version:
        raise ServerError(
            f"{program} is ParaView {version}, {pvpython} is {own}; both must be of the same version. Start the "
            f"session with the pvpython beside that pvserver: pvlink.start(pvpython={str(program.parent)!r}).",
            "version",
        )
    launcher, kind = pvservers.mpiexec(program, mpiexec) if ranks > 1 else (None, None)
    decision = levels.decide(
        level,
        allow_insecure=allow_insecure,
        refusal=_refusal() if level in (None, "namespace") else "",
        version=version,
    )
    xvfb, named = _screen(display, version)
    return Plan(
        level=decision.level,
        why_not=decision.why_not,
        version=version,
        pvserver=program,
        ranks=ranks,
        # 31 bits, as many as ParaView has, and never zero, which is none.
        connect_id=secrets.randbelow(2**31 - 1) + 1,
        mpiexec=launcher,
        mpi=kind,
        xvfb=xvfb,
        display=named,
        arguments=tuple(arguments),
        patience=patience,
    )


def _refusal() -> str:
    """Why this machine gives no network of one's own; empty if it does. By trying, in a process of its own."""
    network = Path(__file__).with_name("network.py")
    try:
        said = subprocess.run(
            [sys.executable, "-I", "-S", network],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    answer = said.stdout.decode(errors="replace")
    return "" if answer == "ok" else answer or f"exit code {said.returncode}"


def _screen(wish: str, version: str) -> tuple[str, str]:
    """Xvfb's path, or a display to use, or neither; a pvserver cannot be asked what it needs."""
    own = shutil.which("Xvfb") or ""
    given = os.environ.get("DISPLAY", "")
    if wish == "none" or (wish == "auto" and int(version.split(".")[0]) >= 6 and CARDS.exists()):
        # ParaView 6 takes an X server when there is one, and else the graphics card.
        return "", ""
    if wish.startswith(":"):
        return "", wish
    if wish not in ("auto", "own"):
        raise OptionError(f'There is no display {wish!r}: "auto", "own", "none", or one of this machine such as ":0".')
    if wish == "own" and not own:
        raise ServerError("display='own' needs Xvfb (Debian, Ubuntu: apt install xvfb), which is not here.", "no-xvfb")
    return own, "" if own or not given.startswith(":") else given


def _free_port(level: Level) -> int:
    if level == "namespace":
        return secrets.choice(_PORTS)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1" if level == "loopback" else "", 0))
        return int(probe.getsockname()[1])
