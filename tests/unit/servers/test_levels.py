"""Which level is taken, and what is said of it."""

from __future__ import annotations

import pytest

from pvlink.errors import OptionError, ServerError
from pvlink.servers.levels import LEVELS, Level, binds, decide, safety

pytestmark = pytest.mark.servers

NO = "Operation not permitted"


def test_the_best_that_works_is_taken() -> None:
    assert decide(None, allow_insecure=False, refusal="", version="5.11.0").level == "namespace"
    decision = decide(None, allow_insecure=True, refusal=NO, version="5.13.0")
    assert decision.level == "reverse"
    assert decision.why_not == {"namespace": f"this machine gives no network namespace ({NO})"}


@pytest.mark.parametrize(
    ("wish", "version", "insecure", "why"),
    [
        ("namespace", "5.11.0", False, NO),
        ("loopback", "5.11.0", True, "--bind-address came with 5.13"),
        ("open", "5.13.0", False, "allow_insecure=True"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(wish: str, version: str, insecure: bool, why: str) -> None:
    with pytest.raises(ServerError, match=why) as caught:
        decide(wish, allow_insecure=insecure, refusal=NO, version=version)
    assert caught.value.reason == "level"


def test_a_wish_is_followed_and_what_would_have_been_better_is_named() -> None:
    decision = decide("open", allow_insecure=True, refusal=NO, version="5.11.0")
    assert decision.level == "open"
    assert list(decision.why_not) == ["namespace", "reverse", "loopback"]
    assert decision.why_not["reverse"] == "another level was asked for"
    assert decide("loopback", allow_insecure=False, refusal="", version="6.0.1").level == "loopback"


def test_another_word_is_no_level() -> None:
    with pytest.raises(OptionError, match="namespace, reverse, loopback, open"):
        decide("tls", allow_insecure=False, refusal="", version="5.11.0")


@pytest.mark.parametrize(("version", "can"), [("5.9.1", False), ("5.12.1", False), ("5.13.0", True), ("6.0.0", True)])
def test_versions_that_bind(version: str, can: bool) -> None:
    assert binds(version) is can


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_says_what_others_can_do(level: Level) -> None:
    alone = safety(level, mpi="", doors_shut=True)
    assert alone.endswith(".")
    assert ("INSECURE" in alone) == (level == "open")
    assert ("could" in alone) == (level in ("loopback", "open"))
    if level == "namespace":
        assert safety(level, mpi="Open MPI", doors_shut=True) == alone
    else:
        assert "now they answer nobody" in safety(level, mpi="Open MPI", doors_shut=True)
        assert "serve(ranks=1)" in safety(level, mpi="Open MPI", doors_shut=False)
