"""A server started here: with as many ranks as asked for, at each level, and nothing left of it, however it ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pvlink.errors import ServerError
from pvlink.servers.screen import Screen
from pvlink.servers.serving import choose
from tests.servers.local import PVPYTHON, SOON, Local, handshake, local, needs_pvserver, until

pytestmark = needs_pvserver
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("level", "ranks"),
    [
        ("namespace", 1),
        ("namespace", 2),
        ("reverse", 2),
        *(pytest.param(*one, marks=pytest.mark.soak) for one in (("reverse", 1), ("namespace", 4), ("reverse", 4))),
    ],
)
def test_ranks_start_let_their_client_in_and_end_with_it(level: str, ranks: int) -> None:
    with local(level, ranks) as one:
        served = one.served
        assert (served.level, served.version.count("."), served.alive, served.ended()) == (level, 2, True, "")
        assert sorted(served.pids) == list(range(ranks))
        assert len({memory.pid for memory in served.memory()}) == ranks
        assert all(memory.resident > 20e6 and memory.host == os.uname().nodename for memory in served.memory())
        assert served.stopped_ranks() == []
        with one.connect() as client:
            assert handshake(client, served.connect_id, comes=level == "reverse") == 0
        assert one.gone() == []
        assert served.ended() == "it ended by itself, in order (exit code 0)"


CLIENT = """
import sys
from paraview.simple import *
Connect("127.0.0.1", int(sys.argv[1]))
wavelet = Wavelet(WholeExtent=[-40, 40, -40, 40, -40, 40])
ranks = ProcessIdScalars(wavelet)
view = CreateView("RenderView")
view.RemoteRenderThreshold = 0.0
Show(Contour(ranks, ContourBy=["POINTS", "RTData"], Isosurfaces=[157.0]), view)
Render(view)
view.SMProxy.StillRender()
on_the_server = view.SMProxy.GetClientSideObject().GetUseDistributedRenderingForRender()
ranks.UpdatePipeline()
print("drawn", bool(on_the_server), [int(one) for one in ranks.PointData["ProcessId"].GetRange()], flush=True)
"""


@pytest.mark.soak
@pytest.mark.parametrize("ranks", [2, 4])
def test_in_a_network_of_its_own_it_draws_for_a_real_client(ranks: int, tmp_path: Path) -> None:
    xvfb, (never, held) = shutil.which("Xvfb"), os.pipe()
    assert xvfb is not None
    screen = Screen(xvfb, tmp_path, [never])
    try:
        with local("namespace", ranks) as one, one.connect() as server, socket.create_server(("127.0.0.1", 0)) as door:
            threading.Thread(target=splice, args=(door, server), daemon=True).start()
            script = tmp_path / "client.py"
            script.write_text(CLIENT)
            words = ["--no-mpi", f"--connect-id={one.served.connect_id}", str(script), str(door.getsockname()[1])]
            client = subprocess.run(
                [PVPYTHON, *words],
                env=os.environ | {"DISPLAY": screen.display, "XAUTHORITY": str(screen.cookie)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=90,
                text=True,
            )
            assert f"drawn True [0, {ranks - 1}]" in client.stdout, client.stdout + one.served.last_words()
    finally:
        screen.end()
        os.close(never)
        os.close(held)


def splice(door: socket.socket, server: socket.socket) -> None:
    """What the session's relay does, and nothing else of it."""
    client, _ = door.accept()
    with client:
        while ready := select.select([client, server], [], [], 90)[0]:
            for one in ready:
                data = one.recv(1 << 16)
                if not data:
                    server.shutdown(socket.SHUT_RDWR)
                    return
                (server if one is client else client).sendall(data)


def test_it_ends_when_asked_to_and_twice_is_not_too_often() -> None:
    with local("namespace", 2) as one, one.connect() as client:
        assert handshake(client, one.served.connect_id) == 0
        began = time.monotonic()
        one.served.end()
        one.served.end()
        assert time.monotonic() - began < SOON
        assert one.left() == []
        assert one.served.ended() == "it was ended, as asked"


# What to kill, and what is said of it.
VICTIMS: dict[str, tuple[str, Callable[[Local], list[psutil.Process]]]] = {
    "rank": ("rank 1 was killed by signal 9", lambda one: [one.rank(1)]),
    # When all are killed at once, one time in seven mpiexec hangs and says nothing.
    "ranks": (
        r"rank . was killed by signal 9|ranks . and . ended, and mpiexec did not say how",
        lambda one: [one.rank(0), one.rank(1)],
    ),
    "mpiexec": ("mpiexec was killed by signal 9", lambda one: [one.called("mpiexec")]),
    "warden": ("the process that held it was killed by signal 9", lambda one: [one.warden]),
    "xvfb": (r"its X server \(Xvfb\) was killed by signal 9", lambda one: [one.called("Xvfb")]),
}


@pytest.mark.parametrize("level", ["namespace", pytest.param("reverse", marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    "victim", [pytest.param(one, marks=pytest.mark.soak if one in ("ranks", "xvfb") else []) for one in VICTIMS]
)
def test_of_a_killed_part_nothing_is_left_and_it_is_said_which(level: str, victim: str) -> None:
    said, choose_victims = VICTIMS[victim]
    with local(level, 2) as one, one.connect():
        for process in choose_victims(one):
            process.kill()
        assert one.gone() == []
        assert not one.served.alive
        assert re.fullmatch(said, one.served.ended())


def test_a_killed_server_without_mpi_says_so_too() -> None:
    with local("reverse") as one, one.connect():
        one.rank(0).kill()
        assert one.gone() == []
        assert one.served.ended() == "rank 0 was killed by signal 9"


# What to stop, and the ranks that do not run then.
STOPPED: dict[str, tuple[list[int], Callable[[Local], list[psutil.Process]]]] = {
    "rank": ([1], lambda one: [one.rank(1)]),
    "ranks": ([0, 1], lambda one: [one.rank(0), one.rank(1)]),
    "mpiexec": ([], lambda one: [one.called("mpiexec")]),
    "warden": ([], lambda one: [one.warden]),
    "all": ([0, 1], lambda one: one.family),
}


@pytest.mark.parametrize(
    "victim", [pytest.param(name, marks=[] if name == "all" else pytest.mark.soak) for name in STOPPED]
)
def test_what_is_stopped_is_known_and_ends_all_the_same(victim: str) -> None:
    ranks, choose_victims = STOPPED[victim]
    with local("namespace", 2) as one, one.connect():
        for process in choose_victims(one):
            process.send_signal(signal.SIGSTOP)
        assert until(lambda: one.served.stopped_ranks() == ranks, 2)
        began = time.monotonic()
        one.served.end()
        assert time.monotonic() - began < SOON
        assert one.gone(0.5) == []


# A kernel: says what it has started, then waits to be killed.
KERNEL = """
    import json, os, socket, sys, threading, time
    from pathlib import Path
    from pvlink.servers.serving import choose

    plan = choose(Path(sys.argv[1]), ranks=2, level=sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0))
    started = []
    begin = lambda: started.append(plan.start(listener.getsockname()[1] if plan.reverse else None))
    if sys.argv[3] == "thread":
        # Its parent is then a thread that is gone.
        one = threading.Thread(target=begin)
        one.start()
        one.join()
    else:
        begin()
    # What it forks has copies of all that it has open; so do the processes of multiprocessing.
    child = os.fork() if sys.argv[3] == "fork" else 0
    if child or sys.argv[3] != "fork":
        print(json.dumps([started[0]._warden.pid, str(started[0]._belongings.folder), child]), flush=True)
    time.sleep(60)
"""


class Kernel:
    """A process with a server of two ranks."""

    def __init__(self, level: str, how: str) -> None:
        command = [sys.executable, "-c", textwrap.dedent(KERNEL), str(PVPYTHON), level, how]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        self.family: list[psutil.Process] = []
        self._child = 0
        try:
            assert self.process.stdout is not None
            with self.process.stdout:
                warden, folder, self._child = json.loads(self.process.stdout.readline())
            self.folder = Path(folder)
            self.family = [psutil.Process(warden), *psutil.Process(warden).children(recursive=True)]
        except BaseException:
            self.close()
            raise

    def left(self, within: float = SOON) -> list[psutil.Process]:
        until(lambda: not any(one.is_running() for one in self.family), within)
        return [one for one in self.family if one.is_running()]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self._child:
            os.kill(self._child, signal.SIGKILL)
        for one in self.family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()


@contextlib.contextmanager
def kernel(level: str, how: str = "main") -> Iterator[Kernel]:
    one = Kernel(level, how)
    try:
        yield one
    finally:
        one.close()


@pytest.mark.parametrize(
    "stopped", ["ranks", *(pytest.param(one, marks=pytest.mark.soak) for one in ("nothing", "everything"))]
)
@pytest.mark.parametrize("level", ["namespace", pytest.param("reverse", marks=pytest.mark.soak)])
def test_with_the_kernel_killed_nothing_is_left(level: str, stopped: str) -> None:
    with kernel(level) as one:
        for each in one.family:
            if stopped == "everything" or (stopped == "ranks" and each.name() == "pvserver"):
                each.suspend()
        one.process.kill()
        assert one.left() == []
        assert until(lambda: not one.folder.exists(), 1.0)


@pytest.mark.soak
@pytest.mark.parametrize("how", ["fork", "thread"])
def test_nor_when_it_has_children_or_has_started_it_in_a_thread(how: str) -> None:
    with kernel("namespace", how) as one:
        assert all(each.is_running() for each in one.family)
        one.process.kill()
        assert one.left() == []
        assert not one.folder.exists()


def test_killed_at_once_they_leave_a_folder_for_the_next_to_sweep() -> None:
    with kernel("namespace") as one:
        # All are stopped first: none can do anything for another, only Linux can.
        one.process.send_signal(signal.SIGSTOP)
        for each in one.family:
            if each.name() != "Xvfb":
                each.suspend()
        one.family[0].kill()
        one.process.kill()
        assert one.left() == []
        assert one.folder.exists()
        with local("reverse"):
            assert not one.folder.exists()


def test_whoever_ends_the_warden_in_a_friendly_way_ends_the_server() -> None:
    with local("reverse") as one:
        one.warden.terminate()
        assert one.gone() == []
        assert one.served.ended() == "the process that held it was asked to end (SIGTERM)"


def test_no_zombie_stays_in_the_kernel() -> None:
    with local("reverse") as one:
        one.warden.kill()
        assert until(lambda: not one.warden.is_running(), SOON)
        assert one.served.wait(SOON)


def test_a_server_that_ends_at_once_says_its_last_words() -> None:
    with pytest.raises(ServerError, match=r"(?s)pvserver ended before it was ready: .*--no-such-option") as caught:
        choose(PVPYTHON, level="namespace", arguments=["--no-such-option"]).start()
    assert caught.value.reason == "ended"


def test_a_server_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    slow = tmp_path / "pvserver"
    slow.write_text('#!/bin/sh\n[ "$1" = --version ] && echo paraview version 5.11.0 && exit\nexec sleep 60\n')
    slow.chmod(0o755)
    (tmp_path / "pvpython").symlink_to(PVPYTHON)
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(ServerError, match=r"was not ready within 1 s") as caught:
        choose(tmp_path / "pvpython", level="reverse", patience=1.0, display="none").start(1)
    assert caught.value.reason == "slow"
    assert set(psutil.Process().children(recursive=True)) <= before


# The second of its servers may come late, and then it is not seen: rarely, on a busy machine.
@pytest.mark.soak
def test_an_mpiexec_of_another_mpi_is_named(tmp_path: Path) -> None:
    other = tmp_path / "mpiexec"
    other.write_text(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo 'HYDRA build details: Version: 4.0.2' && exit\n"
        'shift 6\nPMI_RANK=1 "$@" &\nPMI_RANK=0 "$@"\n'
    )
    other.chmod(0o755)
    with (
        pytest.raises(ServerError, match="started 2 servers of one rank each") as caught,
        local("reverse", 2, mpiexec=other),
    ):
        pass
    assert caught.value.reason == "mpi"


def test_in_a_kernel_that_has_mpi_of_its_own_it_starts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "OMPI_COMM_WORLD_SIZE",
        "PMIX_RANK",
        "PMIX_SERVER_URI2",
        "PMIX_NAMESPACE",
        "OMPI_MCA_ess",
        "SLURM_JOBID",
    ):
        monkeypatch.setenv(name, "1")
    with local("reverse", 2) as one:
        assert sorted(one.served.pids) == [0, 1]
