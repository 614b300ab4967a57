"""The Jupyter servers that run here, asked whether they know the way to pvlink; a token goes to its server only."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import ssl
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pvlink.checkup.bounds import program
from pvlink.checkup.findings import Facts, Finding
from pvlink.version import __version__

ASK_SECONDS = 4.0
PYTHON_SECONDS = 8.0
# A login node may hold many of one user's; the first few tell.
MOST = 4
SLOWER = "pictures come by the kernel's own messages, fewer, and none while a cell runs"
NOBODY = "0" * 32
_LOOPBACK = ("", "localhost", "127.0.0.1", "0.0.0.0", "::", "::1")  # noqa: S104 - how servers say it; nothing is bound
# In another environment: what it has of pvlink.
_ITS_PVLINK = "import importlib.metadata as m; print(m.version('pvlink'))"


@dataclass(frozen=True)
class Server:
    """One running Jupyter server, from the file it leaves for its user."""

    pid: int
    host: str
    port: int
    base: str
    secure: bool
    token: str = field(repr=False)

    @property
    def url(self) -> str:
        return f"http{'s' * self.secure}://{self.host or 'localhost'}:{self.port}{self.base}"


@dataclass(frozen=True)
class Answer:
    """What one said about a session; status 0 for nothing."""

    status: int
    alive: bool = False
    version: str = ""
    why: str = ""


def running(runtime: Iterable[Path]) -> list[Server]:
    """Those of this user whose process lives, the newest first."""
    found: list[tuple[float, Server]] = []
    for folder in runtime:
        for file in folder.glob("jpserver-*.json"):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                status = file.stat()
                if status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                    server = _of(json.loads(file.read_text()))
                    if Path(f"/proc/{server.pid}").exists():
                        found.append((status.st_mtime, server))
    return [server for _, server in sorted(found, key=lambda one: -one[0])]


def _of(facts: dict[str, Any]) -> Server:
    host = str(facts.get("hostname", ""))
    return Server(
        int(facts["pid"]),
        host,
        int(facts["port"]),
        str(facts.get("base_url", "/")),
        bool(facts.get("secure")),
        # Behind a hub the server's own token opens it, and its file has none.
        str(facts.get("token") or os.environ.get("JUPYTERHUB_API_TOKEN", "")),
    )


def ask(server: Server, session: str) -> Answer:
    """Over loopback, and only if the one who listens there is ourselves."""
    if server.host not in _LOOPBACK:
        return Answer(0, why=f"it listens at {server.host} only, not on loopback")
    if not _ours(server.port):
        return Answer(0, why=f"nobody of this user listens on port {server.port}")
    if server.secure:
        # Its certificate may be anybody's: who listens there was just looked at.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            _address(server), server.port, timeout=ASK_SECONDS, context=context
        )
    else:
        connection = http.client.HTTPConnection(_address(server), server.port, timeout=ASK_SECONDS)
    headers = {"Authorization": f"token {server.token}"} if server.token else {}
    try:
        connection.request("GET", f"{server.base}pvlink/{session}", headers=headers)
        answer = connection.getresponse()
        said = answer.read(1 << 16)
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, why=str(error) or type(error).__name__)
    finally:
        connection.close()
    alive = False
    if answer.status == 200:
        try:
            alive = bool(json.loads(said)["alive"])
        except (ValueError, KeyError, TypeError):
            return Answer(404)
    return Answer(answer.status, alive, answer.headers.get("Pvlink-Version", ""))


def _address(server: Server) -> str:
    return "::1" if server.host in ("::", "::1") else "127.0.0.1"


def _ours(port: int) -> bool:
    """Whether this user listens on it: the kernel of the machine knows (proc(5), net/tcp)."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                # State 0A is LISTEN.
                if (
                    fields[3] == "0A"
                    and int(fields[1].rpartition(":")[2], 16) == port
                    and int(fields[7]) == os.getuid()
                ):
                    return True
    return False


def findings(runtime: Iterable[Path], session: str | None, mine: int | None) -> Iterator[Finding]:
    """`mine`: the process that started this kernel; `session`: whose socket it should find."""
    servers = running(runtime)
    if mine is not None:
        own = [server for server in servers if server.pid == mine]
        if not own:
            yield Finding(
                "server",
                "note",
                f"This kernel was started by process {mine}, which is no Jupyter server with a file in "
                f"{', '.join(map(str, runtime))}",
                "Nothing, if the view is there. If not, see 'When something is wrong' in the documentation.",
                {"parent": mine},
            )
            return
        servers = own
    if not servers:
        yield Finding(
            "server",
            "note",
            "No Jupyter server of yours runs on this machine now",
            "Start Jupyter, then look again to have it checked.",
        )
    for server in servers[:MOST]:
        yield verdict(server, ask(server, session or NOBODY), session)


def verdict(server: Server, answer: Answer, session: str | None) -> Finding:
    facts: Facts = {"url": server.url, "pid": server.pid, "status": answer.status, "version": answer.version}
    name = f"The Jupyter server at {server.url}"
    if answer.status == 0:
        return Finding(
            "server",
            "note" if "listen" in answer.why else "problem",
            f"{name} was not reached: {answer.why}",
            "If its pages do not load either, it hangs or is busy: restart it." if "listen" not in answer.why else "",
            facts,
        )
    if answer.status in (301, 302, 401, 403):
        return Finding(
            "server",
            "note",
            f"{name} did not let the doctor in, so that its way to pvlink stays unknown",
            "Run `pvlink.doctor()` in a cell of a notebook there.",
            facts,
        )
    if answer.status == 404:
        return _without_route(server, name, facts)
    if answer.status != 200:
        return Finding(
            "server",
            "problem",
            f"{name} answers {answer.status} instead of pvlink's word",
            "Its log has the reason; restart it.",
            facts,
        )
    if answer.version != __version__:
        its = f"pvlink {answer.version}" if answer.version else "an older pvlink"
        return Finding(
            "server",
            "problem",
            f"{name} runs {its}, this environment pvlink {__version__}",
            "Install the same version in both environments (`pip install --upgrade pvlink`), then restart Jupyter.",
            facts,
        )
    if session is not None and not answer.alive:
        return Finding(
            "server",
            "problem",
            f"{name} has pvlink, but does not find this kernel's session",
            "Kernel and server must run on one host, as one user, and meet in one folder: set PVLINK_RUNTIME_DIR to "
            "the same for both, before Jupyter starts. A kernel on another host: `view.share()`.",
            facts,
        )
    found = " and finds this session" if session is not None else ""
    return Finding("server", "ok", f"{name} has pvlink {answer.version}{found}: pictures go by its relay", facts=facts)


def _without_route(server: Server, name: str, facts: Facts) -> Finding:
    """Why not: pvlink is not there, or was installed after it started, or is switched off."""
    python = python_of(server.pid)
    said = program([python, "-P", "-c", _ITS_PVLINK], PYTHON_SECONDS) if python else None
    if python and said is not None and said.code != 0:
        return Finding(
            "server",
            "problem",
            f"{name} does not have pvlink: it is not installed in its environment ({python}); {SLOWER}",
            f"`{python} -m pip install pvlink=={__version__}`, then restart that Jupyter.",
            facts | {"python": python},
        )
    return Finding(
        "server",
        "problem",
        f"{name} runs without pvlink's relay: {SLOWER}",
        "Restart it: it may have been started before pvlink was installed. If that does not help: "
        f"`{python or 'python'} -m jupyter server extension enable pvlink.server --sys-prefix`, and restart it again.",
        facts | {"python": python},
    )


def python_of(pid: int) -> str | None:
    """The Python that a process runs in, by the name that says which environment."""
    with contextlib.suppress(OSError):
        first = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
        if Path(first).is_absolute() and "python" in Path(first).name:
            return first
    return None


def environment(python: str) -> Path:
    """The folder whose bin a Python is in, by its name: the file itself may be many environments' own."""
    return Path(python).parent.parent.resolve()


def parent() -> int | None:
    """The process that started this kernel, as Jupyter tells its kernels."""
    said = os.environ.get("JPY_PARENT_PID", "")
    return int(said) if said.isdigit() else None
