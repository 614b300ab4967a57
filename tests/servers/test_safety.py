"""Another user of this machine, at a server started here: cannot connect, nor use what can be read, nor come first."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pvlink.errors import ServerError
from pvlink.servers.serving import choose
from tests.servers.local import PVPYTHON, Local, handshake, local, needs_pvserver, until
from tests.trust.test_neighbours import NOBODY, PYTHON, REFUSED, neighbour

ROOT = Path(__file__).parents[2]
pytestmark = [
    *needs_pvserver,
    pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become another user"),
    pytest.mark.skipif(not PYTHON, reason="no Python here that other users may run"),
]

# Reads each command line, enters each network, then knocks at each port, with all numbers it has read.
INTRUDER = r"""
import ctypes, json, os, re, socket, sys
asked = json.loads(sys.argv[1])
assert os.getuid() != 0
lines = [open(f"/proc/{pid}/cmdline").read() for pid in asked["pids"]]
ids = {int(one) for line in lines for one in re.findall(r"connect-id=(\d+)", line)}
found = {"ids": sorted(ids), "entered": [], "let in": []}
for pid in asked["pids"]:
    try:
        fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        if ctypes.CDLL(None).setns(fd, 0x40000000) == 0:
            found["entered"].append(pid)
    except OSError:
        pass
for port in asked["ports"]:
    for host in ("127.0.0.1", "::1"):
        try:
            with socket.create_connection((host, port), 1) as one:
                found["let in"].append([host, port])
        except OSError:
            pass
print(json.dumps(found))
"""


def as_nobody(script: str, *words: str) -> str:
    return subprocess.run(
        [PYTHON, "-c", script, *words],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
        text=True,
    ).stdout


def intruder(one: Local, ports: set[int]) -> dict[str, Any]:
    asked = {"pids": [each.pid for each in one.family], "ports": sorted(ports)}
    found: dict[str, Any] = json.loads(as_nobody(INTRUDER, json.dumps(asked)))
    return found


def listeners(one: Local) -> dict[str, set[int]]:
    """The ports of this machine's network at which its processes listen, by who does. By /proc, as others see it."""
    ports: dict[str, int] = {}
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                ports[f"socket:[{fields[9]}]"] = int(fields[1].rpartition(":")[2], 16)
    found: dict[str, set[int]] = {}
    for each in one.family:
        held = {str(entry.readlink()) for entry in Path(f"/proc/{each.pid}/fd").iterdir() if entry.is_symlink()}
        if mine := {port for name, port in ports.items() if name in held}:
            found[each.name()] = mine
    return found


@pytest.fixture(scope="module", params=["namespace", "reverse"])
def connected(request: pytest.FixtureRequest) -> Iterator[Local]:
    """A server of two ranks with its client."""
    with local(request.param, 2) as one, one.connect() as client:
        assert handshake(client, one.served.connect_id, comes=request.param == "reverse") == 0
        yield one


def test_nobody_can_connect(connected: Local) -> None:
    found = listeners(connected)
    # No rank listens. mpiexec does, where it has no network of its own; it answers nobody.
    assert found.keys() == (set() if connected.served.level == "namespace" else {"mpiexec"})
    ports = {connected.port, *(port for mine in found.values() for port in mine)} - {connected.ours}
    attack = intruder(connected, ports)
    assert attack["let in"] == []
    assert attack["entered"] == []


def test_what_can_be_read_is_of_no_use(connected: Local) -> None:
    # ParaView takes it on its command line only, which everybody can read: so it must not matter.
    assert intruder(connected, set())["ids"] == [connected.served.connect_id]
    assert "command line" in connected.served.safety
    folder = connected.served._belongings.folder
    paths = [str(folder), *(str(path) for path in folder.rglob("*"))]
    display = connected.served._belongings.display.lstrip(":")
    pids = [one.pid for one in connected.family]
    found = neighbour(pids=pids, paths=paths, displays=[display])
    for pid, answers in found["processes"].items():
        assert {what: said for what, said in answers.items() if said not in (REFUSED | {"OSError"})} == {}, pid
    assert {said for answers in found["paths"].values() for said in answers} <= REFUSED
    for where, said in found["displays"][0].items():
        # 00: failed; 01 would be a connection.
        assert said.startswith("said 00") or said in ("ConnectionRefusedError", "FileNotFoundError"), where


def test_who_takes_the_port_first_has_nothing_of_it() -> None:
    plan = choose(PVPYTHON, level="namespace")
    script = "import socket; s = socket.create_server(('', 0)); print(s.getsockname()[1], flush=True); input()"
    squatter = subprocess.Popen(
        [PYTHON, "-c", script],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert squatter.stdout is not None
        served = plan.start(int(squatter.stdout.readline()))
        try:
            line = served.line()
            assert line.socket is not None
            with line.socket as client:
                assert handshake(client, served.connect_id) == 0
        finally:
            served.end()
    finally:
        squatter.communicate(b"\n", timeout=10)


def test_a_wrong_connect_id_is_not_let_in_and_the_right_one_after_it_is_not_needed() -> None:
    with local("namespace") as one, one.connect() as client:
        assert handshake(client, one.served.connect_id ^ 1) != 0


def test_connect_ids_are_random_and_never_none() -> None:
    ids = {choose(PVPYTHON, level="reverse").connect_id for _ in range(50)}
    assert len(ids) == 50
    assert all(0 < one < 2**31 for one in ids)
    assert max(ids) > 2**24


def test_open_is_for_who_allows_it_and_verified() -> None:
    with pytest.raises(ServerError, match=r"allow_insecure=True") as caught:
        choose(PVPYTHON, level="open")
    assert caught.value.reason == "level"
    with local("open", allow_insecure=True) as one:
        assert one.served.safety.startswith("INSECURE")
        # Where it can be done, the intruder of these tests does it.
        assert intruder(one, {one.port})["let in"] == [["127.0.0.1", one.port]]
        with one.connect() as client:
            assert handshake(client, one.served.connect_id) == 0
            # From now on it listens no more: who is there now is somebody else.
            assert until(lambda: not listeners(one), 2)
            with (
                socket.create_server(("127.0.0.1", one.port)),
                pytest.raises(ServerError, match="somebody") as stranger,
            ):
                one.served.line()
            assert stranger.value.reason == "stranger"


@pytest.fixture
def copy() -> Iterator[Path]:
    """Of the code, where nobody can read it."""
    folder = Path(tempfile.mkdtemp(prefix="pvlink-copy-"))
    try:
        (folder / "servers").mkdir()
        for file in [ROOT / "pvlink/errors.py", ROOT / "pvlink/output.py", *(ROOT / "pvlink/servers").glob("*.py")]:
            shutil.copy(file, folder / file.relative_to(ROOT / "pvlink"))
        for each in [folder, *folder.rglob("*")]:
            each.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder)


# A session's part, as a user without rights; of the packages only the files it needs.
USER = """
import json, os, socket, sys, types
from pathlib import Path
for name, folder in (("pvlink", sys.argv[1]), ("pvlink.servers", sys.argv[1] + "/servers")):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [folder]
from pvlink.servers.serving import choose
plan = choose(Path(sys.argv[2]), ranks=2, level=sys.argv[3] or None)
with socket.create_server(("127.0.0.1", 0)) as listener:
    served = plan.start(listener.getsockname()[1] if plan.reverse else None)
    knocked = []
    for line in open("/proc/net/tcp").read().splitlines()[1:]:
        fields = line.split()
        port = int(fields[1].rpartition(":")[2], 16)
        if fields[3] == "0A" and int(fields[7]) == os.getuid() and port != listener.getsockname()[1]:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                knocked.append([port, "let in"])
            except OSError as error:
                knocked.append([port, type(error).__name__])
    mine = os.stat(f"/proc/{served.pids[0]}").st_uid == os.getuid()
    print(json.dumps([served.level, sorted(served.pids), mine, knocked, served.safety]))
    served.end()
"""


@pytest.mark.parametrize("level", ["namespace", pytest.param("reverse", marks=pytest.mark.soak)])
def test_a_user_without_rights_is_as_safe(copy: Path, level: str) -> None:
    said = json.loads(as_nobody(USER, str(copy), str(PVPYTHON), level))
    if said[0] != level:
        pytest.skip(f"this machine gives users without rights no network of their own: {said[4]}")
    _, ranks, mine, knocked, safety = said
    assert (ranks, mine) == ([0, 1], True)
    if level == "namespace":
        assert knocked == []
    else:
        assert {how for _, how in knocked} == {"TimeoutError"}
        assert "now they answer nobody" in safety


def test_safety_says_why_it_is_no_better(connected: Local) -> None:
    if connected.served.level == "namespace":
        assert re.match("The server is in a network of its own: nobody can connect to it", connected.served.safety)
    else:
        assert "Not 'namespace': another level was asked for." in connected.served.safety


def test_no_secret_of_the_session_is_on_a_command_line(connected: Local) -> None:
    cookie = (connected.served._belongings.folder / "xauthority").read_bytes()[-16:]
    for one in connected.family:
        line = Path(f"/proc/{one.pid}/cmdline").read_bytes()
        assert cookie not in line
        assert cookie.hex().encode() not in line
        # Only the ranks, and mpiexec that starts them, have the connect-id there.
        assert (b"connect-id" in line) == (one.name() in ("pvserver", "mpiexec")), psutil.Process(one.pid)
