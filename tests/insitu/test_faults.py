"""Whatever becomes of those who watch: the simulation computes the same, and the notebook says what has happened."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest

from tests.chaos.line import Line
from tests.insitu.running import Running, needs_simulation, undisturbed
from tests.integration.household import until
from tests.integration.interpreter import Kernel
from tests.servers.pvservers import free_ports

pytestmark = needs_simulation

STEPS = ("--size", "24", "--steps", "500", "--pause", "0.01")
# An undisturbed one takes about six seconds beside a notebook that watches; one that is held up for good, for ever.
PATIENCE = 60.0
soak = pytest.mark.soak


@pytest.fixture(scope="module")
def wanted() -> npt.NDArray[np.float64]:
    """What it computes where nobody watches."""
    return undisturbed(2, *STEPS[:4])


def go_on(pid: int) -> None:
    """If it is there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


@dataclass
class Watched:
    """A simulation, with a notebook that shows each of its steps."""

    kernel: Kernel
    simulation: Running
    clean_up: list[Callable[[], object]] = field(default_factory=list)

    def step(self) -> int:
        return int(self.kernel.run("answer = sim.step_number"))

    def state(self) -> str:
        return str(self.kernel.run("answer = sim.state"))

    def says(self, words: str, within: float) -> None:
        """In the notebook, in time."""
        until(lambda: words in self.state(), within)

    def stopped(self, pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        self.clean_up.append(lambda: go_on(pid))


@pytest.fixture
def watched(request: pytest.FixtureRequest) -> Iterator[Watched]:
    """`param`: code of the kernel's before it watches; "proxy" has the simulation come through one."""
    before = getattr(request, "param", "")
    with Kernel.started() as kernel, Running(2, *STEPS, live=f"localhost:{free_ports(1)[0]}") as simulation:
        kernel.run(f"{before}\nsim = session.monitor({simulation.live!r})")
        one = Watched(kernel, simulation)
        until(lambda: one.step() > 3)
        kernel.run("field = sim.extract('input')")
        yield one
        for act in one.clean_up:
            act()


def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


# -- those who watch -----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [killed, pytest.param("stopped", marks=soak)], ids=["killed", "stopped"])
@pytest.mark.parametrize("who", ["engine", pytest.param("streamer", marks=soak), "kernel"])
def test_of_those_who_watch(
    watched: Watched, who: str, how: Callable[[int], None] | str, wanted: npt.NDArray[np.float64]
) -> None:
    pid = watched.kernel.process.pid if who == "kernel" else int(getattr(watched.kernel, who))
    (how if callable(how) else watched.stopped)(pid)
    assert np.array_equal(watched.simulation.result(PATIENCE), wanted)
    if (who, how) == ("engine", killed):
        watched.says("has finished, at step 499.", 5)
        wrong, _ = watched.kernel.attempt("field.UpdatePipeline()").wrong or ("", "")
        assert wrong == "EngineLost"


@soak
@pytest.mark.parametrize("watched", ["session.serve(ranks=2)"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_of_a_servers_rank(watched: Watched, number: signal.Signals, wanted: npt.NDArray[np.float64]) -> None:
    pid = int(watched.kernel.run("answer = list(session._origin._served.pids.values())[1]"))
    os.kill(pid, number)
    watched.clean_up.append(lambda: go_on(pid))
    assert np.array_equal(watched.simulation.result(PATIENCE), wanted)


def test_of_a_kernel_that_dies_while_it_stands(watched: Watched, wanted: npt.NDArray[np.float64]) -> None:
    watched.kernel.run("sim.pause()")
    killed(watched.kernel.process.pid)
    began = time.monotonic()
    assert np.array_equal(watched.simulation.result(PATIENCE), wanted)
    # The pause outlived its owner, as it might have come back, and then was over.
    assert time.monotonic() - began > 4.0


@pytest.mark.soak
def test_of_an_engine_that_comes_back(watched: Watched, wanted: npt.NDArray[np.float64]) -> None:
    killed(watched.kernel.engine)
    watched.kernel.run("sim.pause(); session.restart()")
    watched.kernel.run("field = sim.extract('input')")
    assert watched.kernel.run("answer = field.GetDataInformation().GetNumberOfPoints()") >= 24**3
    watched.kernel.run("sim.resume()")
    assert np.array_equal(watched.simulation.result(PATIENCE), wanted)


@soak
def test_of_a_streamer_that_comes_back(watched: Watched, wanted: npt.NDArray[np.float64]) -> None:
    killed(watched.kernel.streamer)
    watched.kernel.run("session.restart()")
    until(lambda: "runs, at step" in watched.state(), 10)
    watched.kernel.run("sim.pause(); field = sim.extract('input'); sim.set(F=0.04); sim.resume()")
    assert watched.kernel.run("answer = field.GetDataInformation().GetNumberOfPoints()") >= 24**3
    assert np.array_equal(watched.simulation.result(PATIENCE), wanted)


# -- what is between -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_of_the_ferry(watched: Watched, number: signal.Signals, wanted: npt.NDArray[np.float64]) -> None:
    ferry = watched.simulation.ferry
    os.kill(ferry, number)
    watched.clean_up.append(lambda: go_on(ferry))
    if number is signal.SIGKILL:
        # There is another one, and the link with it.
        before = watched.step()
        until(lambda: watched.step() > before + 5)
        watched.kernel.run("field = sim.extract('input')")
    assert np.array_equal(watched.simulation.result(PATIENCE), wanted)


@soak
def test_of_garbage_at_the_harbour(watched: Watched, wanted: npt.NDArray[np.float64]) -> None:
    port = int(watched.simulation.live.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as one, socket.create_connection(("127.0.0.1", port)) as other:
        one.sendall(os.urandom(1 << 16))
        other.sendall(b'{"pvlink": "insitu", "version": 1, "nonce": "x"}\n{"proof": "y"}\n')
        assert watched.simulation.result(PATIENCE).tobytes() == wanted.tobytes()
    watched.says("has finished", 5)


# -- the simulation itself -----------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [0, pytest.param(1, marks=soak)])
def test_of_a_rank_it_is_said(watched: Watched, rank: int) -> None:
    killed(watched.simulation.ranks[rank])
    watched.says("has died", 3)
    assert watched.simulation.ended() != 0
    # What came last stays to be seen, and the notebook goes on.
    assert watched.kernel.run("answer = field.GetDataInformation().GetNumberOfPoints()") >= 24**3
    wrong, message = watched.kernel.attempt("sim.pause()").wrong or ("", "")
    assert wrong == "SimulationError"
    assert "No simulation is there" in message
    until(lambda: not watched.simulation.left(), 10)


def test_of_one_that_is_stopped_it_is_said(watched: Watched, wanted: npt.NDArray[np.float64]) -> None:
    ranks = watched.simulation.ranks
    for pid in ranks:
        os.kill(pid, signal.SIGSTOP)
    watched.says("is stopped by the system (SIGSTOP)", 4)
    time.sleep(1.0)
    for pid in ranks:
        os.kill(pid, signal.SIGCONT)
    watched.says("runs, at step", 4)
    assert np.array_equal(watched.simulation.result(PATIENCE), wanted)


@pytest.mark.soak
def test_of_a_disk_that_is_full_the_log_is_lost_and_not_the_run() -> None:
    with Kernel.started() as kernel, Running(2, *STEPS, "--log", "/dev/full") as simulation:
        kernel.run(f"sim = session.monitor({simulation.live!r})")
        until(lambda: kernel.run("answer = sim.step_number") > 3)
        kernel.run("sim._linked(); sim.set(F=0.05)")
        # The notebook has it.
        assert [one["new"] for one in kernel.run("answer = sim.log")] == [0.05]
        simulation.result(PATIENCE)
        assert "/dev/full cannot be written: No space left on device" in simulation.said()


# -- the network ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["cut", pytest.param("silent", marks=soak)])
def test_of_a_network_that_is_gone_for_a_while(how: str, wanted: npt.NDArray[np.float64]) -> None:
    (port,) = free_ports(1)
    with (
        Kernel.started() as kernel,
        Line(port) as line,
        Running(2, *STEPS, live=f"localhost:{line.port}") as simulation,
    ):
        kernel.run(f"sim = session.monitor({port})")
        until(lambda: kernel.run("answer = sim.step_number") > 3)
        kernel.run("field = sim.extract('input')")
        if how == "cut":
            line.cut_all()
        else:
            line.silence_all()
            until(lambda: "cannot be reached since step" in kernel.run("answer = sim.state"), 8)
            line.resume()
        # It looks for the notebook now and then, and waits a while for each answer.
        until(lambda: {"kind": "came", "again": True} in kernel.run("answer = sim.events"), 20)
        if how == "cut":
            # After a long silence it may have finished.
            kernel.run("field = sim.extract('input')")
        assert np.array_equal(simulation.result(PATIENCE), wanted)
