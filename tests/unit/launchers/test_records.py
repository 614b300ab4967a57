"""What is kept of jobs on this machine; how often a scheduler is asked."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pvlink.launchers import records
from pvlink.launchers.pace import Pace
from pvlink.launchers.records import Record


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def record(launched: float, ended: str = "") -> Record:
    key = records.new_key(launched)
    return Record(key, "oscar", "oscar", "7", f"/home/ann/{key}", "45 GB", launched, 3600, ended=ended)


def test_the_newest_comes_first_and_the_old_ones_go() -> None:
    now = time.time()
    first, second, old = record(now - 10), record(now), record(now - 30 * 86400, "It was cancelled.")
    for one in (first, second, old):
        records.write(one)
    assert records.read() == [second, first]
    assert len(list(records.folder().iterdir())) == 2


def test_nothing_was_ever_launched() -> None:
    assert records.read() == []


def test_what_is_no_record_is_passed_over() -> None:
    records.write(record(time.time()))
    for name, text in (("x.json", "{"), ("y.json", '{"key": 1}'), ("z.txt", "")):
        (records.folder() / name).write_text(text)
    assert len(records.read()) == 1


def test_they_are_for_their_user_only() -> None:
    records.write(record(time.time()))
    assert records.folder().stat().st_mode & 0o077 == 0


def test_a_scheduler_is_asked_ever_more_seldom_while_nothing_changes() -> None:
    pace, now, asked = Pace(0.5, 20.0), 0.0, []
    while now < 3600:
        if pace.due(now):
            asked.append(now)
            pace.asked(now, changed=False)
        now += 0.1
    assert asked[0] == 0.0
    # One a second in the beginning, then three a minute.
    assert len([one for one in asked if one < 10]) in range(4, 9)
    assert len(asked) < 3600 / 20 + 20


def test_and_soon_again_when_something_has() -> None:
    pace = Pace(0.5, 20.0)
    for now in (0.0, 10.0, 30.0, 60.0, 90.0, 120.0, 150.0):
        pace.asked(now, changed=False)
    assert not pace.due(155.0)
    pace.hurry()
    assert pace.due(155.0)
    pace.asked(155.0, changed=True)
    assert pace.due(155.6)
