"""A job whose time is nearly over: told in time, longer, renewed, larger; and its server in ParaView's own window."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import pvlink
from pvlink.launchers import launching
from tests.cluster.conftest import Site, ended, nothing_left
from tests.cluster.test_jobs import BEGIN, LOOK, SHOW
from tests.integration.household import until
from tests.integration.interpreter import Kernel
from tests.integration.watcher import Watcher

pytestmark = pytest.mark.cluster


def warns_after(seconds: str) -> None:
    path = Path.home() / ".config/pvlink/sites/here.toml"
    path.write_text(path.read_text() + f"[end]\nwarning = '{seconds}'\n")


def test_a_job_that_ends_soon_is_said_in_the_notebook_and_below_the_views(on_slurm: str, kernel: Kernel) -> None:
    warns_after("9m55s")
    kernel.run(BEGIN)
    kernel.run(f"job = pvlink.launch({on_slurm!r}, ranks=1, time='10:00'); session.connect(job)")
    kernel.run(SHOW)
    view = kernel.show()
    with Watcher(kernel.socket(), view, 320, 240) as watcher:
        until(lambda: watcher.states and "ends in 9 min" in watcher.states[-1].message, 60)
        assert watcher.states[-1].state == "live"
        assert 'job.extend("30:00") asks for more; job.renew() moves' in watcher.states[-1].message
        kept = Path.home() / ".local" / "state" / "pvlink" / "jobs" / f"{kernel.run('answer = job.key')}.pvsm"
        assert b"<ServerManagerState" in kept.read_bytes()
        kernel.run("job.extend('1:00:00')")
        until(lambda: watcher.states[-1].message == "", 60)
    kernel.run("job.cancel()")


def test_a_job_is_renewed_with_the_same_picture(on_slurm: str, kernel: Kernel) -> None:
    kernel.run(BEGIN)
    kernel.run(f"job = pvlink.launch({on_slurm!r}, ranks=1, time='10:00'); session.connect(job)")
    before, former = kernel.run(SHOW + LOOK), kernel.run("answer = job.key")
    assert kernel.run(f"job.renew(time='20:00'); {LOOK}") == before
    assert kernel.run("answer = job.key, job.state, job.remaining.total_seconds() > 900") != [former, "used", True]
    assert kernel.run("answer = job.state, job.remaining.total_seconds() > 900") == ["used", True]
    old = pvlink.attach(former)
    assert ended(old) == "It was cancelled."
    nothing_left(old)
    assert kernel.run("job.resize(ranks=2); answer = session.server.ranks") == 2
    # The two before it are ended.
    until(lambda: len([one for one in launching.jobs() if one.state != "ended"]) == 1)
    kernel.run("job.cancel()")


@pytest.mark.soak
def test_a_successor_that_does_not_come_leaves_the_job_as_it_was(on_slurm: str, kernel: Kernel) -> None:
    kernel.run(BEGIN)
    kernel.run(f"job = pvlink.launch({on_slurm!r}, ranks=1); session.connect(job)")
    before, key = kernel.run(SHOW + LOOK), kernel.run("answer = job.key")
    name, message = kernel.attempt("job.renew(partition='short', time='2:00:00')").wrong or ("", "")
    assert (name, "will not start" in message) == ("JobError", True)
    assert kernel.run("answer = job.key, job.state") == [key, "used"]
    assert kernel.run(LOOK) == before
    # A session that has left it is not taken along.
    kernel.run("session.disconnect(); job.renew()")
    assert kernel.run("answer = session.server is None, job.key") != [True, key]
    assert kernel.run("answer = session.server is None, job.state") == [True, "ready"]
    kernel.run("job.cancel()")


@pytest.mark.soak
def test_paraviews_own_window_has_a_way_to_it(on_slurm: str, kernel: Kernel) -> None:
    job = pvlink.launch(on_slurm, ranks=1).wait(60)
    command = [sys.executable, "-u", "-c", "from pvlink.cli import main; main()", "connect", job.number]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as window:
        assert window.stdout is not None
        assert re.match(rf"job {job.number} at here is at localhost:\d+", window.stdout.readline())
        file = window.stdout.readline().partition("Load Servers: ")[2].partition(";")[0]
        assert Path(file).stat().st_mode & 0o077 == 0
        kernel.run(BEGIN)
        assert "1 rank" in kernel.run(f"answer = repr(session.connect({file!r}, values={{}}))")
        assert kernel.run("s = Sphere(); s.UpdatePipeline(); answer = s.GetDataInformation().GetNumberOfPoints()") == 50
        kernel.run("session.disconnect()")
        until(lambda: job.state == "ready")
        # Not SIGINT: what a shell starts in the background ignores that.
        os.kill(window.pid, signal.SIGTERM)
        assert f"pvlink cancel {job.number} ends the job" in window.stdout.read()
    assert not Path(file).exists()
    assert job.state == "ready"
    job.cancel()


@pytest.mark.soak
def test_a_site_without_a_scheduler_renews_too(on_machine: str, write_site: Site, kernel: Kernel) -> None:
    kernel.run(BEGIN)
    kernel.run(f"job = pvlink.launch({on_machine!r}, ranks=1, time='1h'); session.connect(job)")
    before = kernel.run(SHOW + LOOK)
    assert kernel.run(f"job.renew(); {LOOK}") == before
    kernel.run("job.cancel()")
