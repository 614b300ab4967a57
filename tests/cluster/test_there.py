"""ParaView's own process in a job: real Slurm, real ssh; only pictures and commands cross the network."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pvlink.launchers import launching
from tests.cluster.conftest import Site, nothing_left
from tests.cluster.network import Network
from tests.cluster.test_jobs import PIDS, SHOW
from tests.cluster.test_ssh import cluster as far_cluster
from tests.cluster.test_ssh import laptop
from tests.integration.household import until
from tests.integration.interpreter import Interpreter, Kernel
from tests.integration.watcher import Watcher

pytestmark = pytest.mark.cluster

ENGINE = f"[engine]\npython = ['{sys.executable}']\n"
BEGIN = "import os, pvlink\nfrom pvlink import fetch, put\n"
START = "session = pvlink.start(on=job)\nfrom paraview.simple import *\n"
SCENE = """\
contour = Contour(Input=Wavelet(), ContourBy=["POINTS", "RTData"], Isosurfaces=[157.0])
view = CreateView("RenderView"); view.ViewSize = [320, 240]
Show(contour); view.ResetCamera(); widget = pvlink.show(view)
"""
PICTURE = "import base64; answer = base64.b64encode(widget.screenshot()).decode()"
JOB = "answer = job.key"


@pytest.fixture
def there(write_site: Site) -> str:
    """A machine without a scheduler, where pvlink is installed."""
    return write_site('scheduler = "none"\n' + ENGINE)


def program(kernel: Interpreter, word: str) -> psutil.Process:
    """One of the job's processes, by a word of its command line."""
    key = kernel.run(JOB)
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("PVLINK_JOB") == key and word in " ".join(process.cmdline()):
                found.append(process)
    return max(found, key=psutil.Process.create_time)


def cancelled(kernel: Interpreter) -> None:
    """Nothing of the job is left then."""
    key = kernel.run(JOB)
    kernel.run("job.cancel()")
    nothing_left(launching.attach(key))


def test_paraview_is_on_the_node(on_slurm: str, write_site: Site, kernel: Kernel) -> None:
    site = Path(os.environ["HOME"], ".config/pvlink/sites", f"{on_slurm}.toml")
    site.write_text(f"{site.read_text()}\n{ENGINE}")
    kernel.run(f"{BEGIN}job = pvlink.launch({on_slurm!r}, ranks=2, time='30:00')\n{START}")
    assert " in job " in kernel.run("answer = repr(session)")
    kernel.run(SCENE)
    assert len(kernel.run(PICTURE)) > 4000
    assert kernel.run("answer = list(fetch(contour.Input, 'RTData').shape)") == [21, 21, 21]
    # More than one part of a message.
    sent = "import numpy; sent = numpy.arange(3_000_000.0).reshape(100, 150, 200); put(sent, name='mine')"
    assert kernel.run(f"{sent}; answer = bool((fetch('mine', 'mine') == sent).all())")
    # What ParaView says there is read here.
    said = kernel.attempt(
        "contour.ContourBy = ['POINTS', 'nothing']; contour.Isosurfaces = [1.0]; contour.UpdatePipeline()"
    )
    assert "nothing" in said.err or "Isosurfaces" in said.err or said.wrong is None
    # The job's own server, which is beside it.
    assert "2 ranks" in kernel.run("answer = repr(session.connect(job))")
    assert kernel.run(f"{SHOW}\n{PIDS}; answer = sorted(set(answer))") == [0, 1]
    kernel.run("session.disconnect()")
    wrong, message = kernel.attempt("session.serve()").wrong or ("", "")
    assert wrong == "ServerError"
    assert "on this machine" in message
    kernel.run("session.stop()")
    # The job goes on without it.
    until(lambda: kernel.run("answer = job.state") == "ready")
    cancelled(kernel)


@pytest.mark.parametrize(
    "word",
    [
        "pvlink.launchers.outpost",
        *(pytest.param(each, marks=pytest.mark.soak) for each in ("pvlink.streamer", "pvlink/engine")),
    ],
)
def test_whatever_is_killed_there_is_had_again(there: str, kernel: Kernel, word: str) -> None:
    kernel.run(f"{BEGIN}job = pvlink.launch({there!r}, ranks=1, time='30:00')\n{START}{SCENE}")
    before = kernel.run(PICTURE)
    # The end of a cell, after which the pipeline is written down.
    kernel.run("answer = 1")
    until(lambda: kernel.run("answer = session._kept() is not None"))
    program(kernel, word).send_signal(signal.SIGKILL)
    until(lambda: kernel.run("answer = not session.alive"))
    said = kernel.attempt(PICTURE).wrong
    assert said is not None
    assert said[0] in ("StreamerLost", "EngineLost")
    assert "pvlink.session().restart() brings" in said[1]
    kernel.run("session.restart()")
    assert kernel.run(PICTURE) == before
    assert kernel.run("answer = list(contour.Isosurfaces)") == [157.0]
    cancelled(kernel)


def test_a_gate_that_is_killed_is_another_one(there: str, kernel: Kernel) -> None:
    kernel.run(f"{BEGIN}job = pvlink.launch({there!r}, ranks=1, time='30:00')\n{START}{SCENE}")
    path = kernel.socket()
    (gate,) = [
        one
        for one in psutil.Process(kernel.process.pid).children()
        if "pvlink.launchers.gate" in " ".join(one.cmdline())
    ]
    gate.kill()
    until(lambda: kernel.run("answer = not session.alive"))
    kernel.run("session.restart()")
    with Watcher(path, kernel.run("answer = widget.view"), 320, 240) as watcher:
        watcher.still()
    cancelled(kernel)


def test_the_end_of_the_job_is_said_and_nothing_of_the_pipeline_is_lost(
    there: str, kernel: Kernel, tmp_path: Path
) -> None:
    kernel.run(f"{BEGIN}job = pvlink.launch({there!r}, ranks=1, time='30:00')\n{START}{SCENE}")
    kernel.run("answer = 1")
    until(lambda: kernel.run("answer = session._kept() is not None"))
    cancelled(kernel)
    until(lambda: kernel.run("answer = not session.alive"))
    wrong, message = kernel.attempt("session.restart()").wrong or ("", "")
    assert wrong == "JobError"
    assert message.endswith("It was cancelled.")
    state = tmp_path / "pipeline.pvsm"
    kernel.run(f"session.save_state({str(state)!r})")
    assert "Contour" in state.read_text()


@pytest.mark.soak
def test_it_goes_over_to_another_job(there: str, kernel: Kernel) -> None:
    kernel.run(f"{BEGIN}job = pvlink.launch({there!r}, ranks=1, time='30:00')\n{START}{SCENE}")
    before = kernel.run(PICTURE)
    former = launching.attach(kernel.run(JOB))
    kernel.run("job.renew(time='20:00')")
    assert kernel.run(JOB) != former.key
    assert kernel.run(PICTURE) == before
    nothing_left(former)
    cancelled(kernel)


def test_a_kernel_that_is_killed_leaves_the_job_only(there: str) -> None:
    with Kernel() as kernel:
        kernel.run(f"{BEGIN}job = pvlink.launch({there!r}, ranks=1, time='30:00', grace='4s')\n{START}{SCENE}")
        job = launching.attach(kernel.run(JOB))
        engine = program(kernel, "pvlink/engine")
        kernel.process.kill()
        engine.wait(20)
    # Nobody comes again.
    until(lambda: job.state == "ended", 40)
    assert "Nobody had been connected" in job.sentence
    nothing_left(job)


# One that is not there, one that is no Python, and one without pvlink.
@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/true", "/usr/bin/python3"])
def test_a_node_without_pvlink_says_what_to_do(write_site: Site, kernel: Kernel, python: str) -> None:
    site = write_site(f'scheduler = "none"\n[engine]\npython = ["{python}"]\n')
    kernel.run(f"{BEGIN}job = pvlink.launch({site!r}, ranks=1, time='30:00')")
    wrong, message = kernel.attempt("pvlink.start(on=job)").wrong or ("", "")
    assert wrong == "JobError"
    assert "There is no pvlink on " in message
    assert "`pvlink site prepare NAME`" in message
    cancelled(kernel)


@pytest.fixture(scope="module")
def far() -> Iterator[Network]:
    with far_cluster() as net:
        yield net


@pytest.mark.parametrize("way", ["direct", *(pytest.param(way, marks=pytest.mark.soak) for way in ("socket", "jump"))])
def test_from_a_laptop_by_ssh(far: Network, way: str) -> None:
    with laptop(far, ways=f'["{way}"]', more=ENGINE) as kernel:
        kernel.run(f"{BEGIN}job = pvlink.launch('far', ranks=1, time='30:00')\n{START}{SCENE}")
        before = kernel.run(PICTURE)
        # The next kernel tries this one first.
        assert kernel.run("from pvlink.launchers import remembered; answer = remembered.way('10.99.1.1')") == way
        runtime = Path(kernel.run("answer = os.environ['PVLINK_RUNTIME_DIR']"))
        socket = runtime / f"{kernel.run('answer = session.id')}.sock"
        with Watcher(socket, kernel.run("answer = widget.view"), 320, 240) as watcher:
            watcher.drag([(160, 120), (200, 140), (240, 160)])
            # Also while the kernel does not look up.
            kernel.begin("import time; time.sleep(2.0)")
            seen = len(watcher.frames)
            watcher.drag([(160, 120), (200, 140), (240, 160)])
            until(lambda: len(watcher.frames) > seen)
            kernel.said()
        until(lambda: kernel.run(PICTURE) != before)
        # The link is cut: the carrier is what holds it.
        kernel.run("answer = 1")
        until(lambda: kernel.run("answer = session._kept() is not None"))
        carriers = [
            one for one in psutil.Process(kernel.process.pid).children() if "carrier" in " ".join(one.cmdline())
        ]
        carriers[0].kill()
        until(lambda: kernel.run("answer = not session.alive"))
        began = time.monotonic()
        kernel.run("session.restart()")
        assert time.monotonic() - began < 60
        assert kernel.run("answer = list(contour.Isosurfaces)") == [157.0]
        assert kernel.run(PICTURE)
