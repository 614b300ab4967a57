"""Tickets: once, soon, at one door; and proofs that fit one side of one connection."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.protocol import TICKET_SECONDS
from pvlink.streamer.tickets import (
    MAX_WAITING,
    MAX_WAITING_OF_LINK,
    Guest,
    Ticket,
    Tickets,
    TooManyTickets,
    nonce,
    proof,
    proves,
)

pytestmark = pytest.mark.trust

OWNER = Guest("1", "owner", "jupyter", "ann")
VISITOR = Guest("1", "view", "link", "192.0.2.7", "s1")
# The same rows as in js/tests/handshake.test.ts.
ROWS = json.loads((Path(__file__).parents[2] / "data" / "handshake.json").read_text())


def test_a_ticket_is_good_once() -> None:
    tickets = Tickets()
    grant = tickets.issue(OWNER, 0.0)
    found = tickets.redeem(grant.ticket, "jupyter", 1.0)
    assert found is not None
    assert (found.guest, found.key) == (OWNER, grant.key)
    assert tickets.redeem(grant.ticket, "jupyter", 1.0) is None


@pytest.mark.parametrize(("age", "good"), [(0.0, True), (TICKET_SECONDS - 0.001, True), (TICKET_SECONDS, False)])
def test_a_ticket_is_good_for_thirty_seconds(age: float, good: bool) -> None:
    tickets = Tickets()
    grant = tickets.issue(OWNER, 100.0)
    assert (tickets.redeem(grant.ticket, "jupyter", 100.0 + age) is not None) is good


def test_a_ticket_shown_at_the_other_door_is_lost() -> None:
    tickets = Tickets()
    grant = tickets.issue(VISITOR, 0.0)
    assert tickets.redeem(grant.ticket, "jupyter", 0.0) is None
    assert tickets.redeem(grant.ticket, "link", 0.0) is None


def test_the_tickets_of_a_share_end_with_it() -> None:
    tickets = Tickets()
    theirs, ours = tickets.issue(VISITOR, 0.0), tickets.issue(OWNER, 0.0)
    tickets.forget_share("s1")
    assert tickets.redeem(theirs.ticket, "link", 0.0) is None
    assert tickets.redeem(ours.ticket, "jupyter", 0.0) is not None


def test_one_link_cannot_use_up_all_tickets() -> None:
    tickets = Tickets()
    for _ in range(MAX_WAITING_OF_LINK):
        tickets.issue(VISITOR, 0.0)
    with pytest.raises(TooManyTickets):
        tickets.issue(VISITOR, 0.0)
    tickets.issue(OWNER, 0.0)
    tickets.issue(VISITOR, TICKET_SECONDS + 0.0)


def test_all_doors_together_have_a_bound() -> None:
    tickets = Tickets()
    for _ in range(MAX_WAITING):
        tickets.issue(OWNER, 0.0)
    with pytest.raises(TooManyTickets):
        tickets.issue(OWNER, TICKET_SECONDS - 1.0)
    tickets.issue(OWNER, float(TICKET_SECONDS))


def test_names_keys_and_nonces_are_never_the_same() -> None:
    tickets = Tickets()
    grants = [tickets.issue(OWNER, 0.0) for _ in range(200)]
    assert len({secret for grant in grants for secret in (grant.ticket, grant.key)}) == 400
    assert all(len(grant.key) >= 43 and len(grant.ticket) >= 22 for grant in grants)
    assert len({nonce() for _ in range(200)}) == 200


@given(st.lists(st.tuples(st.sampled_from(["issue", "redeem", "again"]), st.floats(0, 20), st.booleans()), max_size=60))
def test_whatever_happens_no_ticket_is_taken_twice_or_late(steps: list[tuple[str, float, bool]]) -> None:
    tickets, now = Tickets(), 0.0
    given_out: dict[str, float] = {}
    taken: set[str] = set()
    for what, pause, newest in steps:
        now += pause
        if what == "issue" or not given_out:
            given_out[tickets.issue(OWNER, now).ticket] = now
            continue
        name = list(given_out)[-1 if newest else 0]
        found = tickets.redeem(name, "jupyter", now)
        assert (found is not None) == (name not in taken and now - given_out[name] < TICKET_SECONDS)
        taken.add(name)


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_proofs_are_those_of_the_viewer(row: dict[str, str]) -> None:
    ticket = Ticket(row["ticket"], row["key"], OWNER, 0.0)
    nonces = row["viewer_nonce"], row["streamer_nonce"]
    assert proof("streamer", ticket, *nonces) == row["streamer_proof"]
    assert proof("viewer", ticket, *nonces) == row["viewer_proof"]


words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=32)


@given(words, words, words, words, words)
def test_a_proof_fits_one_side_ticket_and_pair_of_nonces(name: str, key: str, one: str, two: str, other: str) -> None:
    ticket = Ticket(name, key, OWNER, 0.0)
    shown = proof("viewer", ticket, one, two)
    assert proves(shown, proof("viewer", ticket, one, two))
    assert not proves(shown, proof("streamer", ticket, one, two))
    for side, name_, key_, a, b in [
        ("viewer", name + other, key, one, two),
        ("viewer", name, key + other, one, two),
        ("viewer", name, key, one + other, two),
        ("viewer", name, key, one, two + other),
    ]:
        assert side == "viewer"
        assert not proves(shown, proof("viewer", Ticket(name_, key_, OWNER, 0.0), a, b))


@pytest.mark.parametrize(
    "shown", [None, "", True, False, 0, 1, [], {}, b"", [""], "\ud800", "0" * 64, "x" * 100_000], ids=repr
)
def test_nothing_but_the_proof_is_the_proof(shown: object) -> None:
    expected = proof("viewer", Ticket("t", "k", OWNER, 0.0), "a", "b")
    assert not proves(shown, expected)
    assert not proves(expected.encode(), expected)
    assert not proves([expected], expected)
    assert not proves(expected.upper(), expected)
    assert not proves(expected[:-1], expected)
