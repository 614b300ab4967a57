"""A link as its owner holds it: what may be asked, and where its password is not."""

from __future__ import annotations

import copy
import datetime
import json
import pickle
import sys
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
from IPython.core.ultratb import VerboseTB

from pvlink.control import Control
from pvlink.errors import OptionError, PvlinkError, ShareError, StreamerLost
from pvlink.protocol import ShareInfo
from pvlink.sessions import Session
from pvlink.share import Share
from pvlink.streamer.control_port import MAX_REQUEST, _parsed

pytestmark = pytest.mark.trust

CANARY = "Canary-7hK92mQ-" + "pw"


class FakeSession:
    """Answers as a streamer, or not at all."""

    def __init__(self, error: Callable[[], BaseException] | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self._error = error

    def ask(self, op: str, **facts: Any) -> dict[str, Any]:
        # What goes over the wire, and stands in a local variable of the wire's functions.
        text = json.dumps({"id": 1, "op": op, **facts})
        assert len(text) < MAX_REQUEST
        request = _parsed(text.encode())
        assert request.op == op, request.wrong
        if self._error is not None:
            raise self._error()
        self.asked.append(json.loads(text))
        info = ShareInfo("s1", request.role, "https://127.0.0.1:1/s/s1", "AA:BB", 2e9)
        facts = {name: getattr(info, name) for name in info.__struct_fields__}
        return {"share": facts, "password": request.password or "made-up", "note": ""}


def share(session: FakeSession, **options: Any) -> Share:
    return Share.of(cast(Session, session), "1", **options)


def test_what_is_asked_for_goes_to_the_streamer_as_it_is() -> None:
    session = FakeSession()
    made = share(session, role="control", password=CANARY, expires=datetime.timedelta(minutes=5), port=8443)
    asked = session.asked[0]
    assert (asked["role"], asked["password"], asked["expires"], asked["port"]) == ("control", CANARY, 300.0, 8443)
    assert made.password == CANARY
    assert made.url == "https://127.0.0.1:1/s/s1"


def test_nothing_asked_for_leaves_all_to_the_streamer() -> None:
    session = FakeSession()
    share(session)
    share(session, role=None, password=None, expires=None, host=None)
    assert session.asked == [{"id": 1, "op": "share", "view": "1"}] * 2


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"rôle": "view"}, OptionError),
        ({"role": "owner"}, OptionError),
        ({"role": "x" * 10_000_000}, OptionError),
        ({"role": 3}, OptionError),
        ({"password": ""}, ShareError),
        ({"password": b"bytes-and-more"}, OptionError),
        ({"password": True}, OptionError),
        ({"password": CANARY * 1_000_000}, OptionError),
        ({"password": CANARY + "\ud800"}, OptionError),
        ({"password": CANARY + "\0"}, OptionError),
        ({"expires": "1h"}, OptionError),
        ({"expires": True}, OptionError),
        ({"expires": float("nan")}, OptionError),
        ({"expires": float("inf")}, OptionError),
        ({"expires": -float("inf")}, OptionError),
        ({"expires": 0}, OptionError),
        ({"expires": -5}, OptionError),
        ({"expires": 10**400}, OptionError),
        ({"port": "8443"}, OptionError),
        ({"port": -1}, OptionError),
        ({"port": 65536}, OptionError),
        ({"port": True}, OptionError),
        ({"host": 7}, OptionError),
        ({"host": "\0"}, OptionError),
        ({"host": "h" * 10_000_000}, OptionError),
        ({"certificate": "x" * 10_000_000, "key": "k"}, OptionError),
        ({"certificate": "\ud800", "key": "k"}, OptionError),
    ],
)
def test_what_cannot_be_is_refused_before_anybody_is_asked(options: dict[str, Any], error: type[PvlinkError]) -> None:
    session = FakeSession()
    with pytest.raises(error) as refusal:
        share(session, **options)
    assert session.asked == []
    assert len(str(refusal.value)) < 400
    assert CANARY not in str(refusal.value)


FAILURES: list[Callable[[], BaseException]] = [
    lambda: ValueError("The password is too simple."),
    lambda: StreamerLost("The process that sends the pictures does not answer."),
    KeyboardInterrupt,
]


def verbose(call: Callable[[], object]) -> str:
    """What `%xmode Verbose` shows of our part of a failing call: every value of every line."""
    try:
        call()
    except BaseException:  # noqa: BLE001 - also an interrupt
        kind, value, trace = sys.exc_info()
        assert kind is not None
        assert trace is not None
        assert trace.tb_next is not None
        # Without this test's own lines, which hold the password as a user's would.
        return str(VerboseTB(theme_name="nocolor").text(kind, value, trace.tb_next.tb_next))
    raise AssertionError("it did not fail")


@pytest.mark.parametrize("failure", FAILURES)
def test_a_verbose_trace_of_a_failing_call_shows_no_password(failure: Callable[[], BaseException]) -> None:
    secret = {"password": CANARY}
    text = verbose(lambda: Share.of(cast(Session, FakeSession(failure)), "1", **secret))
    assert "Share.of" in text or "in of" in text
    assert "<password>" in text
    assert CANARY not in text


def test_nor_does_one_of_a_wrong_option() -> None:
    secret = {"password": CANARY, "port": -1}
    text = verbose(lambda: Share.of(cast(Session, FakeSession()), "1", **secret))
    assert CANARY not in text


def test_nor_does_one_from_the_real_wire() -> None:
    import socket

    ours, theirs = socket.socketpair()
    control = Control(ours, lambda: StreamerLost("gone"))

    def close() -> None:
        with theirs:
            theirs.recv(1 << 16)

    closing = threading.Thread(target=close)
    closing.start()

    class Wired(FakeSession):
        def ask(self, op: str, **facts: Any) -> dict[str, Any]:
            return control.ask(op, **facts)[0]

    secret = {"password": CANARY}
    text = verbose(lambda: Share.of(cast(Session, Wired()), "1", **secret))
    closing.join()
    control.close()
    assert "StreamerLost" in text
    assert CANARY not in text


def test_a_share_shows_all_but_its_password() -> None:
    made = share(FakeSession(), password=CANARY)
    for text in (repr(made), str(made), f"{made}"):
        assert CANARY not in text
        assert made.url in text


@pytest.mark.parametrize("keep", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_share_cannot_be_kept(keep: Callable[[Share], object]) -> None:
    with pytest.raises(TypeError, match="holds a password"):
        keep(share(FakeSession(), password=CANARY))


def test_revoking_twice_or_after_the_end_is_no_error() -> None:
    def gone() -> BaseException:
        return StreamerLost("gone")

    session = FakeSession()
    made = share(session)
    made.revoke()
    made.revoke()
    assert [asked["op"] for asked in session.asked] == ["share", "revoke", "revoke"]
    session._error = gone
    made.revoke()
