"""pvlink installed on a cluster: the command, and what comes of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pvlink.errors import JobError, OptionError
from pvlink.launchers import preparing
from pvlink.launchers.cluster import Cluster
from pvlink.launchers.shells import Done
from pvlink.launchers.shells.here import Here
from pvlink.launchers.site import read
from pvlink.version import __version__

pytestmark = pytest.mark.cluster


class Told(Here):
    """This machine, where one command is answered as a test wants it."""

    def __init__(self, done: Done) -> None:
        self.done = done
        self.asked: list[str] = []

    def run(self, command: object, *, given: str = "", timeout: float = 60.0) -> Done:
        assert isinstance(command, list)
        if command[0] != "sh":
            return super().run(command, given=given, timeout=timeout)
        self.asked = command
        return self.done


def test_its_words_are_arguments_and_its_own_environment_is_not_what_it_is_made_of() -> None:
    made = preparing.command("/home/ann", "pvlink==1; rm -rf ~", ("~/.pvlink/env/bin/python", "/opt/py/bin/python3"))
    assert made[:2] == ["sh", "-c"]
    assert made[3:7] == ["sh", "/home/ann/.pvlink/env", "pvlink==1; rm -rf ~", "/opt/py/bin/python3"]
    assert "rm -rf" not in made[2]
    with pytest.raises(OptionError):
        preparing.command("/home/ann", "pvlink\n", ())


def test_the_script_says_when_there_is_no_python(tmp_path: Path) -> None:
    command = preparing.command(str(tmp_path), "pvlink", ())
    done = subprocess.run([*command[:6], "/nowhere/python3"], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "no Python 3.11 or newer was found there (/nowhere/python3 were tried)" in done.stderr
    assert not (tmp_path / ".pvlink").exists()


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (Done(5, "", "ERROR: No matching distribution found for pvlink==9"), "there: ERROR: No matching distribution"),
        (Done(0, "0.0.1\n", ""), "pvlink 0.0.1 is there now, and this is"),
        (Done(4, "", ""), "no reason was given"),
    ],
)
def test_what_went_wrong_is_said(done: Done, said: str) -> None:
    cluster = Cluster(read("scheduler = 'none'", "there.toml", "there"), "there", Told(done))
    with pytest.raises(JobError, match=said):
        preparing.prepare(cluster, "", lambda _: None)


def test_the_version_is_this_one() -> None:
    shell = Told(Done(0, f"{__version__}\n", ""))
    cluster = Cluster(read("scheduler = 'none'", "there.toml", "there"), "there", shell)
    assert "is installed at there" in preparing.prepare(cluster, "", lambda _: None)
    assert f"pvlink=={__version__}" in shell.asked


@pytest.mark.soak
def test_it_is_installed_from_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    wheel = max((Path(__file__).parents[3] / "dist").glob("*.whl"), key=lambda file: file.stat().st_mtime)
    cluster = Cluster(read("scheduler = 'none'", "there.toml", "there"), "there")
    assert "is installed at there" in preparing.prepare(cluster, str(wheel), lambda _: None)
    assert (tmp_path / ".pvlink" / "env" / "bin" / "python").exists()
