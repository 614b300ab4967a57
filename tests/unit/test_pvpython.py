"""Finding ParaView, in folders made for the purpose."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pvlink import pvpython
from pvlink.errors import PvpythonNotFound


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No ParaView anywhere but where a test puts one."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv(pvpython.VARIABLE, raising=False)
    places = [place for place in pvpython.PLACES if place.startswith("~")]
    monkeypatch.setattr(pvpython, "PLACES", (*places, f"{tmp_path}/opt/ParaView*/bin/pvpython"))


def make(folder: Path, mode: int = 0o755) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "pvpython"
    program.write_text("#!/bin/sh\n")
    program.chmod(mode)
    return program


def test_the_argument_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, named, on_path = (make(tmp_path / name) for name in ("asked", "named", "path"))
    monkeypatch.setenv(pvpython.VARIABLE, str(named))
    monkeypatch.setenv("PATH", str(on_path.parent))
    found = pvpython.find(asked)
    assert (found.path, found.why, found.others) == (asked, "as asked", ())
    assert pvpython.find(str(asked)) == found


def test_then_the_environment_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named, on_path = make(tmp_path / "named"), make(tmp_path / "path")
    monkeypatch.setenv("PATH", str(on_path.parent))
    monkeypatch.setenv(pvpython.VARIABLE, str(named))
    found = pvpython.find()
    assert found.path == named
    assert found.why == "$PVLINK_PVPYTHON"


def test_then_the_path_and_what_else_there_was_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = make(tmp_path / "a"), make(tmp_path / "b")
    place = make(tmp_path / "opt/ParaView-5.12/bin")
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "none"), str(first.parent), str(second.parent)]))
    found = pvpython.find()
    assert found.path == first
    assert found.others == (second, place)
    assert found.sentence() == (
        f"ParaView: {first} (first on the PATH); also found, not used: {second}, {place}. "
        "Choose with pvlink.start(pvpython=...)"
    )


def test_last_the_well_known_places_newest_first(tmp_path: Path) -> None:
    versions = ["5.9.1", "5.13.2", "5.11.0", "5.2"]
    programs = {
        version: make(tmp_path / f"opt/ParaView-{version}-MPI-Linux-Python3.10-x86_64/bin") for version in versions
    }
    found = pvpython.find()
    assert found.path == programs["5.13.2"]
    assert found.why == "found in a well-known place"
    assert found.others == (programs["5.11.0"], programs["5.9.1"], programs["5.2"])


def test_ones_home_is_a_place(tmp_path: Path) -> None:
    program = make(tmp_path / "home/ParaView-6.0.0/bin")
    assert pvpython.find().path == program


def test_a_second_name_of_the_same_is_not_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make(tmp_path / "opt/ParaView-5.12/bin")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/pvpython").symlink_to(program)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    found = pvpython.find()
    assert found.path == tmp_path / "bin/pvpython"
    assert found.others == ()
    assert "not used" not in found.sentence()


def test_the_folder_it_was_unpacked_to_will_do(tmp_path: Path) -> None:
    program = make(tmp_path / "ParaView/bin")
    assert pvpython.find(tmp_path / "ParaView").path == program
    assert pvpython.find(tmp_path / "ParaView/bin").path == program
    home = make(tmp_path / "home/pv/bin")
    assert pvpython.find("~/pv").path == home


def test_a_bare_name_is_looked_up_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make(tmp_path / "path")
    monkeypatch.setenv("PATH", str(program.parent))
    assert pvpython.find("pvpython").path == program


def test_what_cannot_be_run_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "a", mode=0o644)
    good = make(tmp_path / "b")
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "a"), str(good.parent)]))
    found = pvpython.find()
    assert found.path == good
    assert found.others == ()


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ("nowhere/pvpython", "does not exist"),
        ("plain/pvpython", "cannot be run"),
        ("empty", "is a folder without bin/pvpython"),
    ],
)
def test_a_wrong_wish_says_what_is_wrong_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, state: str
) -> None:
    make(tmp_path / "plain", mode=0o644)
    (tmp_path / "empty").mkdir()
    wish = tmp_path / given
    with pytest.raises(PvpythonNotFound) as caught:
        pvpython.find(wish)
    assert str(caught.value) == f"pvlink.start(pvpython=...) names {wish}, which {state}."
    monkeypatch.setenv(pvpython.VARIABLE, str(wish))
    with pytest.raises(PvpythonNotFound, match=f"variable PVLINK_PVPYTHON names .* which {state}"):
        pvpython.find()


def test_nothing_found_says_where_it_looked_and_what_to_do() -> None:
    with pytest.raises(PvpythonNotFound) as caught:
        pvpython.find()
    said = str(caught.value)
    for word in (
        "No ParaView found",
        "PATH",
        "~/ParaView*/bin/pvpython",
        "apt install paraview",
        "pvlink.start(pvpython=",
    ):
        assert word in said


def test_vtk_is_what_is_left_where_there_is_no_paraview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pvpython, "has_vtk", lambda: True)
    found = pvpython.find()
    assert (found.kind, found.path) == ("vtk", Path(sys.executable))
    assert found.sentence() == f"VTK draws: {sys.executable} (no ParaView was found)"


def test_vtk_may_be_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(make(tmp_path / "path").parent))
    monkeypatch.setattr(pvpython, "has_vtk", lambda: True)
    assert pvpython.find().kind == "paraview"
    assert pvpython.find("vtk").kind == "vtk"
    monkeypatch.setenv(pvpython.VARIABLE, "vtk")
    assert pvpython.find().kind == "vtk"


def test_without_either_the_way_to_both_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pvpython, "has_vtk", lambda: False)
    for wish in (None, "vtk"):
        with pytest.raises(PvpythonNotFound, match=r"pip install 'pvlink\[vtk\]'"):
            pvpython.find(wish)
