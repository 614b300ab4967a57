"""What the administrator lets users share: the strictest file counts, and a broken one forbids."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink import policy
from pvlink.policy import Policy, load

pytestmark = pytest.mark.trust

ANYWHERE = ("0.0.0.0", 3600.0, "view")
HERE = ("127.0.0.1", 3600.0, "view")


@pytest.fixture(autouse=True)
def _no_policy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(policy.VARIABLE, raising=False)


def written(tmp_path: Path, text: str, name: str = "policy.toml") -> Path:
    file = tmp_path / name
    file.write_text(text)
    return file


def test_without_a_file_all_may_be_shared(tmp_path: Path) -> None:
    found = load([tmp_path / "absent.toml"])

    assert found == Policy()
    assert found.refusal("0.0.0.0", 1e9, "control") is None
    assert found.refusal(*HERE) is None


def test_a_link_never_gives_the_owners_role() -> None:
    assert "'owner'" in (Policy().refusal("127.0.0.1", 60, "owner") or "")


def test_sharing_is_off(tmp_path: Path) -> None:
    file = written(tmp_path, 'share = "off"')

    assert load([file]).refusal(*HERE) == f"Sharing is off on this machine: {file} says so (share)."


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_lets_this_machine(tmp_path: Path, host: str) -> None:
    assert load([written(tmp_path, 'share = "loopback"')]).refusal(host, 60, "view") is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "login1", "127.0.0.1.example.org", "localhost.evil"])
def test_loopback_lets_no_other(tmp_path: Path, host: str) -> None:
    file = written(tmp_path, 'share = "loopback"')
    refusal = load([file]).refusal(host, 60, "view")

    assert refusal is not None
    assert str(file) in refusal
    assert repr(host) in refusal
    assert 'host="127.0.0.1"' in refusal


@pytest.mark.parametrize(("seconds", "allowed"), [(60, True), (3600, True), (3601, False), (math.inf, False)])
def test_a_link_lives_so_long_and_no_longer(tmp_path: Path, seconds: float, allowed: bool) -> None:
    found = load([written(tmp_path, "share_max_seconds = 3600")])

    assert (found.refusal("0.0.0.0", seconds, "view") is None) is allowed
    assert found.refusal("0.0.0.0", math.nan, "view") is not None


def test_the_roles_a_link_may_give(tmp_path: Path) -> None:
    file = written(tmp_path, 'share_roles = ["view"]')
    found = load([file])

    assert found.refusal("0.0.0.0", 60, "view") is None
    refusal = found.refusal("0.0.0.0", 60, "control")
    assert refusal == f"A link cannot give the role 'control', it gives \"view\": {file} says so (share_roles)."
    assert load([written(tmp_path, "share_roles = []")]).refusal(*HERE) is not None


def test_the_strictest_counts_key_by_key(tmp_path: Path) -> None:
    one = written(tmp_path, 'share = "loopback"\nshare_max_seconds = 7200', "one.toml")
    other = written(tmp_path, 'share = "any"\nshare_max_seconds = 60\nshare_roles = ["view"]', "other.toml")

    for order in ([one, other], [other, one]):
        found = load(order)
        assert (found.share, found.share_max_seconds, found.share_roles) == ("loopback", 60.0, ("view",))
        assert found.sources == {"share": one, "direct": one, "share_max_seconds": other, "share_roles": other}


BROKEN = {
    'shere = "off"': ["'shere'", "share, share_max_seconds, share_roles"],
    'share = "of"': ["share is 'of'", '"off", "loopback" and "any"'],
    "share = false": ["share is False"],
    "share = []": ["share is []"],
    '[share]\nreach = "off"': ["share is {"],
    "share_max_seconds = 0": ["share_max_seconds is 0", "above 0"],
    "share_max_seconds = -5": ["share_max_seconds is -5"],
    "share_max_seconds = true": ["share_max_seconds is True"],
    "share_max_seconds = nan": ["share_max_seconds is nan"],
    "share_max_seconds = inf": ["share_max_seconds is inf"],
    'share_max_seconds = "60"': ["share_max_seconds is '60'"],
    'share_roles = "view"': ["share_roles is 'view'", '"view" and "control"'],
    'share_roles = ["owner"]': ["share_roles is ['owner']"],
    "share_roles = [1, []]": ["share_roles is [1, []]"],
    "share = ": ["Invalid value"],
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_forbids_all_and_says_why(tmp_path: Path, text: str) -> None:
    file = written(tmp_path, text)
    refusal = load([file]).refusal(*HERE)

    assert refusal is not None
    for part in [str(file), *BROKEN[text]]:
        assert part in refusal


def test_a_broken_file_is_not_mended_by_a_good_one(tmp_path: Path) -> None:
    broken, good = written(tmp_path, "nonsense", "a.toml"), written(tmp_path, 'share = "any"', "b.toml")

    assert load([broken, good]).refusal(*HERE) is not None
    assert load([good, broken]).refusal(*HERE) is not None


def test_a_file_that_is_no_text_or_no_file_forbids(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")

    assert "UTF-8" in (load([binary]).refusal(*HERE) or "")
    assert "Is a directory" in (load([tmp_path]).refusal(*HERE) or "")
    assert "Not a directory" in (load([binary / "policy.toml"]).refusal(*HERE) or "")


def test_where_it_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usual = [Path("/etc/pvlink/policy.toml"), Path(sys.prefix, "etc/pvlink/policy.toml")]
    assert policy.paths() == usual

    named = written(tmp_path, 'share = "off"')
    monkeypatch.setenv(policy.VARIABLE, str(named))

    assert policy.paths() == [*usual, named]
    assert str(named) in (load().refusal(*HERE) or "")


def test_a_named_file_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(policy.VARIABLE, str(tmp_path / "absent.toml"))
    monkeypatch.setattr(policy, "paths", lambda: [tmp_path / "absent.toml"])

    refusal = load().refusal(*HERE)

    assert refusal is not None
    assert "absent.toml (named by PVLINK_POLICY): No such file" in refusal


policies = st.fixed_dictionaries(
    {},
    optional={
        "share": st.sampled_from(policy.REACHES).map(lambda value: f'"{value}"'),
        "share_max_seconds": st.integers(1, 10**6).map(str),
        "share_roles": st.lists(st.sampled_from(policy.ROLES), unique=True).map(str),
    },
)


@given(
    first=policies,
    second=policies,
    host=st.sampled_from(["127.0.0.1", "0.0.0.0"]),
    seconds=st.floats(),
    role=st.sampled_from(["owner", "control", "view"]),
)
def test_another_file_only_takes_away(
    tmp_path_factory: pytest.TempPathFactory,
    first: dict[str, str],
    second: dict[str, str],
    host: str,
    seconds: float,
    role: str,
) -> None:
    folder = tmp_path_factory.mktemp("policies")
    texts = ["\n".join(f"{key} = {value}" for key, value in one.items()) for one in (first, second)]
    files = [written(folder, text, f"{number}.toml") for number, text in enumerate(texts)]

    both = load(files).refusal(host, seconds, role) is None
    each = [load([file]).refusal(host, seconds, role) is None for file in files]

    assert both == all(each)


def test_direct_views_are_allowed_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    assert load([tmp_path / "absent.toml"]).direct_refusal("") is None
    refused = load([written(tmp_path, 'direct = "off"')]).direct_refusal("127.0.0.1")
    assert "not to be reached directly" in (refused or "")
    here = load([written(tmp_path, 'direct = "loopback"')])
    assert here.direct_refusal("127.0.0.1") is None
    assert "from this machine only" in (here.direct_refusal("") or "")
    assert "cannot be read" in (load([written(tmp_path, "direct = 1")]).direct_refusal("") or "")


def test_who_forbade_links_and_did_not_know_of_direct_views_forbade_them_too(tmp_path: Path) -> None:
    assert load([written(tmp_path, 'share = "off"')]).direct_refusal("127.0.0.1")
    assert load([written(tmp_path, 'share = "off"\ndirect = "any"')]).direct_refusal("") is None
    # Another file may only take away.
    strict = written(tmp_path, 'direct = "loopback"', "other.toml")
    assert load([strict, written(tmp_path, 'share = "off"\ndirect = "any"')]).direct_refusal("")
