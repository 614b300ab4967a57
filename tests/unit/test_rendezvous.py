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
    with pytest.raises(OSError, match="no"):
        rendezvous.listen(SESSION)
    assert list(places[0].iterdir()) == []
    assert stat.S_IMODE(places[0].stat().st_mode) == 0o700
