"""Another user of the same machine: no frame, no event, no secret."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.trust.house import House
from tests.trust.real import CANARY, Real, needs_paraview, real

NOBODY = 65534
SCRIPT = Path(__file__).with_name("neighbour.py").read_text()
# What a look into somebody's process or file must end with.
REFUSED = {"PermissionError", "FileNotFoundError", "ProcessLookupError", "NotADirectoryError", "-1"}


def _python() -> str:
    """A Python that nobody may run; empty if there is none."""
    for program in (sys.executable, "/usr/bin/python3"):
        with contextlib.suppress(OSError):
            if subprocess.run([program, "-c", ""], cwd="/", user=NOBODY, group=NOBODY, extra_groups=[]).returncode == 0:
                return program
    return ""


PYTHON = _python() if os.getuid() == 0 else ""
pytestmark = [
    pytest.mark.trust,
    pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become another user"),
    pytest.mark.skipif(not PYTHON, reason="no Python here that other users may run"),
    needs_paraview,
]


def start(asked: dict[str, Any]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PYTHON, "-c", SCRIPT, json.dumps(asked)],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def neighbour(**asked: Any) -> dict[str, Any]:
    """What a process of another user got."""
    said, _ = start({"sockets": [], "pids": [], "displays": [], "paths": []} | asked).communicate(timeout=60)
    found: dict[str, Any] = json.loads(said)
    assert found["uid"] == NOBODY
    return found


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with real(tmp_path_factory.mktemp("live")) as one:
        shared = one.cells.run(f"import sys\nshare = view.share(password={CANARY!r})\nview")
        assert shared.error is None, shared.error
        yield one


def test_the_socket_is_out_of_reach(live: Real) -> None:
    found = neighbour(sockets=[str(live.socket)], paths=[str(live.directory), str(live.socket)])
    assert found["sockets"] == {str(live.socket): "PermissionError"}
    assert all(answer in REFUSED for answers in found["paths"].values() for answer in answers)


def test_where_a_careless_user_has_opened_it_the_uid_still_counts(live: Real) -> None:
    live.directory.chmod(0o755)
    live.socket.chmod(0o666)
    try:
        found = neighbour(sockets=[str(live.socket)])
    finally:
        live.socket.chmod(0o600)
        live.directory.chmod(0o700)
    # The connection was made, and ended without a byte.
    assert found["sockets"] == {str(live.socket): "said "}


def test_jupyter_and_its_streamers_keep_to_themselves(house: House) -> None:
    pids = [house.kernel.process.pid, house._jupyter.pid]
    for pid, answers in neighbour(pids=pids)["processes"].items():
        assert {name: said for name, said in answers.items() if said not in (REFUSED | {"OSError"})} == {}, pid
    for pid in pids:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        assert house.token not in line
        assert house.share["password"] not in line


def test_processes_keep_to_themselves(live: Real) -> None:
    processes = live.processes
    assert {"kernel", "engine", "streamer", "Xvfb"} <= processes.keys() | {"Xvfb"}
    found = neighbour(pids=[process.pid for process in processes.values()])["processes"]
    for name, process in processes.items():
        answers = found[str(process.pid)]
        assert {what: said for what, said in answers.items() if said not in (REFUSED | {"OSError"})} == {}, name
        # Everybody may read this one.
        line = "\0".join(process.cmdline())
        assert CANARY not in line, name
        assert live.message()["key"].decode() not in line, name


def test_nothing_of_ours_is_in_shared_memory(live: Real) -> None:
    before = neighbour()["shm"]
    assert not [name for name, said in before.items() if "pvlink" in name.lower() and said.startswith("read")]
    for process in live.processes.values():
        maps = Path(f"/proc/{process.pid}/maps").read_text()
        for line in maps.splitlines():
            if "/dev/shm/" in line and "(deleted)" not in line:
                path = Path(line.split(maxsplit=5)[5])
                assert not path.stat().st_mode & 0o077, line


def test_the_x_server_wants_its_cookie(live: Real) -> None:
    screen = str(live.cells.value("session.about['screen']"))
    if not screen.startswith("its own X server"):
        pytest.skip(f"this ParaView draws on {screen}")
    number = screen.rpartition(":")[2]
    answers = neighbour(displays=[number])["displays"][0]
    assert answers
    for where, said in answers.items():
        # 00: failed; 01 would be a connection.
        assert said.startswith("said 00") or said in ("ConnectionRefusedError", "FileNotFoundError"), (where, said)


def test_no_port_is_open_but_the_kernel_s_and_the_link_s(live: Real) -> None:
    listening = {
        name: [one.laddr for one in process.net_connections("inet") if one.status == "LISTEN"]
        for name, process in live.processes.items()
    }
    assert all(address.ip == "127.0.0.1" for addresses in listening.values() for address in addresses)
    assert len(listening["streamer"]) == 1
    assert listening["engine"] == []
    assert [name for name, addresses in listening.items() if addresses and name not in ("kernel", "streamer")] == []


def test_what_is_kept_is_for_nobody_else(live: Real, tmp_path_factory: pytest.TempPathFactory) -> None:
    data = Path(os.environ["XDG_DATA_HOME"])
    certificate = data / "pvlink" / "certificate.pem"
    connection = live.cells.manager.connection_file
    assert certificate.stat().st_mode & 0o777 == 0o600
    # pytest's folder is closed; what would be read were it open is said by the modes.
    assert certificate.parent.stat().st_mode & 0o777 == 0o700
    found = neighbour(paths=[str(certificate), connection])["paths"]
    assert all(answer in REFUSED for answers in found.values() for answer in answers)


def test_whoever_listens_to_the_kernel_s_iopub_hears_no_secret(live: Real) -> None:
    """Jupyter's port: whoever may connect hears what cells show (SECURITY.md). There is no key to anything in it."""
    listener = start({"iopub": live.message()["iopub_port"]})
    assert listener.stdout is not None
    assert listener.stdout.readline() == "listening\n"
    # It is heard only some time after it has connected.
    ran = live.cells.run(
        "import time; time.sleep(1)\nanother = view.share()\nprint(another, view.watching)\ndisplay(another)\nview"
    )
    assert ran.error is None
    said, _ = listener.communicate("", timeout=60)
    heard = bytes.fromhex(json.loads(said.splitlines()[-1])["iopub"])
    assert live.session.encode() in heard
    made_up = str(live.cells.value("another.password"))
    live.cells.run("another.revoke()")
    for secret in (CANARY, made_up, live.message()["key"].decode(), "PRIVATE KEY"):
        assert secret.encode() not in heard
