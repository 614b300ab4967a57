"""A site's file from questions."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from pvlink import cli
from pvlink.errors import OptionError
from pvlink.launchers import asking, site


def answers(**given: str) -> Callable[[str, str], str]:
    """By a word of the question; what is not given is as usual. Several with bars between: one after the other."""
    left = {word: said.split("|") for word, said in given.items()}

    def ask(question: str, usual: str) -> str:
        found = next((said for word, said in left.items() if word in question and said), None)
        return found.pop(0) if found else ""

    return ask


def test_a_cluster_is_described() -> None:
    ask = answers(
        people="Oscar",
        login="oscar.example.org",
        Partitions="gpu gpu-he",
        gres="gpu",
        units="45G",
        brings="module load paraview/5.11",
    )
    found, text = asking.asked("oscar", ask)
    assert site.read(text, "x", "oscar") == found
    assert tomllib.loads(text) == {
        "title": "Oscar",
        "ssh": {"host": "oscar.example.org"},
        "slurm": {"partitions": ["gpu", "gpu-he"], "gpus": "gpu"},
        "rule": {"per": "45G", "gpus": 1, "most": 4},
        "paraview": {"setup": ["module load paraview/5.11"]},
    }


def test_who_says_nothing_has_a_site_too() -> None:
    found, text = asking.asked("here", answers())
    assert found == site.Site(name="here")
    assert text == "\n"


def test_an_answer_that_cannot_be_is_asked_for_again() -> None:
    found, _ = asking.asked("x", answers(units="45|45G", **{"Cores of": "many|2", "jobs there": "pbs|none"}))
    assert found.rule == site.Rule("45G", cores=2, most=4)
    assert found.scheduler == "none"


def test_it_is_written_where_sites_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("builtins.input", lambda question: "Oscar" if "people" in question else "")
    with pytest.raises(SystemExit) as ended:
        cli.main(["site", "new", "oscar"])
    assert ended.value.code == 0
    assert (tmp_path / "pvlink" / "sites" / "oscar.toml").read_text() == 'title = "Oscar"\n'
    assert "pvlink launch oscar" in capsys.readouterr().out
    with pytest.raises(SystemExit) as again:
        cli.main(["site", "new", "oscar"])
    assert again.value.code == 1
    assert "is there already" in capsys.readouterr().err


def test_a_name_is_a_files_name() -> None:
    with pytest.raises(OptionError, match="no name for a site"):
        asking.asked("../x", answers())
