"""ParaViews on this machine, in folders made for the purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from pvlink import pvpython
from pvlink.servers import versions

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}/path")
    monkeypatch.delenv(pvpython.VARIABLE, raising=False)
    monkeypatch.setattr(pvpython, "PLACES", (f"{tmp_path}/opt/ParaView*/bin/pvpython",))


def make(folder: Path, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "pvpython"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_all_are_found_and_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = make(tmp_path / "named", "echo paraview version 5.9.1")
    on_path = make(tmp_path / "path", "echo paraview version 5.11.0")
    newer = make(tmp_path / "opt/ParaView-5.13/bin", "echo noise >&2; echo paraview version 5.13.0-RC1")
    make(tmp_path / "opt/ParaView-5.12/bin", "echo no such option >&2; exit 1")
    monkeypatch.setenv(pvpython.VARIABLE, str(named))

    assert versions.installed() == [("5.9.1", named), ("5.11.0", on_path), ("5.13.0", newer)]
    assert versions.matching("5.11.3") == [("5.11.0", on_path)]
    assert versions.matching("5.13") == [("5.13.0", newer)]
    assert versions.matching("6.0.0") == []


def test_one_is_asked_once_until_it_changes(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = make(tmp_path / "path", f"echo x >>{log}; echo version 5.11.0")

    assert versions.installed() == versions.installed() == [("5.11.0", program)]
    assert log.read_text() == "x\n"
    make(tmp_path / "path", f"echo x >>{log}; echo version 5.11.10")
    assert versions.installed() == [("5.11.10", program)]


def test_one_that_hangs_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "ASK_SECONDS", 0.2)
    make(tmp_path / "path", "exec /bin/sleep 5")

    assert versions.installed() == []


def test_two_that_cannot_talk_are_told_what_to_do() -> None:
    here = [("5.11.0", Path("/usr/bin/pvpython")), ("5.9.1", Path("/opt/pv/bin/pvpython"))]

    assert versions.must_match("5.9", "5.11.0", here) == (
        "Server 5.9, this engine 5.11.0: they must match in their first two numbers; found here: 5.11.0 "
        "(/usr/bin/pvpython), 5.9.1 (/opt/pv/bin/pvpython). pvlink.session().connect(..., "
        "pvpython='/opt/pv/bin/pvpython') takes the one that matches."
    )
    assert versions.must_match("6.0", "5.11.0", []) == (
        "Server 6.0, this engine 5.11.0: they must match in their first two numbers; found here: none. None matches: "
        "start a server of ParaView 5.11, or install ParaView 6.0 and name its pvpython: "
        "pvlink.session().connect(..., pvpython='/path/to/bin/pvpython')."
    )


def test_5_1_is_not_5_11() -> None:
    assert versions.minor("5.11.0-RC1-132-gabc") == "5.11"
    assert versions.minor("5.1.2") == "5.1"
