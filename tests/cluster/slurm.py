"""A real Slurm of this machine: munge, a controller and some virtual nodes with GPUs that are none. Needs root."""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import psutil

from tests.cluster import network as networks
from tests.cluster.network import Host, Network

NODES = 4
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
# Linux gives away those from 32768 on.
PORTS = (12000, 32000)
START_S = 30.0
# A node's, as Slurm is told.
CPUS, MEMORY, GPUS = 4, 180_000, 4
# Whoever kills the tests kills these.
WITH_US = ["setpriv", "--pdeathsig=KILL", "--"]
_SBIN = ("/usr/sbin", "/sbin")

_CONF = """\
ClusterName=pvlink
SlurmctldHost={host}({address})
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={root}/munge/socket
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd-%n.pid
SlurmctldLogFile={root}/log/slurmctld
SlurmdLogFile={root}/log/slurmd-%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=permit_job_expansion,sched_interval=2,bf_interval=2,batch_sched_delay=0,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
MailProg={root}/mail
Epilog={root}/epilog
PrologFlags=Alloc
EpilogMsgTime=100
KillWait=15
MinJobAge=120
OverTimeLimit=0
InactiveLimit=0
MessageTimeout=30
SlurmdParameters=config_overrides
"""
_NODE = (
    "NodeName={name} NodeHostname={host} NodeAddr={address} Port={port} CPUs={cpus} Boards=1 SocketsPerBoard=1 "
    "CoresPerSocket={cpus} ThreadsPerCore=1 RealMemory={memory} Gres=gpu:{gpus} State=UNKNOWN\n"
)
_PARTITIONS = """\
PartitionName=gpu Nodes=ALL Default=YES MaxTime=12:00:00 State=UP
PartitionName=busy Nodes={first} MaxTime=12:00:00 State=UP
PartitionName=short Nodes={last} MaxTime=00:10:00 State=UP
"""


def why_not() -> str:
    """Why there can be no Slurm here; empty if there can."""
    missing = [program for program in PROGRAMS if _which(program) is None]
    if missing:
        return f"{', '.join(missing)} are not installed"
    return "" if os.getuid() == 0 else "munge and Slurm's nodes need root"


def _which(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path=":".join(_SBIN))


class Slurm:
    """All of it ends with `with`, and with this process."""

    def __init__(self, epilog: str = "#!/bin/sh\nexit 0\n", network: Network | None = None) -> None:
        """`network`: hosts of their own for controller and nodes; else all of it is on this one."""
        # Short, for sockets; seen by all, as the nodes' users may be others.
        self.root = Path(tempfile.mkdtemp(prefix="pvs-", dir="/tmp"))
        self.root.chmod(0o755)
        self._epilog = epilog
        self._network = network
        self.nodes = list(networks.NODES) if network else [f"n{number}" for number in range(NODES)]
        self._running: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> dict[str, str]:
        return {"SLURM_CONF": str(self.root / "slurm.conf")}

    def __enter__(self) -> Self:
        try:
            self._write()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            self.ask("scancel", "--user=root")
        for process in reversed(self._running):
            below = []
            with contextlib.suppress(psutil.Error):
                below = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for each in below:
                with contextlib.suppress(psutil.Error):
                    each.kill()
        # A step's keeper is nobody's child.
        for each in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if each.environ().get("SLURM_CONF") == self.environment["SLURM_CONF"]:
                    each.send_signal(signal.SIGKILL)
        shutil.rmtree(self.root, ignore_errors=True)

    def ask(self, *command: str) -> str:
        """What one of Slurm's commands says."""
        words = [*(self._network.login.enter if self._network else []), *command]
        environment = os.environ | self.environment
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout

    def log(self) -> str:
        return "\n".join(f"{file.name}: {file.read_text()[-2000:]}" for file in (self.root / "log").iterdir())

    def _write(self) -> None:
        here, root = os.uname().nodename.partition(".")[0], self.root
        login = self._network.login if self._network else None
        for folder in ("munge", "state", "spool", "log", "dev"):
            (root / folder).mkdir(mode=0o755)
        (root / "munge").chmod(0o711)
        key = root / "munge" / "key"
        key.touch(0o400)
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        ports = _free_ports(len(self.nodes) + 1)
        place = (login.name, login.address) if login else (here, "127.0.0.1")
        conf = _CONF.format(host=place[0], address=place[1], port=ports[0], root=root)
        for number, name in enumerate(self.nodes):
            (root / "spool" / name).mkdir()
            node = self._network.nodes[name] if self._network else None
            host, address = (node.name, node.address) if node else (here, "127.0.0.1")
            facts = {"name": name, "host": host, "address": address, "port": ports[number + 1]}
            conf += _NODE.format(**facts, cpus=CPUS, memory=MEMORY, gpus=GPUS)
        (root / "slurm.conf").write_text(conf + _PARTITIONS.format(last=self.nodes[-1], first=self.nodes[0]))
        for number in range(GPUS):
            (root / "dev" / f"gpu{number}").touch()
        names = f"NodeName={','.join(self.nodes)} Name=gpu File={root}/dev/gpu[0-{GPUS - 1}]"
        (root / "gres.conf").write_text(f"AutoDetect=off\n{names}\n")
        mail = f'#!/bin/sh\nprintf "%s\\n" "$*" >>{root}/log/mail\n'
        for name, text in (("mail", mail), ("epilog", self._epilog)):
            (root / name).write_text(text)
            (root / name).chmod(0o755)

    def _start(self) -> None:
        root = self.root
        munge = [f"--{name}-file={root}/munge/{name}" for name in ("key", "pid", "log", "seed")]
        self._run("munged", "--foreground", "--force", f"--socket={root}/munge/socket", *munge)
        self._until(lambda: (root / "munge" / "socket").exists(), "munge did not start")
        login = self._network.login if self._network else None
        self._run("slurmctld", "-D", "-c", "-f", str(root / "slurm.conf"), on=login)
        for name in self.nodes:
            node = self._network.nodes[name] if self._network else None
            self._run("slurmd", "-D", "-f", str(root / "slurm.conf"), "-N", name, on=node)
        self._until(self._idle, "the nodes did not come")

    def _run(self, program: str, *arguments: str, on: Host | None = None) -> None:
        with (self.root / "log" / f"{program}.out").open("ab") as out:
            self._running.append(
                subprocess.Popen(
                    [*(on.enter if on else []), *WITH_US, _which(program) or program, *arguments],
                    env={"PATH": os.environ["PATH"], **self.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    cwd=self.root,
                )
            )

    def _idle(self) -> bool:
        try:
            return self.ask("sinfo", "--noheader", "--Node", "--partition=gpu", "--format=%T").split() == [
                "idle"
            ] * len(self.nodes)
        except subprocess.SubprocessError:
            return False

    def _until(self, condition: object, wrong: str) -> None:
        assert callable(condition)
        deadline = time.monotonic() + START_S
        while not condition():
            assert time.monotonic() < deadline, f"{wrong}\n{self.log()}"
            time.sleep(0.05)


def _free_ports(number: int) -> list[int]:
    """Not of those that the kernel gives away: another process could have one of them before Slurm does."""
    found: list[int] = []
    for port in random.sample(range(*PORTS), 10 * number):
        with contextlib.suppress(OSError), socket.socket() as sock:
            sock.bind(("", port))
            found.append(port)
    return found[:number]
