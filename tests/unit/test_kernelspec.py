"""Kernels on ParaView's own Python, as far as files and words go."""

from __future__ import annotations

import json
import os
import stat
import sys
import sysconfig
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest

from pvlink import cli, kernelspec
from pvlink.errors import PvlinkError
from pvlink.kernelspec import Facts

pytestmark = pytest.mark.ways

HERE = (sys.version_info.major, sys.version_info.minor)


def facts(**changes: object) -> Facts:
    same: dict[str, object] = {
        "program": Path("/opt/ParaView/bin/pvpython"),
        "python": HERE,
        "abi": sysconfig.get_config_var("SOABI"),
        "paraview": "6.0",
        "numpy": True,
        "paths": ("/opt/ParaView/lib/python",),
    }
    return Facts(**(same | changes))  # type: ignore[arg-type]


def answering(folder: Path, says: str) -> Path:
    """A program that answers `describe` so."""
    program = folder / "pvpython"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def description(python: tuple[int, int], paraview: list[int] | None = None) -> str:
    said = {"python": python, "abi": "cpython-38", "numpy": True, "paths": [], "paraview": paraview, "why": "no VTK"}
    return "a module says hello\n" + json.dumps(said)


def test_a_python_of_this_version_and_abi_takes_what_this_environment_has() -> None:
    assert facts().ours
    assert not facts(python=(3, 99)).ours
    assert not facts(abi="cpython-311t-x86_64-linux-gnu").ours


def test_the_kernel_starts_pvpython_without_mpi_and_the_launcher_with_the_connection_file(tmp_path: Path) -> None:
    spec = kernelspec.specification(facts(), tmp_path, "ParaView 6.0", os.environ)

    assert spec["argv"] == [
        "/opt/ParaView/bin/pvpython",
        "--no-mpi",
        str(tmp_path / "start.py"),
        "-f",
        "{connection_file}",
    ]
    assert spec["interrupt_mode"] == "signal"


def test_a_plain_python_with_paraview_is_given_none_of_pvpythons_options(tmp_path: Path) -> None:
    spec = kernelspec.specification(facts(program=Path("/usr/bin/python3")), tmp_path, "", os.environ)

    assert spec["argv"][:2] == ["/usr/bin/python3", str(tmp_path / "start.py")]


def test_the_libraries_of_a_loaded_module_are_kept_and_another_pythons_home_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/sw/paraview/lib")
    monkeypatch.setenv("PYTHONHOME", "/sw/python")

    env = kernelspec.specification(facts(), tmp_path, "", os.environ)["env"]

    assert env["LD_LIBRARY_PATH"] == "/sw/paraview/lib"
    assert env["PYTHONHOME"] == ""
    assert "PV_PLUGIN_PATH" not in env


def test_a_python_of_another_version_gets_nothing_of_this_environments_site_packages(tmp_path: Path) -> None:
    told = kernelspec.specification(facts(python=(3, 99)), tmp_path, "", os.environ)["metadata"]["pvlink"]

    assert told["site"] is None
    assert told["executable"] == sys.executable


def test_all_that_the_kernel_needs_is_linked_but_numpy(tmp_path: Path) -> None:
    kernelspec.fill(tmp_path / "packages", facts())

    there = {path.name for path in (tmp_path / "packages").iterdir()}
    assert {"pvlink", "ipykernel", "IPython", "anywidget", "msgspec", "rpyc", "traitlets", "zmq"} <= there
    assert not [name for name in there if name.startswith("numpy")]
    assert not [name for name in there if name.endswith(".pth")]
    assert (tmp_path / "packages" / "pvlink").resolve() == Path(kernelspec.__file__).parent


def test_numpy_is_linked_for_a_paraview_that_has_none(tmp_path: Path) -> None:
    kernelspec.fill(tmp_path / "packages", facts(numpy=False))

    assert (tmp_path / "packages" / "numpy").exists()


def test_requirements_are_followed_to_the_end_and_each_once() -> None:
    asked: list[str] = []

    def look(name: str) -> Distribution | None:
        asked.append(name)
        return distribution(name) if name in ("anywidget", "psygnal") else None

    found = kernelspec.closure(["anywidget", "Anywidget"], look)

    assert [one.metadata["Name"].lower() for one in found] == ["anywidget", "psygnal"]
    assert sorted(set(asked)) == sorted(asked)


@pytest.mark.parametrize(
    ("line", "name"),
    [("wslink<3,>=2.6", "wslink"), ("jupyter_server>=2", "jupyter_server"), ("a [b]; python_version<'4'", "a")],
)
def test_a_requirement_names_a_distribution(line: str, name: str) -> None:
    assert kernelspec.plain_name(line) == name


def test_pip_is_asked_for_wheels_of_paraviews_python_only(tmp_path: Path) -> None:
    command = kernelspec.pip_command(tmp_path, (3, 12), ["wslink<3"])

    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert command[command.index("--python-version") + 1] == "3.12"
    assert command[command.index("--target") + 1] == str(tmp_path)
    assert "--only-binary=:all:" in command
    assert "cp312" in command
    assert command[-1] == "wslink<3"


def test_a_python_too_old_is_refused_with_the_ways_that_remain(tmp_path: Path) -> None:
    old = answering(tmp_path, description((3, 9), [5, 10]))

    with pytest.raises(
        PvlinkError, match=r"ParaView 5.10\) has Python 3.9; .*3.12 from 6.0 on.*pvlink.start\(pvpython="
    ):
        kernelspec.install(old, data=tmp_path)


@pytest.mark.parametrize(
    ("says", "message"),
    [(description((3, 12)), "is not ParaView's Python: no VTK"), ("Segmentation fault", "is not a working pvpython")],
)
def test_what_is_no_pvpython_is_refused(tmp_path: Path, says: str, message: str) -> None:
    with pytest.raises(PvlinkError, match=message):
        kernelspec.install(answering(tmp_path, says), data=tmp_path)


def test_kernels_of_others_are_neither_replaced_nor_removed(tmp_path: Path) -> None:
    theirs = tmp_path / "kernels" / "python3"
    theirs.mkdir(parents=True)
    (theirs / "kernel.json").write_text('{"argv": ["python"], "display_name": "Python 3", "metadata": {}}')
    program = answering(tmp_path, description(HERE, [6, 0]))

    with pytest.raises(PvlinkError, match="did not make"):
        kernelspec.install(program, name="python3", data=tmp_path)
    with pytest.raises(PvlinkError, match="has made no kernel 'python3'"):
        kernelspec.remove("python3", tmp_path)
    assert (theirs / "kernel.json").exists()


@pytest.mark.parametrize("name", ["../x", "a b", "Upper", "-f"])
def test_a_name_that_is_no_kernels_is_refused(tmp_path: Path, name: str) -> None:
    program = answering(tmp_path, description(HERE, [6, 0]))

    with pytest.raises(PvlinkError, match="cannot be a kernel's name"):
        kernelspec.install(program, name=name, data=tmp_path)
    assert not (tmp_path / "kernels").exists()


def test_the_command_makes_lists_and_removes_a_kernel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = json.loads(description(HERE, [6, 0]).splitlines()[-1]) | {"abi": sysconfig.get_config_var("SOABI")}
    program = answering(tmp_path, json.dumps(said))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))

    def pvlink(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["kernel", *arguments])
        out, err = capsys.readouterr()
        return ended.value.code, out + err  # type: ignore[return-value]

    for _ in range(2):
        code, words = pvlink("install", "--pvpython", str(program), "--prefix", str(tmp_path), "--display-name", "Mine")
        assert (code, "Choose 'Mine'" in words) == (0, True)
    folder = tmp_path / "share" / "jupyter" / "kernels" / "paraview-6.0"
    assert sorted(path.name for path in folder.iterdir()) == ["kernel.json", "packages", "start.py"]
    assert [path.name for path in folder.parent.iterdir()] == ["paraview-6.0"]

    assert "paraview-6.0: 'Mine' on" in pvlink("list")[1]
    program.unlink()
    assert "no longer there" in pvlink("list")[1]

    assert pvlink("remove", "paraview-6.0")[0] == 0
    assert not folder.exists()
    code, words = pvlink("remove", "paraview-6.0")
    assert (code, "has made no kernel" in words) == (1, True)
