"""The programs that make a server, found and asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from pvlink.errors import OptionError, ServerError
from pvlink.servers import pvservers
from pvlink.servers.mpi import Mpi
from pvlink.servers.serving import choose

pytestmark = pytest.mark.servers


def program(path: Path, said: str = "paraview version 5.11.0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho x >> {path}.asked\necho '{said}'\n")
    path.chmod(0o755)
    return path


def test_the_pvserver_is_beside_its_pvpython(tmp_path: Path) -> None:
    pvserver = program(tmp_path / "bin/pvserver")
    assert pvservers.find(program(tmp_path / "bin/pvpython")) == pvserver


def test_or_beside_the_file_that_it_is_a_link_to(tmp_path: Path) -> None:
    pvserver = program(tmp_path / "opt/bin/pvserver")
    program(tmp_path / "opt/bin/pvpython")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/pvpython").symlink_to(tmp_path / "opt/bin/pvpython")
    assert pvservers.find(tmp_path / "bin/pvpython") == pvserver


def test_without_one_it_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r"no pvserver beside .*serve\(pvserver=") as caught:
        pvservers.find(program(tmp_path / "pvpython"))
    assert caught.value.reason == "no-pvserver"
    with pytest.raises(ServerError, match="no program /nowhere/pvserver"):
        pvservers.find(tmp_path / "pvpython", "/nowhere/pvserver")


def test_a_version_is_asked_for_once_until_another_is_installed(tmp_path: Path) -> None:
    pvserver = program(tmp_path / "pvserver")
    asked = Path(f"{pvserver}.asked")
    assert [pvservers.version(pvserver), pvservers.version(pvserver)] == ["5.11.0", "5.11.0"]
    assert asked.read_text() == "x\n"
    program(pvserver, "paraview version 6.0.1")
    assert pvservers.version(pvserver) == "6.0.1"


@pytest.mark.parametrize("said", ["", "usage: pvserver"])
def test_what_has_no_version_is_no_paraview(tmp_path: Path, said: str) -> None:
    with pytest.raises(ServerError, match="is no ParaView") as caught:
        pvservers.version(program(tmp_path / "pvserver", said))
    assert caught.value.reason == "version"


def test_one_that_hangs_is_given_up(tmp_path: Path) -> None:
    slow = tmp_path / "pvserver"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    with pytest.raises(ServerError, match="gave no answer in 0 s"):
        pvservers.version(slow, patience=0.1)


def test_an_mpiexec_beside_the_pvserver_comes_first(tmp_path: Path) -> None:
    mpiexec = program(tmp_path / "mpiexec", "HYDRA build details: Version: 3.3")
    assert pvservers.mpiexec(tmp_path / "pvserver") == (mpiexec, Mpi("mpich", 3))


def test_without_mpiexec_ranks_are_refused_and_the_way_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerError, match=r"No mpiexec was found.*serve with ranks=1") as caught:
        pvservers.mpiexec(tmp_path / "pvserver")
    assert caught.value.reason == "no-mpiexec"
    with pytest.raises(ServerError, match="neither Open MPI's nor MPICH's"):
        pvservers.mpiexec(tmp_path / "pvserver", program(tmp_path / "other", "srun 22.05"))


@pytest.mark.parametrize("ranks", [0, -1, True, 1.5, "2"])
def test_no_rank_is_no_server(tmp_path: Path, ranks: int) -> None:
    with pytest.raises(OptionError, match="one rank or more"):
        choose(program(tmp_path / "pvpython"), ranks=ranks)


def test_an_argument_that_cannot_be_printed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot be printed"):
        choose(program(tmp_path / "pvpython"), arguments=["--timeout=1\n--x"])


def test_a_pvserver_of_another_version_is_refused_before_it_is_started(tmp_path: Path) -> None:
    pvpython = program(tmp_path / "bin/pvpython", "paraview version 5.11.0")
    pvserver = program(tmp_path / "other/pvserver", "paraview version 5.9.1")
    with pytest.raises(ServerError, match=r"is ParaView 5\.9\.1, .* is 5\.11\.0") as caught:
        choose(pvpython, pvserver=pvserver)
    assert caught.value.reason == "version"


def test_in_reverse_a_plan_wants_to_know_where_we_listen(tmp_path: Path) -> None:
    program(tmp_path / "pvserver")
    plan = choose(program(tmp_path / "pvpython"), level="reverse", display="none")
    with pytest.raises(OptionError, match=r"start\(port\)"):
        plan.start()
    before, command = plan.command(4000, "f")
    assert before == []
    assert command[0] == str(tmp_path / "pvserver")
    assert command[1:4] == ["--no-mpi", "--reverse-connection", "--client-host=127.0.0.1"]
    assert command[4:] == ["--server-port=4000", f"--connect-id={plan.connect_id}"]


@pytest.mark.parametrize(
    ("wish", "version", "given", "expected"),
    [
        ("auto", "5.11.0", ":0", ("/bin/Xvfb", "")),
        ("own", "5.11.0", "", ("/bin/Xvfb", "")),
        # It would draw on the X server's processor, and not on the card.
        ("auto", "6.0.1", ":0", ("", "")),
        ("own", "6.0.1", "", ("/bin/Xvfb", "")),
        (":7", "5.11.0", ":0", ("", ":7")),
        ("none", "5.11.0", ":0", ("", "")),
    ],
)
def test_where_ranks_draw(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wish: str, version: str, given: str, expected: tuple[str, str]
) -> None:
    monkeypatch.setenv("DISPLAY", given)
    monkeypatch.setattr("pvlink.servers.serving.CARDS", tmp_path)
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}" if name == "Xvfb" else name)
    program(tmp_path / "pvserver", f"paraview version {version}")
    plan = choose(program(tmp_path / "pvpython"), level="reverse", display=wish)
    assert (plan.xvfb, plan.display) == expected


def test_without_xvfb_the_user_s_display_has_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path / "pvserver")
    pvpython = program(tmp_path / "pvpython")
    monkeypatch.setattr("shutil.which", lambda name: None)
    for given, expected in ((":0", ":0"), ("", ""), ("localhost:10.0", "")):
        monkeypatch.setenv("DISPLAY", given)
        plan = choose(pvpython, level="reverse")
        assert (plan.xvfb, plan.display) == ("", expected)
    with pytest.raises(ServerError, match="needs Xvfb"):
        choose(pvpython, level="reverse", display="own")
    with pytest.raises(OptionError, match='"auto", "own", "none"'):
        choose(pvpython, level="reverse", display="x")
