"""The first rank's way to its ferry: whatever becomes of the ferry, the simulation does not wait and does not end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pvlink.insitu import key, mailbox
from pvlink.insitu.mailbox import MAX_EVENTS, Mailbox
from tests.integration.household import until
from tests.unit.insitu.notebook import SECRET, knows, listening
from tests.unit.insitu.notebook import until as until_then

pytestmark = pytest.mark.insitu

# For what must not wait; so slow is no machine.
AT_ONCE = 5.0
ROOT = Path(__file__).parents[3]
SIMULATION = """
import time; from pvlink.insitu.mailbox import Mailbox
box = Mailbox({"live": "localhost:1", "pairs": 1})
print(box._process.pid, flush=True)
time.sleep(60)
"""
# A ferry that writes down what it hears, and says what it is told to.
EAR = """
import os, socket, sys
sock = socket.socket(fileno=int(sys.argv[1]))
with open(os.environ["EAR"], "ab", buffering=0) as file:
    while data := sock.recv(1 << 16): file.write(data)
"""
MOUTH = """
import os, socket, sys, time
sock = socket.socket(fileno=int(sys.argv[1]))
for byte in open(os.environ["MOUTH"], "rb").read(): sock.sendall(bytes([byte]))
time.sleep(60)
"""


class Clock:
    """For the mailbox alone."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Harness:
    """Mailboxes and all ferries that they have started."""

    def __init__(self) -> None:
        self.ferries: list[subprocess.Popen[bytes]] = []
        self.boxes: list[Mailbox] = []
        self._watchdog = threading.Timer(30, self._end)
        self._watchdog.daemon = True
        self._watchdog.start()

    def box(self, **hello: Any) -> Mailbox:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            free = listener.getsockname()[1]
        one = Mailbox({"live": f"127.0.0.1:{free}", "pairs": 1, **hello})
        self.boxes.append(one)
        return one

    @property
    def ferry(self) -> psutil.Process:
        """The last one."""
        return psutil.Process(self.ferries[-1].pid)

    def stop(self) -> None:
        self.ferry.send_signal(signal.SIGSTOP)
        until(lambda: self.ferry.status() == psutil.STATUS_STOPPED)

    def kill(self) -> None:
        """At once, and its end of the socket is gone."""
        self.ferries[-1].send_signal(signal.SIGKILL)
        self.ferries[-1].wait(10)

    def close(self) -> None:
        self._watchdog.cancel()
        self._end()
        for box in self.boxes:
            if box._socket is not None:
                box._socket.close()

    def _end(self) -> None:
        """Who waits for one of them waits no longer."""
        for ferry in self.ferries:
            ferry.kill()
            ferry.wait(10)


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Harness]:
    (tmp_path / "insitu.key").write_bytes(SECRET)
    (tmp_path / "insitu.key").chmod(0o600)
    monkeypatch.setenv(key.VARIABLE, str(tmp_path / "insitu.key"))
    one = Harness()
    start = subprocess.Popen

    def started(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] = start(*args, **options)
        one.ferries.append(process)
        return process

    monkeypatch.setattr(subprocess, "Popen", started)
    yield one
    one.close()


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """What all ferries together were told."""
    (tmp_path / "ear.py").write_text(EAR)
    (tmp_path / "ear").touch()
    monkeypatch.setenv("EAR", str(tmp_path / "ear"))
    monkeypatch.setattr(mailbox, "FERRY", tmp_path / "ear.py")
    return tmp_path / "ear"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr(mailbox, "time", one)
    return one


def told(ear: Path) -> list[dict[str, Any]]:
    """Whole lines."""
    return [json.loads(line) for line in ear.read_bytes().split(b"\n")[:-1]]


def heard(box: Mailbox, count: int) -> list[dict[str, Any]]:
    """So many things, or more."""
    found: list[dict[str, Any]] = []

    def enough() -> bool:
        found.extend(box.heard())
        return len(found) >= count

    until(enough)
    return found


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < AT_ONCE


# -- nobody at the shore ---------------------------------------------------------------------------


def test_nobody_is_there_and_nothing_waits(harness: Harness) -> None:
    box = harness.box()
    with at_once():
        for step in range(1000):
            box.say(event={"kind": "met", "step": step})
            box.show({"step": step, "text": "x" * 1000})
            assert box.heard() == []

    assert harness.ferries[0].poll() is None
    assert len(harness.ferries) == 1


def test_a_ferry_that_hangs_keeps_nobody_waiting(harness: Harness) -> None:
    box = harness.box()
    harness.stop()
    with at_once():
        while box.show({"text": "x" * 1000}):
            pass
        for step in range(1000):
            box.say(event={"step": step, "text": "x" * 1000})
            assert not box.show({"step": step})
            assert box.heard() == []


def test_what_a_ferry_does_not_take_is_kept_to_a_limit(harness: Harness, ear: Path) -> None:
    box = harness.box()
    harness.stop()
    for step in range(3 * MAX_EVENTS):
        box.say(event={"step": step, "text": "x" * 100})
    assert len(box._waiting) <= MAX_EVENTS
    harness.ferry.send_signal(signal.SIGCONT)
    until(lambda: box.show({"last": True}) and told(ear)[-1:] == [{"status": {"last": True}}])

    # The oldest of those that had to wait are missing, and nothing else.
    steps = [facts["event"]["step"] for facts in told(ear) if "event" in facts]
    assert steps == sorted(set(steps))
    assert steps[-MAX_EVENTS:] == list(range(2 * MAX_EVENTS, 3 * MAX_EVENTS))


def test_how_things_stand_is_not_said_before_what_has_happened_is(harness: Harness, ear: Path) -> None:
    box = harness.box()
    harness.stop()
    while box.show({"text": "x" * 1000}):
        pass
    box.say(event=1)
    assert not box.show({"step": 2})
    box.say(event=3)
    harness.ferry.send_signal(signal.SIGCONT)
    until(lambda: box.show({"step": 4}) and {"status": {"step": 4}} in told(ear))

    assert [facts for facts in told(ear) if "text" not in facts.get("status", {})][1:4] == [
        {"event": 1}, {"event": 3}, {"status": {"step": 4}},
    ]  # fmt: skip


def test_the_first_thing_that_a_ferry_hears_is_who_the_simulation_is(harness: Harness, ear: Path) -> None:
    box = harness.box(name="gray_scott.py")
    box.say(event=1)
    until(lambda: len(told(ear)) == 2)

    assert told(ear)[0]["name"] == "gray_scott.py"
    assert told(ear)[1] == {"event": 1}


# -- what comes ------------------------------------------------------------------------------------


def test_what_comes_in_pieces_is_heard_whole(harness: Harness, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = [{"owner": True}, {"order": {"do": "pause", "why": "é\n"}}, {}, {"live": None}]
    (tmp_path / "mouth.py").write_text(MOUTH)
    (tmp_path / "said").write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in said) + b'[]\nnull\n{"ha')
    monkeypatch.setenv("MOUTH", str(tmp_path / "said"))
    monkeypatch.setattr(mailbox, "FERRY", tmp_path / "mouth.py")
    box = harness.box()

    assert heard(box, 4) == said
    until(lambda: box.heard() == [] and box._in == b'{"ha')
    harness.kill()
    # Half a line is none.
    assert heard(box, 2) == [{"owner": False}, {"live": None}]


def test_what_cannot_be_read_is_not_heard(harness: Harness, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mouth.py").write_text(MOUTH)
    (tmp_path / "said").write_bytes(b'garbage\n{"owner":true}\n')
    monkeypatch.setenv("MOUTH", str(tmp_path / "said"))
    monkeypatch.setattr(mailbox, "FERRY", tmp_path / "mouth.py")

    assert heard(harness.box(), 1) == [{"owner": True}]


async def test_a_notebook_that_comes_hears_everything_and_is_heard(harness: Harness) -> None:
    async with listening(knows()) as notebook:
        box = harness.box(live=f"127.0.0.1:{notebook.port}", name="gray_scott.py")
        box.show({"step": 3})
        await until_then(lambda: notebook.guests and len(notebook.guests[0].said) > 2)
        (guest,) = notebook.guests
        box.say(event={"kind": "met"})
        await until_then(lambda: {"event": {"kind": "met"}} in guest.said)
        guest.say(tick=True, order={"do": "pause", "number": 1})
        found = await asyncio.to_thread(heard, box, 2)
        box.close("finished")
        await until_then(lambda: {"ended": "finished"} in guest.said)

    assert (guest.said[1]["kind"], guest.said[1]["name"]) == ("simulation", "gray_scott.py")
    assert {"status": {"step": 3}} in guest.said
    assert found == [{"owner": True}, {"order": {"do": "pause", "number": 1}}]
    assert harness.ferries[0].wait(10) == 0


# -- a ferry that dies -----------------------------------------------------------------------------


def test_a_ferry_that_is_killed_is_noticed_and_had_again(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "AGAIN", 0.2)
    box = harness.box()
    harness.kill()

    # Whatever was open: nobody holds a pause any more, and no link leads anywhere.
    assert box.heard() == [{"owner": False}, {"live": None}]
    assert box.heard() == []
    until(lambda: box.heard() or len(harness.ferries) == 2)
    assert harness.ferries[1].poll() is None
    box.say(event=1)
    assert box.heard() == []


def test_between_two_ferries_nothing_waits_and_nothing_that_happens_is_lost(
    harness: Harness, ear: Path, clock: Clock
) -> None:
    box = harness.box(name="gray_scott.py")
    until(lambda: told(ear))
    harness.kill()
    assert box.heard() == [{"owner": False}, {"live": None}]
    with at_once():
        for step in range(100):
            box.say(event=step)
            assert not box.show({"step": step})
            assert box.heard() == []
    clock.now += mailbox.AGAIN
    box.heard()
    until(lambda: box.show({"step": 100}) and {"status": {"step": 100}} in told(ear))

    assert [facts.get("name") for facts in told(ear)[:2]] == ["gray_scott.py"] * 2
    assert told(ear)[2:102] == [{"event": step} for step in range(100)]


def test_what_could_not_be_said_to_a_dead_ferry_is_said_to_the_next_one(
    harness: Harness, ear: Path, clock: Clock
) -> None:
    box = harness.box()
    until(lambda: told(ear))
    harness.kill()
    # Nobody has looked yet whether it lives.
    for number in range(3):
        box.say(event=number)
    box.heard()
    clock.now += mailbox.AGAIN
    box.heard()
    until(lambda: box.show({"step": 1}) and {"status": {"step": 1}} in told(ear))

    assert [facts["event"] for facts in told(ear) if "event" in facts] == [0, 1, 2]


def test_a_ferry_that_dies_each_time_is_had_again_later_and_later(
    harness: Harness, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "dies.py").touch()
    monkeypatch.setattr(mailbox, "FERRY", tmp_path / "dies.py")
    box = harness.box()
    waits = []
    for _ in range(9):
        count = len(harness.ferries)
        harness.ferries[-1].wait(10)
        assert box.heard() == [{"owner": False}, {"live": None}]
        begun = clock.now
        while len(harness.ferries) == count:
            clock.now += 0.5
            assert box.heard() == []
        waits.append(clock.now - begun)

    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


def test_a_ferry_that_cannot_be_started_costs_nothing_but_a_sentence(
    harness: Harness, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as without:
        without.setattr(mailbox, "_python", lambda: "/nowhere/python3")
        box = harness.box()
    box.say(event=1)
    assert box.heard() == []
    assert not box.show({})
    said = capsys.readouterr()
    assert said.err.startswith("pvlink: nobody can watch this simulation: [Errno 2]")
    assert said.out == ""

    clock.now += mailbox.AGAIN
    box.heard()
    assert len(harness.ferries) == 1


def test_a_process_that_has_no_more_descriptors_has_no_ferry_and_goes_on(
    harness: Harness, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left() -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as without:
        without.setattr(socket, "socketpair", none_left)
        box = harness.box()
    assert box.heard() == []


# -- the end ---------------------------------------------------------------------------------------


def test_a_mailbox_that_is_closed_leaves_no_process(harness: Harness) -> None:
    box = harness.box()
    box.close("finished")

    assert harness.ferries[0].wait(10) == 0
    assert not psutil.pid_exists(harness.ferries[0].pid)


def test_the_last_word_is_said(harness: Harness, ear: Path) -> None:
    box = harness.box()
    box.say(event=1)
    box.close("finished")
    harness.ferries[0].wait(10)

    assert told(ear)[1:] == [{"event": 1}, {"ended": "finished"}]


def test_it_may_be_closed_twice_and_without_a_ferry(harness: Harness) -> None:
    box = harness.box()
    harness.kill()
    box.heard()
    with at_once():
        box.close("finished")
        box.close("finished")
        box.say(event=1)

    assert len(harness.ferries) == 1


def test_a_ferry_that_hangs_does_not_keep_the_simulation_from_its_end(harness: Harness) -> None:
    box = harness.box()
    harness.stop()
    while box.show({"text": "x" * 1000}):
        pass
    with at_once():
        box.close("finished")


def test_a_ferry_that_is_stopped_does_not_stay(harness: Harness) -> None:
    box = harness.box()
    harness.stop()
    with at_once():
        box.close("finished")

    assert harness.ferries[0].wait(10) == -signal.SIGKILL


def test_a_simulation_that_is_killed_takes_its_ferry_with_it(harness: Harness) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", SIMULATION], stdout=subprocess.PIPE, env=environment) as simulation:
        assert simulation.stdout is not None
        ferry = psutil.Process(int(simulation.stdout.readline()))
        simulation.kill()

    until(lambda: not ferry.is_running() or ferry.status() == psutil.STATUS_ZOMBIE, 10)


def test_who_listens_after_the_end_hears_nothing_and_starts_nothing(harness: Harness) -> None:
    box = harness.box()
    box.close("finished")

    assert box.heard() == []
    assert len(harness.ferries) == 1


# -- what it is started with -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["python", "python3", "python3.11"])
def test_a_ferry_runs_on_the_simulations_own_python(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", f"/opt/paraview/bin/{name}")

    assert mailbox._python() == f"/opt/paraview/bin/{name}"


@pytest.mark.parametrize("name", ["/opt/paraview/bin/pvbatch", "/home/ann/gray_scott", "", None])
def test_what_is_no_python_is_not_started_again(
    name: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", name)
    monkeypatch.setattr(sys, "exec_prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert mailbox._python() == "python3"

    for folder in ("path", "bin"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "python3").touch(mode=0o755)
        assert mailbox._python() == str(tmp_path / folder / "python3")


def test_a_ferry_is_no_rank_of_its_simulation(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "PMI_FD"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PVLINK_TEST", "kept")
    harness.box()
    until(lambda: "PVLINK_TEST" in harness.ferry.environ())

    found = harness.ferry.environ()
    assert found[key.VARIABLE] == os.environ[key.VARIABLE]
    assert not [name for name in found if name.startswith(("OMPI_", "PMIX_", "PMI_"))]


def test_ctrl_c_in_a_terminal_does_not_end_a_ferry(harness: Harness) -> None:
    box = harness.box()
    status = Path(f"/proc/{harness.ferry.pid}/status")
    until(lambda: int(status.read_text().split("SigIgn:")[1].split()[0], 16) >> (signal.SIGINT - 1) & 1)
    assert os.getsid(harness.ferry.pid) == harness.ferry.pid
    harness.ferry.send_signal(signal.SIGINT)
    time.sleep(0.2)

    assert harness.ferries[0].poll() is None
    box.close("interrupted")
    assert harness.ferries[0].wait(10) == 0
