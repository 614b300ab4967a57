"""Where a server comes from: it is reached, it comes to us, or it is started here. Each can be had again after its "
"end."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pvlink.companions import Taker
from pvlink.errors import OptionError
from pvlink.servers.address import Address
from pvlink.servers.link import Line, Link, Wish
from pvlink.servers.server import Told

RENDER = ("server", "client", "auto")
# MB of geometry above which the server draws; ParaView's own is 20.
THRESHOLDS = {"server": 0.0, "client": 1e9, "auto": 20.0}
# As ParaView writes it: class, 0, and what that is told. LZ4's and Squirt's: how many bits of a colour are dropped
# while the hand moves. Zlib's: its level, the same, and whether opacity is dropped, at rest too: a black background.
COMPRESSORS = {
    "none": "NULL",
    "lz4": "vtkLZ4Compressor 0 0",
    "squirt": "vtkSquirtCompressor 0 3",
    "zlib": "vtkZlibImageCompressor 0 6 2 0",
}
# A round trip (ms) from which on a link counts as a slow one.
FAR = 8.0


@dataclass(frozen=True)
class Options:
    """How a server is used, also when it is had again."""

    timeout: float = 10.0
    connect_id: int = 0
    render: str = "server"
    compression: str = "auto"
    allow_insecure: bool = False
    # Where a server that comes to us is waited for.
    listen: str = "127.0.0.1"
    # Have it again by itself when it is lost.
    reconnect: bool = False

    def __post_init__(self) -> None:
        if self.render not in RENDER:
            raise OptionError(f"render={self.render!r}: it is {', '.join(map(repr, RENDER))}.")
        if self.compression not in ("auto", *COMPRESSORS):
            raise OptionError(f"compression={self.compression!r}: it is 'auto', {', '.join(map(repr, COMPRESSORS))}.")
        if not 0 < self.timeout <= 86400:
            raise OptionError(f"timeout={self.timeout!r}: it is in seconds, above 0 and up to a day.")
        if not (isinstance(self.connect_id, int) and 0 <= self.connect_id < 2**31):
            raise OptionError(f"connect_id={self.connect_id!r}: it is a whole number from 0 to 2147483647.")

    @property
    def threshold(self) -> float:
        return THRESHOLDS[self.render]


class Origin(Protocol):
    """Can be opened again and again."""

    options: Options
    packing: Packing

    @property
    def label(self) -> str:
        """For sentences."""

    def open(self, link: Link, engine: Engine, told: Told) -> list[int]:
        """The relay's ports for the engine, with the server behind them. Raises ServerError."""

    def taken(self, by: Taker) -> None:
        """A session is connected, and can be told things from now on."""

    def left(self, by: Taker) -> None:
        """That session is elsewhere from now on."""

    def moved(self) -> bool:
        """Whether it is somewhere else now than where it was opened last: to be had again there."""

    def close(self) -> None:
        """End what was started for it. May be called twice."""

    def ended(self) -> str:
        """What is known of its end beyond the connection's: a sentence, or nothing."""

    def memory(self) -> list[dict[str, Any]] | None:
        """Of each rank, if that can be had without asking the server."""

    def hung(self) -> str:
        """Why it cannot answer, if that can be known: a sentence, or nothing."""

    @property
    def version(self) -> str:
        """Of its ParaView, if more is known than that it is the engine's."""

    @property
    def safety(self) -> str: ...


@dataclass(frozen=True)
class Engine:
    """Who connects."""

    # Of ParaView: "5.11.0".
    version: str
    # Its program; none where it is this kernel.
    program: Path | None
    # In which job it is; empty for this machine.
    at: str = ""

    @property
    def minor(self) -> str:
        return ".".join(self.version.split(".")[:2])


@dataclass
class Packing:
    """How pictures are packed between server and client: chosen for the link, unless it was said."""

    wish: str
    # A round trip in milliseconds; none on this machine.
    rtt: float | None = None

    @property
    def name(self) -> str:
        if self.wish != "auto":
            return self.wish
        if self.rtt is None:
            return "none"
        return "lz4" if self.rtt < FAR else "zlib"

    @property
    def compressor(self) -> str:
        """For ParaView."""
        return COMPRESSORS[self.name]

    @property
    def sentence(self) -> str:
        how = {
            "none": "as they are",
            "lz4": "packed by LZ4, without loss",
            "squirt": "packed by Squirt, with loss, also at rest",
            "zlib": "packed by zlib, with loss while the hand moves",
        }[self.name]
        if self.wish != "auto":
            return f"{how}, as asked."
        if self.rtt is None:
            return f"{how}: the server is on this machine."
        return f"{how}: a round trip to the server takes {self.rtt:.1f} ms."


@dataclass
class Reached:
    """A server of somebody's, at an address; it comes to us where the address says that it does."""

    address: Address
    options: Options
    label: str = ""
    packing: Packing = field(init=False)

    def __post_init__(self) -> None:
        self.label = self.label or str(self.address)
        self.packing = Packing(self.options.compression)

    def open(self, link: Link, engine: Engine, told: Told) -> list[int]:
        self.begin(link, engine)
        return self.finish(link, engine, told)

    def begin(self, link: Link, engine: Engine) -> None:
        """Let the relay connect, or wait for who comes."""
        link.begin(self._wish(engine))

    def finish(self, link: Link, engine: Engine, told: Told) -> list[int]:
        ports = link.wait(self._wish(engine), told)
        state = link.state()
        self.packing.rtt = None if _is_here(state.get("peer", "")) else state["rtt"] or FAR
        return ports

    def _wish(self, engine: Engine) -> Wish:
        options = self.options
        if self.address.reverse:
            if not _is_here(f"{options.listen}:0") and not options.connect_id and not options.allow_insecure:
                raise OptionError(
                    f"listen={options.listen!r} waits for whoever comes from the network, and there is no connect_id "
                    f"to know the right one by: start the server with --connect-id=NUMBER and give connect_id=NUMBER "
                    f"here, or accept the risk with allow_insecure=True."
                )
            lines = tuple(Line("listen", options.listen, place.port) for place in self.address.places)
        else:
            lines = tuple(Line("connect", place.host or "localhost", place.port) for place in self.address.places)
        return Wish(lines, engine.minor, self.label, options.connect_id, options.timeout, trust=options.allow_insecure)

    def taken(self, by: Taker) -> None:
        """It has nothing to tell."""

    def left(self, by: Taker) -> None:
        """Nor has it here."""

    def moved(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing of it is ours."""

    def ended(self) -> str:
        return ""

    def hung(self) -> str:
        return ""

    def memory(self) -> list[dict[str, Any]] | None:
        return None

    @property
    def version(self) -> str:
        # ParaView's greeting has two numbers, and they are the engine's.
        return ""

    @property
    def safety(self) -> str:
        if self.address.reverse:
            return (
                "The server has come to us: nothing listens there or here any more. What passes is not encrypted; "
                "between machines use a tunnel."
            )
        return (
            "The server was open to whoever came first, until we did; its door is closed now. What passes is not "
            "encrypted; between machines use a tunnel."
        )


def _is_here(peer: str) -> bool:
    host = peer.rpartition(":")[0].strip("[]")
    return host in ("", "localhost", "::1") or host.startswith("127.")
