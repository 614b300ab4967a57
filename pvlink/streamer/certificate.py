"""The certificate of shared links: the user's own, or one made here and kept, so that its fingerprint stays."""

from __future__ import annotations

import contextlib
import datetime
import errno
import ipaddress
import os
import secrets
import socket
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pvlink.streamer.shares import ShareError

# Browsers refuse longer ones even when told to trust them.
VALID = datetime.timedelta(days=397)
# One that ends sooner than the longest usual share is replaced.
LEFT_AT_LEAST = datetime.timedelta(days=30)
_NAME = "certificate.pem"
# Ours has 1.2 KB; somebody's chain a few of these.
MAX_BYTES = 1 << 16
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ANY = ("0.0.0.0", "::")  # noqa: S104 - what a user may ask for, not what we listen on


@dataclass(frozen=True)
class Identity:
    """What a door shows."""

    certificate: bytes
    key: bytes
    fingerprint: str
    # What the owner should know about it; empty if nothing.
    note: str = ""

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # OpenSSL reads from files only. This one has no name.
        fd = os.memfd_create("pvlink-identity")
        with os.fdopen(fd, "wb") as file:
            file.write(self.certificate + b"\n" + self.key)
            file.flush()
            try:
                # A key with a pass phrase must not make OpenSSL ask for it on the terminal, where Jupyter was started.
                context.load_cert_chain(f"/proc/self/fd/{fd}", password=_no_phrase)
            except _PhraseWanted:
                raise ShareError(
                    "The key has a pass phrase. Give one without, in a file that is yours alone."
                ) from None
            except ssl.SSLError as error:
                raise ShareError(f"The certificate and the key do not fit together: {error.reason}.") from None
        return context


class _PhraseWanted(Exception):
    """OpenSSL asks for a pass phrase."""


def _no_phrase() -> str:
    raise _PhraseWanted


def identity(certificate: str, key: str) -> Identity:
    """From the user's files, or our own. May wait for a file system."""
    if bool(certificate) != bool(key):
        raise ShareError("certificate= and key= belong together: give both files, or neither.")
    if certificate:
        return _given(Path(certificate), Path(key))
    try:
        return _kept(_folder())
    except OSError as error:
        note = (
            f"The certificate could not be kept ({error.filename or 'in the home directory'}: {error.strerror}): "
            "the next one has another fingerprint."
        )
        pair = _make()
        return Identity(*pair, _fingerprint(pair[0]), note)


def host_names(host: str) -> set[str]:
    """The names under which this machine's door may be asked for, besides plain addresses."""
    names = {"localhost", host.lower()} if not _is_address(host) else {"localhost"}
    if not _is_loopback(host):
        with contextlib.suppress(OSError):
            names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    return names


def url_host(host: str) -> str:
    """How a link names the host that a door listens on."""
    if host in _ANY:
        full = socket.getfqdn()
        # Where the resolver knows no more than that, the machine's own name is all there is.
        return socket.gethostname() if full.startswith("localhost") else full
    return f"[{host}]" if ":" in host else host


def place(host: str) -> str:
    """Where to listen so that others reach `host`, this machine's name; every address if it is empty."""
    if not host:
        return _ANY[0]
    if _is_address(host) or host == "localhost":
        return host
    try:
        found = socket.gethostbyname(host)
    except OSError:
        # A name that only others know: a gateway's, or one of a container.
        return _ANY[0]
    # Many machines look their own name up in a file that says 127.0.1.1.
    return _ANY[0] if _is_loopback(found) else host


def _given(certificate: Path, key: Path) -> Identity:
    try:
        pair = certificate.read_bytes(), key.read_bytes()
    except OSError as error:
        raise ShareError(f"{error.filename} cannot be read: {error.strerror}.") from None
    try:
        return Identity(*pair, _fingerprint(pair[0]))
    except ValueError:
        raise ShareError(f"{certificate} is not a certificate in PEM form.") from None


def _folder() -> Path:
    data = os.environ.get("XDG_DATA_HOME", "")
    try:
        return (Path(data) if data.startswith("/") else Path.home() / ".local" / "share") / "pvlink"
    except RuntimeError:
        raise OSError(errno.ENOENT, "there is no home directory", "~") from None


def _kept(folder: Path) -> Identity:
    """The one kept in this folder, or a new one, kept there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Held on to, so that what was looked at is what is used, whoever may rename the folders above.
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if os.fstat(at).st_uid != os.getuid():
            raise PermissionError(errno.EPERM, "it belongs to somebody else", str(folder))
        if os.fstat(at).st_mode & 0o077:
            # Who can write here could put his own in the place of ours.
            os.fchmod(at, 0o700)
        if found := _read(at):
            return found
        certificate, key = _make()
        return _keep(at, certificate + key) or Identity(certificate, key, _fingerprint(certificate))
    finally:
        os.close(at)


def _read(folder: int) -> Identity | None:
    """The one that is there, if it is good: nobody else could have read or changed it, and it lasts."""
    try:
        # Not blocking: what stands there might be a pipe.
        fd = os.open(_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
            return None
        pem = file.read(MAX_BYTES)
    with contextlib.suppress(ValueError, ShareError):
        certificate, key = _split(pem)
        if _lasts(certificate):
            found = Identity(certificate, key, _fingerprint(certificate))
            found.context()
            return found
    return None


def _keep(folder: int, pem: bytes) -> Identity | None:
    """What is in place afterwards: another kernel may have been quicker, and its certificate counts for all."""
    # Both in one file, named when it is whole: others read the old pair or the new one, never half of each.
    draft = f".certificate-{secrets.token_hex(8)}"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
    try:
        with os.fdopen(fd, "wb") as file:
            # mkdir's and open's modes are narrowed by the umask, which may leave us nothing.
            os.fchmod(fd, 0o600)
            file.write(pem)
            file.flush()
            os.fsync(fd)
        with contextlib.suppress(OSError):
            # Unlike a rename it fails when there is one.
            os.link(draft, _NAME, src_dir_fd=folder, dst_dir_fd=folder)
        if found := _read(folder):
            return found
        os.rename(draft, _NAME, src_dir_fd=folder, dst_dir_fd=folder)
        return _read(folder)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=folder)


def _split(pem: bytes) -> tuple[bytes, bytes]:
    at = pem.index(b"-----BEGIN PRIVATE KEY-----")
    return pem[:at], pem[at:]


def _lasts(pem: bytes) -> bool:
    ends = x509.load_pem_x509_certificate(pem).not_valid_after_utc
    return ends - datetime.datetime.now(datetime.UTC) > LEFT_AT_LEAST


def _make() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    names = {*_LOOPBACK}
    with contextlib.suppress(OSError):
        names |= {socket.gethostname(), socket.getfqdn()}
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"pvlink of {socket.gethostname()}"[:64])])
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Clocks differ.
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in sorted(names)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _fingerprint(pem: bytes) -> str:
    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex(":").upper()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
