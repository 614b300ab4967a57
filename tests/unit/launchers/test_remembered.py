"""Which way has worked, from one kernel to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from pvlink.launchers import remembered

pytestmark = pytest.mark.cluster


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def test_what_has_worked_is_known_the_next_time() -> None:
    assert remembered.way("oscar") == ""
    remembered.keep_way("oscar", "socket")
    remembered.keep_way("other", "jump")
    remembered.keep_way("oscar", "direct")
    assert (remembered.way("oscar"), remembered.way("other")) == ("direct", "jump")


def test_the_oldest_is_forgotten() -> None:
    for number in range(remembered.MOST + 1):
        remembered.keep_way(f"host{number}", "direct")
    assert remembered.way("host0") == ""
    assert remembered.way("host1") == remembered.way(f"host{remembered.MOST}") == "direct"


@pytest.mark.parametrize("garbage", ["", "[]", "{", '{"oscar": 3}', "[" * 100_000])
def test_what_is_no_such_file_is_none(state: Path, garbage: str) -> None:
    remembered.keep_way("oscar", "direct")
    (state / "pvlink" / "ways.json").write_text(garbage)
    assert remembered.way("oscar") == ""


def test_a_home_that_takes_nothing_keeps_nobody_from_working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    remembered.keep_way("oscar", "direct")
    assert remembered.way("oscar") == ""
