"""What can go wrong on the way to a ParaView server: a word for programs, and a sentence for people.

Each sentence says what failed, where, and what to do next.
"""

from __future__ import annotations

import re


class Failure(Exception):
    """There is no connection; `reason` is one of the words below."""

    def __init__(self, reason: str, message: str, server_version: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.server_version = server_version


def name(host: str, why: str) -> Failure:
    return Failure(
        "name",
        f"No machine is known by the name {host!r} here ({why}). Check the spelling, or use the full name or the "
        "number; a compute node's name is often known on its cluster only.",
    )


def refused(place: str, seconds: float) -> Failure:
    return Failure(
        "refused",
        f"Nothing takes a connection at {place} (tried for {seconds:.1f} s). Either no ParaView server has been "
        "started there yet, or it listens on another port, or it has a client already: a pvserver takes one and closes "
        "its door behind it. Start it (again), then connect once more.",
    )


def unreachable(place: str, why: str) -> Failure:
    return Failure(
        "unreachable",
        f"There is no way from here to {place} ({why}). Check that the machine is in reach of this one (a VPN, a "
        "firewall that rejects), or go through ssh.",
    )


def dropped(place: str, seconds: float) -> Failure:
    return Failure(
        "silent",
        f"{place} does not answer at all (waited {seconds:.1f} s): a firewall that drops, or a machine that is off. "
        "Try `ping`, or go through ssh, or let the server come to us (csrc://).",
    )


def mute(place: str, seconds: float) -> Failure:
    return Failure(
        "silent",
        f"{place} accepts a connection and says nothing (waited {seconds:.1f} s): not a ParaView server, or one that "
        "hangs, or one that another client is connecting to. Check the port; if it is right, start the server again.",
    )


def not_paraview(place: str, said: bytes) -> Failure:
    text = re.sub(r"[^\x20-\x7e]+", " ", said.decode("latin-1")).strip()[:40]
    quote = f'it says "{text}"' if len(text) > 3 else f"it says the bytes {said[:8].hex(' ')}"
    return Failure(
        "not-paraview",
        f"What answers at {place} is not a ParaView server: {quote}. Check the port: a pvserver prints the one that "
        "it listens on.",
    )


def wrong_version(place: str, theirs: str, ours: str) -> Failure:
    what = f"is ParaView {theirs}" if theirs else "is another version of ParaView"
    other = f"of version {theirs}" if theirs else "of the server's version"
    return Failure(
        "wrong-version",
        f"The server at {place} {what}, this session's ParaView is {ours}: the first two numbers must match. Start a "
        f"server of version {ours}, or a session with a pvpython {other}.",
        theirs,
    )


def wrong_id(place: str, ours: int) -> Failure:
    what = f"expects another connection id than {ours}" if ours else "expects a connection id, and none was given"
    return Failure(
        "wrong-id",
        f"The ParaView server at {place} {what}. Use the one that it was started with (pvserver --connect-id=N); if "
        "you did not start it, it is somebody else's.",
    )


def backend(place: str) -> Failure:
    return Failure(
        "backend",
        f"The ParaView server at {place} draws with another rendering backend than this session's ParaView. Use the "
        "pvserver and the pvpython of one installation.",
    )


def unknown(place: str, ours: str) -> Failure:
    return Failure(
        "wrong-version",
        f"The ParaView server at {place} does not understand how ParaView {ours} introduces itself: it is another "
        f"version, or was built in another way. Start a server of version {ours}.",
    )


def died(place: str, why: str) -> Failure:
    return Failure(
        "died",
        f"The server at {place} closed the connection in the middle of ParaView's greeting ({why}). It has ended, or "
        "it is no ParaView server: look at what it has printed.",
    )


def died_early(server: str, why: str) -> Failure:
    return Failure(
        "died",
        f"The ParaView server at {server} {why} before the session's ParaView was connected to it. Look at what it has "
        "printed, and start it again.",
    )


def port_in_use(place: str, who: str) -> Failure:
    return Failure(
        "port-in-use",
        f"We cannot wait for a ParaView server at {place}: {who}. Choose another port (0: any that is free), and tell "
        "the server.",
    )


def nobody(place: str, seconds: float, turned_away: str) -> Failure:
    return Failure(
        "timeout",
        f"No ParaView server came to {place} within {seconds:.1f} s.{turned_away} Start it with `pvserver -rc "
        "--client-host=HOST --server-port=PORT`, where HOST is this machine as the server's machine knows it, and look "
        "at what it prints.",
    )


def foreign(place: str, who: str) -> Failure:
    return Failure(
        "foreign",
        f"What listens at {place} belongs to {who}, not to you: whoever is behind it would run your session. If that "
        "is meant so, connect with trust=True.",
    )


def engine(seconds: float) -> Failure:
    return Failure(
        "engine",
        f"The connection to the server stood, but this session's ParaView did not take it within {seconds:.0f} s, so "
        "it was closed. ParaView may be busy: wait until the cell has ended, then connect again.",
    )


def engine_left(server: str) -> Failure:
    return Failure(
        "engine",
        f"This session's ParaView closed its connection to the server at {server} again while the other one was being "
        "made. Connect once more; if it happens again, pvlink.session().restart() starts ParaView anew.",
    )


def way_on(server: str, what: str) -> str:
    """The sentence for a server that was there and is gone."""
    return (
        f"The ParaView server at {server} {what}. The picture is the last one. pvlink.session().reconnect() brings the "
        "pipeline back."
    )
