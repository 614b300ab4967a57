"""Links: a password each, an end, a bound, and nobody may be more than its role."""

from __future__ import annotations

from typing import Any

import pytest

from pvlink.streamer.shares import MAX_SHARES, Share, ShareError, Shares, TooFast, UnknownShare, WrongPassword

pytestmark = pytest.mark.trust

ORIGIN = "https://127.0.0.1:8443"
GOOD = "correct horse battery"


def create(shares: Shares, **options: Any) -> tuple[Share, str]:
    facts = {"view": "1", "role": "view", "password": GOOD, "expires": 100.0, **options}
    return shares.create(
        facts["view"], facts["role"], facts["password"], facts["expires"], origin=ORIGIN, fingerprint="AA:BB"
    )


def test_the_right_password_gives_the_share_s_view_and_role() -> None:
    shares = Shares()
    share, _ = create(shares, role="control")
    guest = shares.knock(share.name, GOOD, "192.0.2.1", 50.0)
    assert (guest.view, guest.role, guest.way, guest.who, guest.share) == (
        "1",
        "control",
        "link",
        "192.0.2.1",
        share.name,
    )


@pytest.mark.parametrize("password", ["", "wrong", GOOD.upper(), GOOD + " ", GOOD[:-1], "\ud800", "x" * 4000])
def test_any_other_does_not(password: str) -> None:
    shares = Shares()
    share, _ = create(shares)
    with pytest.raises(WrongPassword):
        shares.knock(share.name, password, "192.0.2.1", 50.0)
    with pytest.raises(TooFast) as refusal:
        shares.knock(share.name, GOOD, "192.0.2.1", 50.5)
    assert 0 < refusal.value.wait <= 0.5
    shares.knock(share.name, GOOD, "192.0.2.1", 51.0)


def test_the_password_of_another_link_does_not() -> None:
    shares = Shares()
    share, password = create(shares, password="")
    other, _ = create(shares, password="")
    with pytest.raises(WrongPassword):
        shares.knock(other.name, password, "192.0.2.1", 50.0)
    # Guesses at one link hold nobody up at another.
    shares.knock(share.name, password, "192.0.2.1", 50.0)


@pytest.mark.parametrize("now", [100.0, 101.0, 1e12])
def test_after_its_time_it_does_not_exist(now: float) -> None:
    shares = Shares()
    share, _ = create(shares)
    with pytest.raises(UnknownShare):
        shares.knock(share.name, GOOD, "192.0.2.1", now)
    assert shares.expired(now) == [share.name]


def test_revoked_it_does_not_exist() -> None:
    shares = Shares()
    share, _ = create(shares)
    assert shares.origins() == {ORIGIN}
    assert shares.revoke(share.name) == share
    with pytest.raises(UnknownShare):
        shares.knock(share.name, GOOD, "192.0.2.1", 50.0)
    assert shares.revoke(share.name) is None
    assert (len(shares), shares.origins(), shares.next_end()) == (0, set(), None)


def test_nobody_becomes_owner_by_a_link() -> None:
    for role in ("owner", "", "VIEW", "admin"):
        with pytest.raises(ShareError, match="stays with you"):
            create(Shares(), role=role)


def test_a_weak_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(ShareError, match="10 are the least") as refusal:
        create(Shares(), password="short-Pw1")
    assert "short-Pw1" not in str(refusal.value)


def test_links_have_a_bound() -> None:
    shares = Shares()
    for _ in range(MAX_SHARES):
        create(shares)
    with pytest.raises(ShareError, match=f"{MAX_SHARES} links are open already"):
        create(shares)


def test_the_password_is_in_no_repr_nor_in_what_the_owner_is_told_by_itself() -> None:
    shares = Shares()
    share, password = create(shares, password="")
    assert password not in repr(share)
    assert password not in repr(share.info())
    assert share.name in share.url


def test_the_next_end_is_the_soonest() -> None:
    shares = Shares()
    create(shares, expires=300.0)
    first, _ = create(shares, expires=200.0, view="2")
    assert shares.next_end() == 200.0
    assert shares.expired(250.0) == [first.name]
    assert [share.name for share in shares.of("2")] == [first.name]
