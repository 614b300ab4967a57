"""The secret that simulation and notebook have in common."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.insitu import key

pytestmark = pytest.mark.insitu

SECRET = bytes(range(key.LENGTH))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "share" / "pvlink" / "insitu.key"
    monkeypatch.setenv(key.VARIABLE, str(path))
    return path


def written(path: Path, what: bytes, mode: int = 0o600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(what)
    path.chmod(mode)


# -- where it is -----------------------------------------------------------------------------------


def test_it_is_with_the_users_other_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(key.VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert key.place() == tmp_path / ".local" / "share" / "pvlink" / "insitu.key"

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert key.place() == tmp_path / "data" / "pvlink" / "insitu.key"


def test_another_place_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv(key.VARIABLE, "/project/our.key")
    assert key.place() == Path("/project/our.key")

    monkeypatch.setenv(key.VARIABLE, "")
    assert key.place() == tmp_path / "pvlink" / "insitu.key"


# -- how it comes to be ----------------------------------------------------------------------------


def test_it_is_made_once_and_then_read(place: Path) -> None:
    first = key.read()

    assert len(first) == key.LENGTH
    assert place.read_bytes() == first == key.read()


def test_nobody_else_can_read_it(place: Path) -> None:
    mask = os.umask(0)
    try:
        key.read()
    finally:
        os.umask(mask)

    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700


def test_another_place_has_another_key(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = key.read()
    monkeypatch.setenv(key.VARIABLE, str(place.with_name("other.key")))

    assert key.read() != first


def test_all_who_come_at_the_same_moment_have_the_same(place: Path) -> None:
    found: list[bytes] = []
    gate = threading.Barrier(16)

    def come() -> None:
        gate.wait()
        found.append(key.read())

    threads = [threading.Thread(target=come) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 16
    assert set(found) == {place.read_bytes()}
    assert list(place.parent.iterdir()) == [place]


def test_who_comes_second_takes_what_the_first_one_has_made(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def late(made: Path, path: Path) -> None:
        written(path, SECRET)
        link(made, path)

    monkeypatch.setattr(os, "link", late)

    assert key.read() == SECRET
    assert list(place.parent.iterdir()) == [place]


# -- what is no key --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o620, 0o610])
def test_one_that_others_can_read_or_write_is_none(place: Path, mode: int) -> None:
    written(place, SECRET, mode)

    with pytest.raises(key.NoKey, match=r"can be read by others.*chmod 600"):
        key.read()

    place.chmod(0o600)
    assert key.read() == SECRET


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_one_that_only_its_owner_can_read_is_one(place: Path, mode: int) -> None:
    written(place, SECRET, mode)

    assert key.read() == SECRET


def test_somebody_elses_is_none(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(place, SECRET)
    monkeypatch.setattr(os, "getuid", lambda: place.stat().st_uid + 1)

    with pytest.raises(key.NoKey, match="is somebody else's"):
        key.read()


@pytest.mark.parametrize("length", [0, 1, key.LENGTH - 1])
def test_one_that_is_too_short_is_none(place: Path, length: int) -> None:
    written(place, SECRET[:length])

    with pytest.raises(key.NoKey, match="is no key: delete it"):
        key.read()
    assert place.read_bytes() == SECRET[:length]


def test_of_a_longer_one_the_beginning_counts(place: Path) -> None:
    written(place, SECRET + b"\n")

    assert key.read() == SECRET


def test_where_none_can_be_kept_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(key.VARIABLE, "/proc/pvlink/insitu.key")

    with pytest.raises(key.NoKey, match=f"No key can be kept in /proc/pvlink: .*{key.VARIABLE} may name"):
        key.read()


def test_a_folder_is_no_key(place: Path) -> None:
    place.mkdir(parents=True)

    with pytest.raises(key.NoKey):
        key.read()


def test_a_file_is_no_folder_for_one(place: Path) -> None:
    place.parent.parent.mkdir(parents=True)
    place.parent.touch()

    with pytest.raises(key.NoKey):
        key.read()


def test_a_disk_without_links_is_left_as_it_was(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(made: Path, path: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)

    with pytest.raises(key.NoKey, match="Operation not permitted"):
        key.read()

    assert list(place.parent.iterdir()) == []


# -- proofs ----------------------------------------------------------------------------------------


def test_a_proof_is_for_one_key_one_side_and_these_nonces_in_their_order() -> None:
    other = bytes(key.LENGTH)
    one, two = key.nonce(), key.nonce()
    proofs = [
        key.proof(SECRET, "shore", one, two),
        key.proof(SECRET, "ferry", one, two),
        key.proof(other, "shore", one, two),
        key.proof(SECRET, "shore", two, one),
        key.proof(SECRET, "shore", one),
        key.proof(SECRET, "shore", one + two),
        key.proof(SECRET, "shore", one, key.nonce()),
    ]

    assert len(set(proofs)) == len(proofs)
    assert key.proven(key.proof(SECRET, "shore", one, two), proofs[0])
    assert not any(key.proven(proof, proofs[0]) for proof in proofs[1:])


def test_nonces_are_never_the_same() -> None:
    found = {key.nonce() for _ in range(1000)}

    assert len(found) == 1000
    assert {len(bytes.fromhex(one)) for one in found} == {key.NONCE}


@given(
    st.none()
    | st.booleans()
    | st.integers()
    | st.binary()
    | st.text(st.characters(codec="utf-8"))
    | st.lists(st.text())
)
def test_nothing_else_proves_anything(given_: object) -> None:
    expected = key.proof(SECRET, "shore", "1", "2")

    assert not key.proven(given_, expected)


def test_half_a_character_proves_nothing() -> None:
    assert not key.proven("\ud800", key.proof(SECRET, "shore", "1", "2"))
