"""Start-ups of configurations: the command runs as it is, is held, and goes with all that it has started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pvlink.errors import ServerError
from pvlink.servers import starting
from pvlink.servers.address import Address, Place, parse
from pvlink.servers.commands import Command, Manual, Ssh
from pvlink.servers.configuration import Configuration, Settled
from pvlink.servers.options import Option, Range, String
from pvlink.servers.starting import Running, by_hand

pytestmark = pytest.mark.servers

SOON = 10.0
Start = Callable[..., Running]


def settled(*words: str, **more: Any) -> Settled:
    return Configuration("s", Address(Place("h", 1)), Command(words[0], tuple(words[1:]), **more)).settle()


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts commands, which end with the test."""
    begun: list[Running] = []

    def make(*words: str, environment: dict[str, str] | None = None, **more: Any) -> Running:
        begun.append(Running(settled(*words, **more), environment))
        return begun[-1]

    yield make
    for one in begun:
        one.end()


def until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def number_in(file: Path) -> int:
    until(lambda: file.exists() and file.read_text().strip().isdigit(), file.name)
    return int(file.read_text())


def test_words_arrive_as_they_are_without_a_shell(start: Start, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = "import sys, os; open(sys.argv[1], 'w').write(repr(sys.argv[2:]))"
    running = start(sys.executable, "-c", f"{code} ", str(out), "a $HOME; `x` b", "*", delay=-1)
    running.wait()

    assert out.read_text() == "['a $HOME; `x` b', '*']"
    assert running.code == 0


def test_it_knows_paraviews_variables_and_nothing_of_a_kernels_mpi(tmp_path: Path) -> None:
    asks = (Option("A", String("x")), Option("PV_CONNECT_ID", Range(5, 5)))
    command = Command("sh", ("-c", "exec env >$OUT$ 2>&1 "), delay=-1)
    given = {"PATH": os.environ["PATH"], "OUT": str(tmp_path / "out"), "OMPI_COMM_WORLD_RANK": "0", "PMIX_ID": "1"}
    given |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_MCA_orte_uri": "x"}
    configuration = Configuration("s", Address(Place("h", 11112)), command, asks)
    with Running(configuration.settle(host="here", environment=given), given) as running:
        running.wait()
    variables = dict(line.split("=", 1) for line in (tmp_path / "out").read_text().splitlines() if "=" in line)

    assert variables["PV_SERVER_PORT"] == "11112"
    assert variables["PV_CLIENT_HOST"] == "here"
    assert variables["A"] == "x"
    assert variables["PV_CONNECT_ID"] == "5"
    assert [name for name in variables if name.startswith(("OMPI_", "PMIX"))] == ["OMPI_ALLOW_RUN_AS_ROOT"]


def test_it_has_no_terminal_and_nothing_to_read(start: Start) -> None:
    running = start(
        sys.executable, "-c", "import os, sys; print(sys.stdin.read() == '', os.ctermid()); open('/dev/tty') "
    )
    until(lambda: running.code is not None, "its end")

    assert "True" in running.said
    assert "No such device or address: '/dev/tty'" in running.said


def test_a_failure_is_told_with_its_code_and_last_words(start: Start) -> None:
    running = start(
        "sh", "-c", "echo early; head -c 9000 /dev/zero | tr '\\0' x; echo; echo no such queue >&2; exit 3 ", delay=30
    )
    with pytest.raises(ServerError) as caught:
        running.wait()

    message = str(caught.value)
    assert message.startswith("Server 's': The command that starts it, sh, ended with exit code 3 and said:\n")
    assert message.endswith("no such queue")
    assert "early" not in message
    assert len(running.said) <= 4096
    assert caught.value.reason == "not-started"


def test_a_signal_is_told_and_silence_too(start: Start) -> None:
    running = start("sh", "-c", "kill -9 $$ ", delay=30)

    with pytest.raises(ServerError, match="ended with signal 9 and said nothing"):
        running.wait()


@pytest.mark.parametrize(("word", "why"), [("no-such-program", "No such file"), ("/etc/passwd", "Permission denied")])
def test_what_cannot_be_run_is_said_at_once(start: Start, word: str, why: str) -> None:
    with pytest.raises(ServerError, match=f"Server 's': {word} cannot be run: {why}.*on the PATH") as caught:
        start(word)

    assert caught.value.reason == "not-started"


def test_ssh_that_wants_a_password_is_explained() -> None:
    asked = Configuration("s", Address(Place("h", 1)), Command("x", ssh=Ssh(program="sh -c echo")))
    command = ("sh", "-c", "echo 'me@h: Permission denied (publickey,password).'; exit 255")
    with (
        Running(replace(asked.settle(), argv=command, delay=30)) as running,
        pytest.raises(ServerError, match="A notebook has no terminal to ask for a password"),
    ):
        running.wait()


def test_the_delay_passes_also_when_the_command_has_ended_well(start: Start) -> None:
    passed: list[float] = []
    begun = time.monotonic()
    start("true", delay=0.4).wait(passed.append)

    assert 0.4 <= time.monotonic() - begun < SOON
    assert passed == sorted(passed)
    assert len(passed) >= 3


def test_one_that_is_to_end_first_and_does_not_is_told(start: Start) -> None:
    running = start("sh", "-c", "echo queued; sleep 60 ", delay=-1, process_wait=0.3)

    with pytest.raises(ServerError, match=r"(?s)had not after 0 s\. process_wait=.*queued"):
        running.wait()


HASTE = """
import socket, subprocess, sys, time
from pathlib import Path
from pvlink.servers import attendant

class Hasty(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        deadline = time.monotonic() + 10
        while Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            assert time.monotonic() < deadline

subprocess.Popen = Hasty
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
one = attendant.Attendant(theirs, ["sh", "-c", "exit 3"])
assert one._start()
ours.recv(4096)
one._reap()
sys.stdout.write(ours.recv(4096).decode())
"""


def test_a_command_that_ends_before_anybody_looks_has_its_exit_code() -> None:
    told = subprocess.run([sys.executable, "-c", HASTE], capture_output=True, timeout=30, check=True).stdout

    assert json.loads(told)["code"] == 3


def test_what_it_says_is_there_while_it_runs(start: Start) -> None:
    running = start("sh", "-c", "echo Waiting for client...; sleep 60 ")
    until(lambda: running.said == "Waiting for client...", "what it says")

    assert running.code is None
    assert running.ended() == ""


BACKGROUND = """
sh -c 'echo $$ >{0}/child; sleep 60' &
setsid sh -c 'trap "" TERM; echo $$ >{0}/daemon; while :; do sleep 60; done' >/dev/null 2>&1 &
echo $$ >{0}/leader
{1}
"""


def background(folder: Path, then: str) -> str:
    """A script that leaves processes behind, one of them in a session of its own and deaf."""
    script = folder / "script"
    script.write_text(BACKGROUND.format(folder, then))
    return str(script)


@pytest.mark.parametrize("then", ["exit 0", "sleep 60"], ids=["that has ended", "that runs"])
def test_with_the_command_goes_what_it_has_started(start: Start, tmp_path: Path, then: str) -> None:
    running = start("sh", background(tmp_path, then))
    pids = [number_in(tmp_path / name) for name in ("leader", "child", "daemon")]
    if then == "exit 0":
        until(lambda: running.code == 0, "its end")
    assert alive(pids[2])
    begun = time.monotonic()
    running.end()

    assert time.monotonic() - begun < 5
    assert [pid for pid in pids if alive(pid)] == []
    running.end()


def test_a_stopped_one_goes_too(start: Start) -> None:
    running = start("sleep", "60")
    os.kill(running.pid, signal.SIGSTOP)
    running.end()

    assert not alive(running.pid)


def test_one_whose_holder_is_killed_counts_as_ended(start: Start) -> None:
    running = start("sleep", "60")
    assert running._process is not None
    os.kill(running._process.pid, signal.SIGKILL)
    until(lambda: running.code == -9, "its end")

    until(lambda: not alive(running.pid), "the end of the command")


KERNEL = """
import os, sys, time
from pvlink.servers.address import parse
from pvlink.servers.commands import Command
from pvlink.servers.configuration import Configuration
from pvlink.servers.starting import Running
running = Running(Configuration("s", parse("h"), Command("sh", (sys.argv[1],))).settle())
# A fork of the user's holds every descriptor open.
if os.fork() == 0:
    time.sleep(60)
    os._exit(0)
print("begun", flush=True)
time.sleep(60)
"""


def test_it_goes_with_a_kernel_that_is_killed(tmp_path: Path) -> None:
    script = background(tmp_path, "sleep 60")
    kernel = subprocess.Popen(
        [sys.executable, "-c", KERNEL, script], stdout=subprocess.PIPE, start_new_session=True, text=True
    )
    try:
        assert kernel.stdout is not None
        assert kernel.stdout.readline() == "begun\n"
        pids = [number_in(tmp_path / name) for name in ("leader", "child", "daemon")]
        kernel.kill()
        kernel.wait()
        until(lambda: not [pid for pid in pids if alive(pid)], "the end of what it had started")
    finally:
        os.killpg(kernel.pid, signal.SIGKILL)
        kernel.wait()
        assert kernel.stdout is not None
        kernel.stdout.close()


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        ("cs://amber", ["    pvserver    (on amber)"]),
        ("cs://amber:20234", ["    pvserver --server-port=20234    (on amber)"]),
        (
            "csrc://:20234",
            ["    pvserver --reverse-connection --client-host=here --server-port=20234    (where your data is)"],
        ),
        (
            "cdsrs://d:11111//r:5",
            ["    pvdataserver    (on d)", "    pvrenderserver --render-server-port=5    (on r)"],
        ),
    ],
)
def test_by_hand_the_user_is_told_what_to_start(address: str, lines: list[str]) -> None:
    said = by_hand(Configuration("s", parse(address), Manual()).settle(host="here"), "5.11.0")

    assert said.splitlines()[1:] == lines
    assert said.startswith("Server 's' is started by hand. Start th")
    assert "of ParaView 5.11.0" in said
    assert ("it comes here by itself" in said) == address.startswith("csrc")


def test_a_connect_id_is_never_told() -> None:
    asks = (Option("PV_CONNECT_ID", Range(1, 99999)),)
    said = by_hand(Configuration("s", parse("amber"), Manual(), asks).settle({"PV_CONNECT_ID": 4711}))

    assert "--connect-id=<the connect-id you gave>" in said
    assert "4711" not in said


def test_settled_on_this_machine_it_knows_the_machine_and_the_environment() -> None:
    configuration = Configuration("s", parse("h"), Command("x", ("$HOME$", "$PV_CLIENT_HOST$", "$PV_VERSION_FULL$")))

    assert starting.settle(configuration, version="5.11.0").argv == (
        "x",
        os.environ["HOME"],
        os.uname().nodename,
        "5.11.0",
    )
