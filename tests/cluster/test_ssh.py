"""From a laptop behind a firewall that lets only ssh through: real sshd, real Slurm, real servers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cluster import network, slurm
from tests.cluster.conftest import MPIEXEC, SETUP
from tests.cluster.network import Network
from tests.cluster.slurm import Slurm
from tests.cluster.test_jobs import BEGIN, LOOK, SHOW
from tests.integration.household import until
from tests.integration.interpreter import Interpreter

pytestmark = pytest.mark.cluster

SITE = """\
[ssh]
host = "10.99.1.1"
user = "root"
identity = "{identity}"
ways = {ways}
[slurm]
partitions = ["gpu", "busy"]
[paraview]
setup = {setup}
mpiexec = {mpiexec}
"""
Laptop = Callable[..., Interpreter]


@contextmanager
def cluster(sshd: str = "") -> Iterator[Network]:
    """Network and Slurm; both end here."""
    if why := slurm.why_not() or network.why_not():
        pytest.skip(f"no cluster here: {why}")
    net = Network()
    whole = Slurm(network=net)
    net.sshd = f"SetEnv SLURM_CONF={whole.environment['SLURM_CONF']}\n{sshd}"
    with net, whole:
        yield net


@pytest.fixture(scope="module")
def far() -> Iterator[Network]:
    with cluster() as net:
        yield net


@contextmanager
def at_home(
    net: Network, *, ways: str = '["direct", "socket", "jump"]', known: bool = True, more: str = ""
) -> Iterator[dict[str, str]]:
    """A home on the laptop, which the cluster's nodes see as well, as an environment; its jobs end here."""
    home = Path(tempfile.mkdtemp(prefix="pvh-"))
    sites = home / ".config" / "pvlink" / "sites"
    sites.mkdir(parents=True)
    identity = net.root / "id"
    (sites / "far.toml").write_text(SITE.format(identity=identity, ways=ways, setup=SETUP, mpiexec=MPIEXEC) + more)
    (home / ".ssh").mkdir(mode=0o700)
    if known:
        (home / ".ssh" / "known_hosts").write_text(net.known)
    keep = {name: value for name, value in os.environ.items() if name != "DISPLAY" and not name.startswith("XDG_")}
    (home / "run").mkdir(mode=0o700)
    try:
        yield {**keep, "HOME": str(home), "PVLINK_RUNTIME_DIR": str(home / "run")}
    finally:
        with_everything = {"HOME": str(home), **keep}
        cancel = "from pvlink.launchers import launching\nfor job in launching.jobs():\n    job.cancel()"
        subprocess.run(
            [*net.laptop.enter, sys.executable, "-c", cancel],
            env=with_everything,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def laptop(net: Network, **site: Any) -> Iterator[Interpreter]:
    """A kernel on the laptop."""
    command = [*net.laptop.enter, sys.executable, "-P"]
    with (
        at_home(net, **site) as environment,
        Interpreter(command, environment, "--ipython", cwd=environment["HOME"]) as kernel,
    ):
        yield kernel


def carrier(kernel: Interpreter) -> psutil.Process:
    below = psutil.Process(kernel.process.pid).children()
    (found,) = [one for one in below if "pvlink.launchers.carrier" in one.cmdline()]
    return found


def test_one_line_on_a_laptop(far: Network) -> None:
    with laptop(far) as kernel:
        kernel.run(BEGIN)
        said = kernel.run("job = pvlink.launch('far', ranks=2, time='30:00'); answer = repr(session.connect(job))")
        assert "2 ranks" in said
        assert "drawn by the server" in said
        assert kernel.run("answer = job.nodes") in ("n0", "n1")
        assert "It is reached by ssh (direct), encrypted up to there." in kernel.run("answer = session.server.safety")
        before = kernel.run(SHOW + LOOK)
        assert kernel.run("session.disconnect(); session.reconnect(); " + LOOK) == before
        assert 1700 < kernel.run("answer = job.remaining.total_seconds()") <= 1800
        kernel.run("job.cancel()")
        until(lambda: kernel.run("answer = job.state") == "ended")
        assert kernel.run("answer = job.sentence") == "It was cancelled."


@pytest.mark.parametrize("way", ["jump", pytest.param("socket", marks=pytest.mark.soak)])
def test_by_ssh_to_the_node_whose_key_the_login_node_knows(far: Network, way: str) -> None:
    with laptop(far, ways=f'["{way}"]') as kernel:
        kernel.run(BEGIN)
        assert "1 rank" in kernel.run("answer = repr(session.connect(pvlink.launch('far', ranks=1)))")
        assert f"by ssh ({way})" in kernel.run("answer = session.server.safety")
        assert kernel.run("s = Sphere(); s.UpdatePipeline(); answer = s.GetDataInformation().GetNumberOfPoints()") == 50


def test_a_host_that_is_not_known_is_asked_about_once(far: Network) -> None:
    with laptop(far, known=False) as kernel:
        # Nobody is there to say yes.
        name, message = kernel.attempt("import pvlink; pvlink.launch('far')").wrong or ("", "")
        assert (name, "The key of 10.99.1.1 is not" in message) == ("JobError", True)
        kernel.run("import builtins, pvlink; asked = []; builtins.input = lambda prompt: asked.append(prompt) or 'yes'")
        kernel.run("job = pvlink.launch('far', ranks=1); job.cancel()")
        (asked,) = kernel.run("answer = asked")
        assert asked.startswith("10.99.1.1 is not known yet. Its key is SHA256:")
        kernel.run("pvlink.launch('far', ranks=1).cancel()")
        assert len(kernel.run("answer = asked")) == 1


def test_a_host_whose_key_has_changed_is_not_trusted(far: Network) -> None:
    with laptop(far) as kernel:
        other = (far.root / "id.pub").read_text().split()
        line = f"10.99.1.1 {other[0]} {other[1]}"
        kernel.run(f"from pathlib import Path; Path('~/.ssh/known_hosts').expanduser().write_text({line!r})")
        kernel.run("import builtins; builtins.input = lambda prompt: 'yes'")
        name, message = kernel.attempt("import pvlink; pvlink.launch('far')").wrong or ("", "")
        assert name == "JobError"
        assert "ssh-keygen -R 10.99.1.1" in message


def test_a_passphrase_is_asked_for_below_the_cell(far: Network) -> None:
    with laptop(far) as kernel:
        key = kernel.run("from pathlib import Path; answer = str(Path('~/.ssh/locked').expanduser())")
        subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "open sesame", "-f", key], check=True)
        with (far.root / "authorized").open("a") as file:
            file.write(Path(f"{key}.pub").read_text())
        site = "p = Path('~/.config/pvlink/sites/far.toml').expanduser()"
        kernel.run(f"{site}; p.write_text(p.read_text().replace({str(far.root / 'id')!r}, {key!r}))")
        kernel.run("import getpass, pvlink; asked = []")
        kernel.run("getpass.getpass = lambda prompt: asked.append(prompt) or 'open sesame'")
        assert kernel.run("job = pvlink.launch('far', ranks=1); job.cancel(); answer = job.number").isdigit()
        assert kernel.run("answer = asked") == [f"Passphrase for {key}: "]
        kernel.run("from pvlink.launchers import launching; launching._clusters.clear()")
        kernel.run("getpass.getpass = lambda prompt: 'wrong'")
        name, message = kernel.attempt("pvlink.launch('far')").wrong or ("", "")
        assert name == "JobError"
        assert "sesame" not in message


def test_forwarding_that_is_refused_is_said_with_who_refuses() -> None:
    with cluster("AllowTcpForwarding no\nAllowStreamLocalForwarding no\n") as net, laptop(net) as kernel:
        kernel.run(BEGIN)
        name, message = kernel.attempt("session.connect(pvlink.launch('far', ranks=1))").wrong or ("", "")
        assert name == "ServerError"
        assert "no way leads to the job's door. Tried: from the login node to the node's port: its sshd" in message
        assert "AllowTcpForwarding" in message


@pytest.mark.soak
def test_a_carrier_that_is_killed_loses_the_server_and_not_the_job(far: Network) -> None:
    with laptop(far) as kernel:
        kernel.run(BEGIN)
        kernel.run("job = pvlink.launch('far', ranks=1); session.connect(job)")
        before = kernel.run(SHOW + LOOK)
        carrier(kernel).kill()
        name, _ = kernel.attempt("import time; time.sleep(1); Render()").wrong or ("", "")
        assert name == "ServerLost"
        assert kernel.run("session.reconnect(); " + LOOK) == before
        assert kernel.run("answer = job.state") == "used"


@pytest.mark.soak
def test_a_kernel_that_is_killed_takes_its_connections_along(far: Network) -> None:
    with laptop(far) as kernel:
        kernel.run(BEGIN)
        kernel.run("job = pvlink.launch('far', ranks=1); session.connect(job)")
        process = carrier(kernel)
        os.kill(kernel.process.pid, signal.SIGKILL)
        process.wait(10)


@pytest.mark.soak
def test_a_cable_that_is_out_for_a_minute(far: Network) -> None:
    with laptop(far) as kernel:
        kernel.run(BEGIN)
        kernel.run("job = pvlink.launch('far', ranks=1, grace='10m'); session.connect(job)")
        before = kernel.run(SHOW + LOOK)
        far.cut()
        try:
            until(lambda: (kernel.attempt("Sphere().UpdatePipeline()").wrong or ("",))[0] == "ServerLost", 90)
        finally:
            far.mend()
        assert kernel.run("session.reconnect(); " + LOOK) == before
