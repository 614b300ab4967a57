"""A cluster as networks are: a laptop, a firewall that lets only ssh through, a login node, two compute nodes.

Each host is namespaces of this machine: a network, a host name and an /etc/hosts of its own; files and users are
shared, as they are on a cluster. Nothing of it is left when its holders end, and they end with their maker. Needs root.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

SSHD = "/usr/sbin/sshd"
SPACES = ("--net", "--mount", "--uts", "--propagation=private")
# What is needed below, in a network that is gone at once.
_TRIAL = """\
ip link add one type veth peer name other
ip link add inside type bridge
sysctl -qw net.ipv4.ip_forward=1
nft add table inet firewall
mount --bind /etc/hosts /etc/hosts
hostname trial
"""
PROGRAMS = ("nft", "ip", "nsenter", "unshare", "ssh-keygen")
START_S = 20.0
NODES = ("n0", "n1")
_FIREWALL = """\
table inet firewall {
  chain into { type filter hook input priority 0; policy accept;
    iifname "outside" ct state established,related accept
    iifname "outside" tcp dport 22 accept
    iifname "outside" drop
  }
  chain through { type filter hook forward priority 0; policy drop;
    iifname "inside" oifname "inside" accept
  }
}
"""
_SSHD = """\
Port 22
HostKey {root}/hostkey
AuthorizedKeysFile {root}/authorized
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PermitRootLogin yes
PidFile none
"""


@dataclass
class Host:
    """One of them."""

    name: str
    address: str
    holder: subprocess.Popen[bytes] = field(repr=False)

    @property
    def enter(self) -> list[str]:
        """What stands before a command that is to run there."""
        return ["nsenter", f"--target={self.pid}", "--net", "--uts", "--mount", "--"]

    @property
    def pid(self) -> int:
        """Of the process that the namespaces belong to."""
        return int(Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()[0])

    def run(self, *command: str, given: str = "") -> str:
        done = subprocess.run([*self.enter, *command], input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{self.name}: {' '.join(command)}: {done.stderr}"
        return done.stdout


def why_not() -> str:
    """Why there can be no such network here; empty if there can."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if not Path(SSHD).exists():
        missing.append("sshd")
    if missing:
        return f"{', '.join(missing)} are not installed"
    done = subprocess.run(["unshare", *SPACES, "sh", "-ec", _TRIAL], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"no networks can be made here: {done.stderr.strip() or done.returncode}"


class Network:
    """Laptop 10.99.1.2 and login node 10.99.1.1; that is 10.99.2.1 among its nodes, 10.99.2.10 and on."""

    def __init__(self, sshd: str = "") -> None:
        """`sshd`: lines of all sshd's settings; the first of a name counts, so they come before ours."""
        self.root = Path(tempfile.mkdtemp(prefix="pvn-", dir="/tmp"))
        self.root.chmod(0o755)
        self.sshd = sshd
        self._running: list[subprocess.Popen[bytes]] = []
        self._hosts: list[Host] = []

    def __enter__(self) -> Self:
        try:
            self._write()
            self.laptop = self._host("laptop", "10.99.1.2")
            self.login = self._host("login", "10.99.2.1")
            self.nodes = {name: self._host(name, f"10.99.2.{10 + number}") for number, name in enumerate(NODES)}
            self._connect()
            for host in (self.login, *self.nodes.values()):
                self._serve(host)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._running):
            process.kill()
            process.wait()
        for host in self._hosts:
            host.holder.kill()
            host.holder.communicate()
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def known(self) -> str:
        """A line of known_hosts for the login node, as the laptop calls it."""
        return f"10.99.1.1 {' '.join((self.root / 'hostkey.pub').read_text().split()[:2])}\n"

    def cut(self) -> None:
        """The laptop's cable."""
        self.laptop.run("ip", "link", "set", "outside", "down")

    def mend(self) -> None:
        self.laptop.run("ip", "link", "set", "outside", "up")
        self.laptop.run("ip", "route", "replace", "default", "via", "10.99.1.1")

    def _write(self) -> None:
        for name in ("hostkey", "id"):
            subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", str(self.root / name)], check=True)
        shutil.copy(self.root / "id.pub", self.root / "authorized")
        (self.root / "authorized").chmod(0o600)
        (self.root / "sshd_config").write_text(self.sshd + _SSHD.format(root=self.root))
        # What the cluster knows of itself, as sites have it in /etc/ssh.
        key = " ".join((self.root / "hostkey.pub").read_text().split()[:2])
        shutil.copytree("/etc/ssh", self.root / "etc-ssh")
        (self.root / "etc-ssh" / "ssh_known_hosts").write_text("".join(f"{name} {key}\n" for name in (*NODES, "login")))
        hosts = [
            "127.0.0.1 localhost",
            "10.99.2.1 login",
            *(f"10.99.2.{10 + n} {name}" for n, name in enumerate(NODES)),
        ]
        (self.root / "hosts").write_text("\n".join(hosts) + "\n")

    def _host(self, name: str, address: str) -> Host:
        own = self.root / ("hosts" if name != "laptop" else "hosts-laptop")
        if name == "laptop":
            own.write_text("127.0.0.1 localhost laptop\n")
        knows = f"mount --bind {self.root}/etc-ssh /etc/ssh && " if name != "laptop" else ""
        script = (
            f"mount --bind {own} /etc/hosts && {knows}hostname {name} && ip link set lo up && echo ready && exec cat"
        )
        holder = subprocess.Popen(
            ["unshare", *SPACES, "--fork", "--kill-child", "sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert holder.stdout is not None
        host = Host(name, address, holder)
        self._hosts.append(host)
        said = holder.stdout.readline()
        assert said == b"ready\n", said
        return host

    def _connect(self) -> None:
        laptop, login = self.laptop, self.login
        laptop.run("ip", "link", "add", "outside", "type", "veth", "peer", "name", "outside", "netns", str(login.pid))
        for host, address in ((laptop, "10.99.1.2/24"), (login, "10.99.1.1/24")):
            host.run("ip", "address", "add", address, "dev", "outside")
            host.run("ip", "link", "set", "outside", "up")
        laptop.run("ip", "route", "add", "default", "via", "10.99.1.1")
        login.run("ip", "link", "add", "inside", "type", "bridge")
        login.run("ip", "address", "add", "10.99.2.1/24", "dev", "inside")
        login.run("ip", "link", "set", "inside", "up")
        for node in self.nodes.values():
            ends = (node.name, "type", "veth", "peer", "name", "eth0", "netns", str(node.pid))
            login.run("ip", "link", "add", *ends)
            login.run("ip", "link", "set", node.name, "master", "inside")
            login.run("ip", "link", "set", node.name, "up")
            node.run("ip", "address", "add", f"{node.address}/24", "dev", "eth0")
            node.run("ip", "link", "set", "eth0", "up")
            node.run("ip", "route", "add", "default", "via", "10.99.2.1")
        # Routing is on: it is the firewall that keeps the laptop out.
        login.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        login.run("nft", "-f", "-", given=_FIREWALL)

    def _serve(self, host: Host) -> None:
        Path("/run/sshd").mkdir(exist_ok=True)
        log = self.root / f"sshd-{host.name}"
        command = [*host.enter, SSHD, "-D", "-f", str(self.root / "sshd_config"), "-E", str(log)]
        self._running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL))
        deadline = time.monotonic() + START_S
        while not (log.exists() and "Server listening" in log.read_text()):
            assert time.monotonic() < deadline, "no sshd came"
            time.sleep(0.02)
