"""Where kernel, streamer and Jupyter server meet, and who may not."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pvlink import rendezvous

SESSION = "0123456789abcdef" * 2


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path, Path]]:
    # pytest's own temporary paths are too long for a socket's.
    with tempfile.TemporaryDirectory(prefix="pv") as short:
        yield _places(Path(short), monkeypatch)


def _places(base: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, Path]:
    own, runtime, last = base / "own", base / "xdg" / "pvlink", base / "last"
    runtime.parent.mkdir()
    monkeypatch.setenv("PVLINK_RUNTIME_DIR", str(own))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime.parent))
    monkeypatch.setattr(rendezvous, "candidates", lambda: [own, runtime, last])
    return own, runtime, last


def test_the_candidates_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PVLINK_RUNTIME_DIR", "/a")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1")
    last = Path(f"/tmp/pvlink-{os.getuid()}")
    assert rendezvous.candidates() == [Path("/a"), Path("/run/user/1/pvlink"), last]
    monkeypatch.setenv("PVLINK_RUNTIME_DIR", "relative")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert rendezvous.candidates() == [last]


def test_listen_and_find(places: tuple[Path, Path, Path]) -> None:
    listener, path = rendezvous.listen(SESSION)
    with listener:
        assert path == places[0] / f"{SESSION}.sock" == rendezvous.socket_path(SESSION)
        assert rendezvous.find(SESSION) == path
        assert rendezvous.answers(path)
        assert [entry.name for entry in places[0].iterdir()] == [path.name]
    assert not rendezvous.answers(path)


@pytest.mark.parametrize("umask", ["000", "022", "777"])
def test_the_umask_does_not_matter(places: tuple[Path, Path, Path], umask: str) -> None:
    code = (
        f"import os; os.umask(0o{umask})\nfrom pvlink import rendezvous\n"
        f"_, path = rendezvous.listen('{SESSION}')\n"
        "print(*(oct(one.stat().st_mode & 0o777) for one in (path, path.parent)))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    said = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["0o600", "0o700"]


def test_a_socket_in_another_candidate_is_found(places: tuple[Path, Path, Path]) -> None:
    places[2].mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as elsewhere:
        elsewhere.bind(str(places[2] / f"{SESSION}.sock"))
        assert rendezvous.find(SESSION) == places[2] / f"{SESSION}.sock"


@pytest.mark.parametrize("name", ["", "../" * 10, "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n", "..%2f" + "0" * 27])
def test_only_a_session_is_a_session(places: tuple[Path, Path, Path], name: str) -> None:
    assert rendezvous.find(name) is None
    with pytest.raises(ValueError, match="32 hexadecimal digits"):
        rendezvous.socket_path(name)


def test_a_plain_file_is_no_socket(places: tuple[Path, Path, Path]) -> None:
    (rendezvous.create() / f"{SESSION}.sock").touch()
    assert rendezvous.find(SESSION) is None


def test_a_directory_others_can_enter_is_passed_over(places: tuple[Path, Path, Path]) -> None:
    places[0].mkdir()
    places[0].chmod(0o755)
    assert rendezvous.create() == places[1]
    with socket.socket(socket.AF_UNIX) as trap:
        trap.bind(str(places[0] / f"{SESSION}.sock"))
        assert rendezvous.find(SESSION) is None


def test_a_link_is_passed_over(places: tuple[Path, Path, Path], tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    places[0].symlink_to(tmp_path / "real")
    assert rendezvous.create() == places[1]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_somebody_elses_directory_is_passed_over(places: tuple[Path, Path, Path]) -> None:
    places[0].mkdir(mode=0o700)
    os.chown(places[0], 12345, -1)
    assert rendezvous.create() == places[1]


def test_a_path_too_long_for_a_socket_is_passed_over(
    places: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = places[0].parent / ("x" * 80)
    monkeypatch.setattr(rendezvous, "candidates", lambda: [deep, places[1]])
    assert rendezvous.create() == places[1]


def test_no_candidate_left_says_what_to_do(places: tuple[Path, Path, Path]) -> None:
    for place in places:
        place.parent.mkdir(exist_ok=True)
        place.touch()
    with pytest.raises(rendezvous.RendezvousError) as raised:
        rendezvous.create()
    said = str(raised.value)
    assert all(str(place) in said for place in places)
    assert "is not a directory" in said
    assert "Set PVLINK_RUNTIME_DIR" in said


def test_the_sweep_takes_the_dead_and_leaves_the_living(places: tuple[Path, Path, Path]) -> None:
    listener, alive = rendezvous.listen(SESSION)
    dead, path = rendezvous.listen("f" * 32)
    dead.close()
    # One that has bound and does not listen yet, under its temporary name; and one that never will.
    starting = alive.with_name(".starting")
    given_up = alive.with_name(".given-up")
    note = alive.with_name("note.txt")
    note.touch()
    with listener, socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as two:
        one.bind(str(starting))
        two.bind(str(given_up))
        os.utime(given_up, (time.time() - 120,) * 2)
        assert set(rendezvous.sweep()) == {path, given_up}
        assert {entry.name for entry in places[0].iterdir()} == {alive.name, ".starting", "note.txt"}


def test_a_busy_listener_is_alive(places: tuple[Path, Path, Path]) -> None:
    listener, path = rendezvous.listen(SESSION)
    listener.listen(0)
    with listener, socket.socket(socket.AF_UNIX) as waiting:
        waiting.connect(str(path))
        assert rendezvous.answers(path)
        assert rendezvous.sweep() == []


def test_a_failed_listen_leaves_nothing(places: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(rendezvous.RendezvousError, match=r"no socket can be made in .*: no"):
        rendezvous.listen(SESSION)
    assert list(places[0].iterdir()) == []
    assert stat.S_IMODE(places[0].stat().st_mode) == 0o700


MOUNTS = """\
22 1 0:20 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:30 / /home rw,relatime shared:1 - nfs4 server:/home rw,vers=4.2
31 22 0:31 / /scratch rw - lustre mds@tcp:/scratch rw
32 22 0:32 / /mnt/my\\040cloud rw - fuse.sshfs far:/ rw
33 22 0:33 / /run rw - tmpfs tmpfs rw
34 30 0:34 / /home/me/local rw - xfs /dev/sdb1 rw
35 33 0:35 / /run/over rw - tmpfs tmpfs rw
36 33 0:36 / /run/over rw - beegfs beegfs_nodev rw
37 22 0:37 / /mnt/bits rw - fuse.fuseiso /iso rw
broken line
"""
PLACES = {
    "/tmp/pvlink-1": "ext4",
    "/home/me/.pvlink": "nfs4",
    "/homework": "ext4",
    "/home/me/local/x": "xfs",
    "/scratch/x": "lustre",
    "/mnt/my cloud/x": "fuse.sshfs",
    "/run/user/1/pvlink": "tmpfs",
    "/run/over/x": "beegfs",
    "/mnt/bits/x": "fuse.fuseiso",
}
REMOTE = {"nfs4", "lustre", "fuse.sshfs", "beegfs"}


@pytest.mark.trust
@pytest.mark.parametrize(("place", "kind"), PLACES.items())
def test_the_file_system_is_read_from_the_table(place: str, kind: str) -> None:
    assert rendezvous.file_system(Path(place), MOUNTS) == kind
    assert rendezvous._is_remote(kind) == (kind in REMOTE)


@pytest.mark.trust
@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "lustre", "gpfs", "beegfs", "ceph", "cifs", "smb3", "afs", "fuse.sshfs"]
)
def test_a_network_file_system_is_never_touched(
    kind: str, places: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, _ = places
    first.mkdir(mode=0o700)
    (first / f"{SESSION}.sock").touch()
    table = f"1 0 0:1 / / rw - ext4 d rw\n2 1 0:2 / {first} rw - {kind} server:/x rw\n"
    monkeypatch.setattr(rendezvous, "_mounts", lambda: table)
    touched: list[Path] = []
    looks = rendezvous._flaw

    def look(path: Path) -> str | None:
        touched.append(path)
        return looks(path)

    monkeypatch.setattr(rendezvous, "_flaw", look)

    assert rendezvous.create() == second
    assert rendezvous.find(SESSION) is None
    assert rendezvous.sweep() == []
    assert first not in touched


@pytest.mark.trust
def test_only_network_file_systems_is_said(places: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendezvous, "_mounts", lambda: "1 0 0:1 / / rw - nfs4 server:/ rw\n")
    with pytest.raises(
        rendezvous.RendezvousError, match=r"is on a network file system \(nfs4\).*Set PVLINK_RUNTIME_DIR"
    ):
        rendezvous.create()


FULL = """\
import os, sys
from pathlib import Path
from pvlink import rendezvous
place = Path(sys.argv[1])
rendezvous.candidates = lambda: [place / "pvlink"]
if sys.argv[2] == "directory there":
    rendezvous.create()
try:
    for number in range(10_000):
        (place / f"{number}").touch()
except OSError:
    pass
try:
    rendezvous.listen("0123456789abcdef" * 2)
except rendezvous.RendezvousError as error:
    print(error)
"""


@pytest.mark.trust
@pytest.mark.parametrize("state", ["directory there", "directory missing"])
def test_a_full_disk_says_what_to_do(state: str) -> None:
    # A short path: a socket's has 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="pvl-") as place:
        python = f"exec {sys.executable} -P -c \"$0\" {place} '{state}'"
        script = f"mount -t tmpfs -o size=64k,nr_inodes=16 none {place} && {python}"
        ran = subprocess.run(
            ["unshare", "-rm", "sh", "-c", script, FULL],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=False,
        )
    if "unshare" in ran.stderr or "mount" in ran.stderr:
        pytest.skip(f"no file system can be mounted here: {ran.stderr.strip()}")
    assert "No space left on device" in ran.stdout, ran.stderr
    assert "PVLINK_RUNTIME_DIR" in ran.stdout
