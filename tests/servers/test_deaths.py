"""A ParaView server of two ranks is killed, or stopped, in the middle of what a session does: an exception in time,
never a wrong number, nothing left of it, and the same picture on a new one."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import secrets
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import psutil
import pytest

from pvlink.servers.belongings import marked
from tests.conftest import environment
from tests.integration.household import until
from tests.integration.scenes import difference, pixels
from tests.integration.watcher import Watcher
from tests.servers.places import KINDS, Kind, Place, attempt, place, run, value, watched
from tests.servers.pvservers import needs_servers

# Each is held to seconds.
pytestmark = [*needs_servers, pytest.mark.alone]
# From the kill; from the interrupt where it hangs; until nothing of it is left.
KILLED_S, HUNG_S, LEFT_S = 3.0, 5.0, 3.0
SCENE = """\
import itertools, pathlib
contour = Contour(Input=Wavelet(WholeExtent=[-20, 20] * 3), ContourBy=["POINTS", "RTData"], Isosurfaces=[157.0])
view = CreateView("RenderView")
shown = Show(contour, view)
widget = pvlink.show(view, width=400, height=300)
right, wrong = {}, []
for isovalue in (120.0, 140.0, 157.0, 190.0, 210.0):
    contour.Isosurfaces = [isovalue]
    contour.UpdatePipeline()
    right[isovalue] = contour.GetDataInformation().GetNumberOfCells()
contour.Isosurfaces = [157.0]
points = len(pvlink.fetch(contour, "Normals"))
Render()
"""
AGAIN = "contour.Isosurfaces = [157.0]\nRender()"
# Each turn believes no number before it is looked at. The file says that the turns have begun.
TURN = {
    "render": "Render(view)",
    "update": """\
isovalue = next(values)
    contour.Isosurfaces = [isovalue]
    contour.UpdatePipeline()
    found = contour.GetDataInformation().GetNumberOfCells()
    if found != right[isovalue]:
        wrong.append((isovalue, found))""",
    "fetch": """\
found = len(pvlink.fetch(contour, "Normals"))
    if found != points:
        wrong.append(found)""",
}
LOOP = """\
values, turns = itertools.cycle(right), 0
while True:
    {turn}
    turns += 1
    if turns == 2:
        pathlib.Path({flag!r}).touch()
"""
ASK = """\
found = contour.GetDataInformation().GetNumberOfCells()
if found != right[157.0]:
    wrong.append(found)
"""
VICTIMS: dict[str, Callable[[Served], list[int]]] = {
    "rank 0": lambda served: [served.ranks[0]],
    "rank 1": lambda served: [served.ranks[1]],
    "all ranks": lambda served: list(served.ranks.values()),
    "mpiexec": lambda served: [served.mpi],
}
WHEN = ("idle", "render", "update", "fetch")


@dataclass(frozen=True)
class Served:
    """The processes of a served server."""

    ranks: dict[int, int]
    mpi: int
    mark: str

    def left(self) -> list[int]:
        alive = [pid for pid in (*self.ranks.values(), self.mpi) if not _gone(pid)]
        return sorted({*alive, *marked(self.mark)})

    def gone_by(self, when: float) -> None:
        """Nothing of it is left then."""
        until(lambda: not self.left(), max(0.0, when - time.monotonic()))


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def served(at: Place) -> Served:
    ranks, mpi, mark = value(at, "(dict((s := session._origin._served).pids), s.mpi_pid, s._belongings._mark)")
    return Served(ranks, mpi, mark)


@dataclass
class Stage:
    """A place with a served server, a contour on it, and who watches."""

    at: Place
    watcher: Watcher
    picture: bytes

    def reset(self) -> None:
        """A live server, and the contour as it was."""
        last = self.watcher.frames[-1].id
        if not value(self.at, "session.server is not None and session.server.alive"):
            run(self.at, "session.reconnect()")
        run(self.at, AGAIN)
        self.watcher.until(lambda: self.watcher.frames[-1].id > last)
        self.watcher.quiet(0.4)

    def same_again(self, served: Served) -> None:
        """A new server, and not a pixel differs."""
        last = self.watcher.frames[-1].id
        run(self.at, "session.reconnect()")
        run(self.at, AGAIN)
        self.watcher.until(lambda: self.watcher.states[-1].state == "live", 15)
        self.watcher.until(lambda: difference(pixels(self.watcher.still(last).data), pixels(self.picture)) == "", 15)
        assert value(self.at, "contour.GetDataInformation().GetNumberOfCells() == right[157.0]") is True
        assert served.left() == []


class Stages:
    """One at a time: a server that waits for its client keeps both cores busy."""

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._kind = ""

    def of(self, kind: Kind) -> Stage:
        """Set up at first, and after the other kind; as it was at the beginning."""
        if kind != self._kind:
            self.close()
            at = self._open.enter_context(place(kind, lambda: environment("paraview")))
            run(at, "server = session.serve(ranks=2)")
            run(at, SCENE)
            watcher = self._open.enter_context(watched(at))
            watcher.quiet(0.4)
            self._kind, self._stage = kind, Stage(at, watcher, watcher.still().data)
        self._stage.reset()
        return self._stage

    def close(self) -> None:
        self._kind = ""
        self._open.close()


@pytest.fixture(scope="module")
def stages() -> Iterator[Stages]:
    made = Stages()
    yield made
    made.close()


def begin(stage: Stage, when: str) -> None:
    """Have it busy with that, and come back when it is."""
    flag = stage.at.directory / f"flag-{secrets.token_hex(4)}"
    stage.at.begin(LOOP.format(turn=TURN[when], flag=str(flag)))
    until(flag.exists, 20)


def end(server: Served) -> None:
    """What was stopped would stay."""
    for pid in server.left():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def told(stage: Stage, by: float, *words: str) -> None:
    """Who watches has heard that it is lost, in time, and by whom."""
    stage.watcher.until(
        lambda: stage.watcher.states and stage.watcher.states[-1].state == "lost", max(0.0, by - time.monotonic())
    )
    message = stage.watcher.states[-1].message
    assert all(word in message for word in ("ParaView server at", "2 ranks", "reconnect()", *words)), message


# Those of each `make test`; all in `make soak`. No other test runs meanwhile, so they are few.
QUICK = {("kernel", "rank 0", "update")}
QUICK_HUNG = {("kernel", "rank 1", "render")}


def chosen(quick: set[tuple[str, str, str]], victims: list[str], kinds: Sequence[Kind]) -> Callable[..., object]:
    """All of them; those that are not quick are long by nature."""
    cases = [
        pytest.param(
            kind,
            victim,
            when,
            id=f"{kind}-{victim}-{when}",
            marks=[] if (kind, victim, when) in quick else [pytest.mark.soak],
        )
        for kind, victim, when in itertools.product(kinds, victims, WHEN)
    ]
    return pytest.mark.parametrize(("kind", "victim", "when"), cases)


@chosen(QUICK, list(VICTIMS), KINDS)
def test_a_killed_server_is_an_exception_and_comes_back(stages: Stages, kind: Kind, victim: str, when: str) -> None:
    stage = stages.of(kind)
    at, server = stage.at, served(stage.at)
    run(at, f"mine = {victim + when!r}")
    if when != "idle":
        begin(stage, when)
        time.sleep(random.Random(victim + when).uniform(0.0, 0.3))
    killed = time.monotonic()
    for pid in VICTIMS[victim](server):
        os.kill(pid, signal.SIGKILL)
    if when == "idle":
        told(stage, killed + KILLED_S, "has ended")
        ran = attempt(at, ASK)
        while ran.wrong is None and ran.at < killed + KILLED_S:
            # ParaView's end of the connection falls a moment later; meanwhile what it knows is right.
            ran = attempt(at, ASK)
    else:
        ran = at.ended()
        assert ran.at < killed + KILLED_S
        told(stage, killed + KILLED_S, "has ended")
    assert ran.wrong is not None
    assert ran.wrong[0] == "ServerLost"
    assert "has ended" in ran.wrong[1]
    server.gone_by(killed + LEFT_S)
    # The kernel and all it has is there, and was told nothing wrong.
    assert value(at, "(mine, wrong)") == (victim + when, [])
    for question in ("contour.GetDataInformation().GetNumberOfCells()", "pvlink.fetch(contour)", "Render()"):
        said = attempt(at, f"wrong.append({question})").wrong
        assert said is not None
        assert said[0] == "ServerLost", question
    stage.same_again(server)
    assert value(at, "wrong") == []


@pytest.mark.soak
@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_mpiexec_hangs_nothing_and_goes_with_the_rest(stages: Stages, kind: Kind, when: str) -> None:
    stage = stages.of(kind)
    at, server = stage.at, served(stage.at)
    if when != "idle":
        begin(stage, when)
    os.kill(server.mpi, signal.SIGSTOP)
    if when != "idle":
        time.sleep(0.7)
        at.interrupt()
        ran = at.ended(30)
        assert ran.wrong is not None
        assert ran.wrong[0] == "KeyboardInterrupt", ran.wrong
    run(at, AGAIN)
    assert value(at, "(contour.GetDataInformation().GetNumberOfCells() == right[157.0], wrong)") == (True, [])
    run(at, "session.disconnect()")
    server.gone_by(time.monotonic() + LEFT_S)
    stage.same_again(server)


# A stopped mpiexec is above. The other kind first: it is there already.
@chosen(QUICK_HUNG, [name for name in VICTIMS if name != "mpiexec"], KINDS[::-1])
def test_a_hung_server_is_cut_off_by_an_interrupt(stages: Stages, kind: Kind, victim: str, when: str) -> None:
    stage = stages.of(kind)
    at, server = stage.at, served(stage.at)
    run(at, f"mine = {victim + when!r}")
    if when != "idle":
        begin(stage, when)
    for pid in VICTIMS[victim](server):
        os.kill(pid, signal.SIGSTOP)
    try:
        if when == "idle":
            at.begin("contour.Isosurfaces = [190.0]\nRender()\nwrong.append('rendered')")
        time.sleep(0.7)
        interrupted = at.interrupt()
        ran = at.ended(30)
        assert ran.wrong is not None
        assert ran.wrong[0] == "ServerLost", ran.wrong
        assert ran.at < interrupted + HUNG_S
        told(stage, interrupted + HUNG_S)
        server.gone_by(ran.at + LEFT_S)
        assert value(at, "(mine, wrong)") == (victim + when, [])
        stage.same_again(server)
        assert value(at, "wrong") == []
    finally:
        end(server)


def test_one_that_hangs_while_a_hand_moves_in_the_kernel_is_cut_off_as_well(stages: Stages) -> None:
    stage = stages.of("kernel")
    at, server = stage.at, served(stage.at)
    for pid in server.ranks.values():
        os.kill(pid, signal.SIGSTOP)
    try:
        stage.watcher.send(stage.watcher.at("down", 200, 150), stage.watcher.at("move", 230, 160))
        # The kernel draws, between two cells: the next one waits.
        # First that ParaView is busy, then with what.
        states = stage.watcher.states
        stage.watcher.until(lambda: states and "interrupt the kernel" in states[-1].message, 8)
        assert states[-1].state == "busy"
        at.begin("mine = 'here'")
        time.sleep(0.2)
        interrupted = at.interrupt()
        ran = at.ended(30)
        assert ran.wrong is None
        assert ran.at < interrupted + HUNG_S
        told(stage, interrupted + HUNG_S)
        server.gone_by(ran.at + LEFT_S)
    finally:
        end(server)
    stage.watcher.send(stage.watcher.at("up", 230, 160))
    said = attempt(at, "contour.GetDataInformation().GetNumberOfCells()").wrong
    assert said is not None
    assert said[0] == "ServerLost"
    assert value(at, "(mine, wrong)") == ("here", [])
    run(at, "session.reconnect()")
    assert value(at, "contour.GetDataInformation().GetNumberOfCells() == right[157.0]") is True
