"""How safe a server is that is started here: four levels, best first, and what each means for the user. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pvlink.errors import OptionError, ServerError

Level = Literal["namespace", "reverse", "loopback", "open"]
LEVELS: tuple[Level, ...] = get_args(Level)
# The first with --bind-address.
BINDS = (5, 13)


@dataclass(frozen=True)
class Decision:
    """The level, and of each better one why it is not that."""

    level: Level
    why_not: dict[str, str]


def decide(wish: str | None, *, allow_insecure: bool, refusal: str, version: str) -> Decision:
    """`refusal`: why this machine gives no network of one's own; empty if it does. Raises OptionError, ServerError."""
    if wish is not None and wish not in LEVELS:
        raise OptionError(f"There is no level {wish!r}. The levels, safest first: {', '.join(LEVELS)}.")
    why_not = {"namespace": f"this machine gives no network namespace ({refusal})"} if refusal else {}
    if not binds(version):
        why_not["loopback"] = f"ParaView {version} listens on all addresses; --bind-address came with 5.13"
    if not allow_insecure:
        why_not["open"] = "anybody who reaches the port may come first; allow_insecure=True permits it"
    level: Level = next(one for one in LEVELS if one == wish or (wish is None and one not in why_not))
    if level in why_not:
        raise ServerError(
            f"No server is started at level {level!r}: {why_not[level]}. Without level=, the safest is taken.",
            "level",
        )
    better = LEVELS[: LEVELS.index(level)]
    return Decision(level, {one: why_not.get(one, "another level was asked for") for one in better})


def binds(version: str) -> bool:
    """Whether a pvserver of that version can be told where to listen."""
    return tuple(map(int, version.split(".")[:2])) >= BINDS


def safety(level: Level, *, mpi: str, doors_shut: bool) -> str:
    """What others on this machine can do and cannot, in a sentence or two. `mpi`: its name, where there is one."""
    if level == "namespace":
        return (
            "The server is in a network of its own: nobody can connect to it, from this machine or another. "
            "Others can see that it runs, and its command line; that is no use to them."
        )
    said = {
        "reverse": (
            "The server listens nowhere: it has connected to this session, which lets in only this user's processes. "
            "Others can see its connect-id in its command line; there is nothing to use it on."
        ),
        "loopback": (
            "The server listened for a moment, on this machine only. While it did, any user of this machine could read "
            "its connect-id in its command line and come first; it listens no more."
        ),
        "open": (
            "INSECURE, as allowed: the server listened for a moment, on all addresses. While it did, any user of this "
            "machine could read its connect-id and come first, and others could try to guess it; it listens no more."
        ),
    }[level]
    if not mpi:
        return said
    if doors_shut:
        return f"{said} {mpi}'s own ports were open while the ranks started; now they answer nobody."
    return (
        f"{said} {mpi} itself listens for its ranks and for other hosts, and this machine does not let us shut that: "
        "serve(ranks=1) needs no MPI."
    )
