"""The kept certificate: nobody else's, whole, and the same for all kernels; without a place for it, one for now."""

from __future__ import annotations

import datetime
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pvlink.streamer import certificate
from pvlink.streamer.certificate import VALID, Identity, host_names, identity, url_host
from pvlink.streamer.shares import ShareError

pytestmark = pytest.mark.trust

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "pvlink"


def kept() -> Identity:
    found = identity("", "")
    found.context()
    return found


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o777


def good(folder: Path) -> None:
    """What must hold whatever was there before."""
    assert (mode(folder), mode(folder / "certificate.pem")) == (0o700, 0o600)
    assert (folder / "certificate.pem").lstat().st_uid == os.getuid()
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_made_once_and_kept_for_nobody_else(folder: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        first = kept()
    finally:
        os.umask(before)
    good(folder)
    assert first.note == ""
    assert kept().fingerprint == first.fingerprint
    assert kept().key == first.key


def test_it_is_what_browsers_take(folder: Path) -> None:
    found = x509.load_pem_x509_certificate(kept().certificate)
    assert found.not_valid_after_utc - found.not_valid_before_utc <= datetime.timedelta(days=398)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert "127.0.0.1" in map(str, names.get_values_for_type(x509.IPAddress))
    assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@pytest.mark.parametrize("wide", [0o644, 0o660, 0o606, 0o640])
def test_one_that_others_could_read_or_change_is_replaced(folder: Path, wide: int) -> None:
    former = kept()
    (folder / "certificate.pem").chmod(wide)
    assert kept().fingerprint != former.fingerprint
    good(folder)


def test_a_planted_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    pair = certificate._make()
    victim.write_bytes(b"".join(pair))
    victim.chmod(0o600)
    folder.mkdir()
    (folder / "certificate.pem").symlink_to(victim)
    assert kept().certificate != pair[0]
    assert victim.read_bytes() == b"".join(pair)
    good(folder)


def test_a_draft_that_somebody_planted_is_not_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if its name could be guessed: nobody gets the key through a link, or a file of his own."""
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    folder.mkdir()
    monkeypatch.setattr("secrets.token_hex", lambda _length: "guessed")
    (folder / ".certificate-guessed").symlink_to(victim)
    assert "could not be kept" in certificate.identity("", "").note
    assert victim.read_text() == "as it was"


def test_a_pipe_in_its_place_stops_nothing(folder: Path) -> None:
    folder.mkdir()
    os.mkfifo(folder / "certificate.pem", 0o600)
    kept()
    good(folder)


@pytest.mark.parametrize("wide", [0o777, 0o770, 0o755])
def test_a_folder_open_to_others_is_closed(folder: Path, wide: int) -> None:
    folder.mkdir()
    folder.chmod(wide)
    kept()
    good(folder)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to give a folder away")
def test_a_folder_of_somebody_else_is_not_used(folder: Path) -> None:
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    assert "belongs to somebody else" in kept().note
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to give a file away")
def test_a_pair_of_somebody_else_is_not_used(folder: Path) -> None:
    former = kept()
    os.chown(folder / "certificate.pem", 65534, 65534)
    assert kept().fingerprint != former.fingerprint
    good(folder)


def broken_ones() -> dict[str, bytes]:
    (one, key), (other, _) = certificate._make(), certificate._make()
    return {
        "empty": b"",
        "garbage": bytes(range(256)),
        "cut short": (one + key)[:-40],
        "no key": one,
        "half of each": other + key,
        "no certificate": key,
        "too long": one + key + bytes(1 << 20),
    }


@pytest.mark.parametrize("what", list(broken_ones()))
def test_a_broken_one_is_replaced(folder: Path, what: str) -> None:
    folder.mkdir(mode=0o700)
    (folder / "certificate.pem").write_bytes(broken_ones()[what])
    (folder / "certificate.pem").chmod(0o600)
    found = kept()
    assert found.note == ""
    assert kept().fingerprint == found.fingerprint
    good(folder)


@pytest.mark.parametrize(("left", "stays"), [(31, True), (29, False), (-1, False)])
def test_one_that_ends_soon_is_replaced(folder: Path, left: int, stays: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "VALID", datetime.timedelta(days=left, hours=1))
    folder.mkdir(mode=0o700)
    (folder / "certificate.pem").write_bytes(b"".join(certificate._make()))
    (folder / "certificate.pem").chmod(0o600)
    former = certificate._fingerprint((folder / "certificate.pem").read_bytes())
    monkeypatch.setattr(certificate, "VALID", VALID)
    assert (kept().fingerprint == former) is stays


def test_kernels_that_start_at_once_agree(folder: Path) -> None:
    script = "import sys; sys.stdin.read(1); from pvlink.streamer.certificate import identity; "
    script += "found = identity('', ''); found.context(); print(found.fingerprint)"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(folder.parent)}
    racers = [
        subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        for _ in range(6)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write(b"!")
        racer.stdin.flush()
    said = {racer.communicate(timeout=60)[0] for racer in racers}
    assert len(said) == 1
    assert kept().fingerprint.encode() in said.pop()
    good(folder)


def test_without_a_writable_home_there_is_one_for_now(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/proc/nowhere")
    one = kept()
    assert "the next one has another fingerprint" in one.note
    assert "/proc/nowhere" in one.note
    assert kept().fingerprint != one.fingerprint


def test_without_any_home_there_is_one_for_now(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    assert "there is no home directory" in kept().note


def test_a_home_that_is_a_file_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    assert "could not be kept" in kept().note


@pytest.mark.parametrize("step", ["fsync", "link", "rename"])
def test_a_full_disk_leaves_nothing_behind(folder: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    if step == "link":
        # No hard links there: a rename does.
        assert kept().note == ""
        good(folder)
        return
    if step == "rename":
        (folder).mkdir(mode=0o700)
        (folder / "certificate.pem").write_bytes(b"broken")
    note = kept().note
    assert "No space left on device" in note
    assert [path.name for path in folder.iterdir()] in ([], ["certificate.pem"])


# -- the user's own ------------------------------------------------------------------------------


def test_the_user_s_own_pair_is_used(tmp_path: Path) -> None:
    pair = certificate._make()
    (tmp_path / "c.pem").write_bytes(pair[0])
    (tmp_path / "k.pem").write_bytes(pair[1])
    found = identity(str(tmp_path / "c.pem"), str(tmp_path / "k.pem"))
    assert isinstance(found.context(), ssl.SSLContext)
    assert found.fingerprint == certificate._fingerprint(pair[0])


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    (one, key), (other, _) = certificate._make(), certificate._make()
    for name, data in {"one": one, "key": key, "other": other, "garbage": b"garbage"}.items():
        (tmp_path / name).write_bytes(data)
    for files, words in {
        ("one", ""): "belong together",
        ("", "key"): "belong together",
        ("one", "absent"): "cannot be read",
        ("garbage", "key"): "PEM",
        ("other", "key"): "do not fit together",
        ("one", "garbage"): "do not fit together",
        ("one", "one"): "do not fit together",
    }.items():
        with pytest.raises(ShareError, match=words) as refusal:
            identity(*(str(tmp_path / name) if name else "" for name in files)).context()
        assert "PRIVATE" not in str(refusal.value)


def test_a_key_with_a_pass_phrase_is_refused_and_asks_on_no_terminal(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + VALID)
        .sign(key, hashes.SHA256())
    )
    phrase = serialization.BestAvailableEncryption(b"phrase")
    locked = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, phrase)
    found = Identity(signed.public_bytes(serialization.Encoding.PEM), locked, "")
    with pytest.raises(ShareError, match="pass phrase"):
        found.context()


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("node7", "node7"), ("localhost", "localhost")]
)
def test_links_name_the_host(host: str, shown: str) -> None:
    assert url_host(host) == shown
    assert "localhost" in host_names(host)


def test_on_loopback_no_other_name_is_answered_to() -> None:
    assert host_names("127.0.0.1") == {"localhost"}
    assert host_names("::1") == {"localhost"}
