"""Which sites there are, and which of a name counts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pvlink.errors import OptionError
from pvlink.launchers import sites


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A folder of each kind, and a working directory within a project."""
    project = tmp_path / "home" / "project"
    found = {
        "set": tmp_path / "modules",
        "user": tmp_path / "home" / ".config" / "pvlink" / "sites",
        "project": project / ".pvlink" / "sites",
        "machine": tmp_path / "prefix" / "etc" / "pvlink" / "sites",
    }
    for folder in (*found.values(), project / "below"):
        folder.mkdir(parents=True)
    monkeypatch.setenv("PVLINK_SITES", str(found["set"]))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    monkeypatch.chdir(project / "below")
    return found


def test_the_nearest_of_a_name_counts(places: dict[str, Path]) -> None:
    order = ["set", "user", "project", "machine"]
    for whose in order:
        (places[whose] / "oscar.toml").write_text(f'title = "{whose}"')
    for whose in order:
        assert sites.load("oscar").title == whose
        assert [(one.name, one.whose) for one in sites.find()] == [("oscar", whose)]
        (places[whose] / "oscar.toml").unlink()
    assert sites.find() == []


def test_a_project_never_takes_the_place_of_the_users_own(places: dict[str, Path]) -> None:
    (places["project"] / "oscar.toml").write_text('title = "theirs"')
    (places["user"] / "oscar.toml").write_text('title = "mine"')
    assert sites.load("oscar").title == "mine"


def test_a_project_of_somebody_else_is_not_read(places: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    (places["project"] / "oscar.toml").write_text("")
    monkeypatch.setattr("os.getuid", lambda: 12345)
    assert sites.find() == []


def test_a_site_that_is_not_there_is_said_with_those_that_are(places: dict[str, Path]) -> None:
    with pytest.raises(OptionError, match=r"There is no site 'oscar'\. There is none yet\. .*sites/oscar\.toml"):
        sites.load("oscar")
    (places["user"] / "ursa.toml").write_text("")
    (places["machine"] / "no name.toml").write_text("")
    with pytest.raises(OptionError, match=r"There are: ursa\."):
        sites.load("oscar")


@pytest.mark.parametrize(
    ("data", "said"), [(b"\xff", "not text"), (b"#" * (sites.MAX_BYTES + 1), "more than"), (None, "No such file")]
)
def test_a_file_that_is_none_is_said_so(tmp_path: Path, data: bytes | None, said: str) -> None:
    file = tmp_path / "odd.toml"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(OptionError, match=said):
        sites.load(file)
