"""Where the cell is that shows the view, and what its kernel's own messages travel on."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pvlink import mirror
from pvlink.checkup.findings import Finding

_IPC = (
    'put `c.KernelManager.transport = "ipc"` into jupyter_server_config.py and restart Jupyter; the documentation on '
    "security says more."
)


@dataclass(frozen=True)
class FrontEnd:
    """One kind of page a notebook may be opened in, told by what it leaves in its kernels' environment."""

    name: str
    variables: tuple[str, ...]
    way: str
    cure: str = ""


FRONT_ENDS = (
    FrontEnd(
        "Google Colab",
        ("COLAB_RELEASE_TAG", "COLAB_GPU"),
        "has no relay: the view comes by the widget's own messages, and rests while a cell runs",
    ),
    FrontEnd(
        "VS Code",
        ("VSCODE_PID", "VSCODE_CWD", "VSCODE_IPC_HOOK_CLI"),
        "may have no Jupyter server: then the view comes by the widget's own messages, and rests while a cell runs",
        "For a view that stays alive: start `jupyter lab` where the data is, and choose it in VS Code as an existing "
        "Jupyter server; or open the link of `view.share()`.",
    ),
    FrontEnd(
        "Voila",
        ("VOILA_KERNEL_ID", "VOILA_PREHEAT", "VOILA_REQUEST_URL"),
        "shows views to look at. Inside a Jupyter server they come by its relay, with the `voila` command by messages",
    ),
    FrontEnd(
        "a Jupyter gateway",
        ("KERNEL_GATEWAY", "EG_IMPERSONATION_ENABLED", "KERNEL_ID"),
        "has its kernels on another host than the server: the relay does not reach them",
        "If the browser reaches this host: `pvlink.start(direct=True)`.",
    ),
    FrontEnd("JupyterHub", ("JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_USER"), "views come by your own server's relay"),
    FrontEnd("a Jupyter server", ("JPY_PARENT_PID", "JPY_SESSION_NAME"), "views come by its relay"),
)


def here(environment: Mapping[str, str]) -> FrontEnd | None:
    """The first that fits: each is listed before what it may run inside of."""
    return next((one for one in FRONT_ENDS if any(name in environment for name in one.variables)), None)


def findings(environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Which front end, and the kernel's transport."""
    connection = connection_file()
    found = here(environment)
    if connection is None:
        # A terminal inside a front end has its variables, too.
        yield Finding(
            "frontend",
            "ok",
            "Asked in a terminal: what depends on the notebook is not looked at. `pvlink.doctor()` in a cell does",
            facts={"frontend": "terminal"},
        )
        return
    if found is None:
        yield Finding("frontend", "ok", "A kernel that no known front end has started", facts={"frontend": "unknown"})
    else:
        yield Finding(
            "frontend",
            "note" if found.cure else "ok",
            f"The notebook is in {found.name}: {found.way}",
            found.cure,
            {"frontend": found.name},
        )
    yield transport(connection)


def connection_file() -> Path | None:
    """Of the kernel that this is; none outside one."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    # A kernel that was only imported is no notebook's.
    if shell is None or not hasattr(shell, "kernel"):
        return None
    named = shell.config.get("IPKernelApp", {}).get("connection_file", "")
    return Path(named) if named and Path(named).is_file() else _given()


def _given() -> Path | None:
    """What Jupyter starts kernels with: -f FILE."""
    arguments = Path("/proc/self/cmdline").read_bytes().split(b"\0")
    names = [after for before, after in itertools.pairwise(arguments) if before in (b"-f", b"--f")]
    names += [one.partition(b"=")[2] for one in arguments if one.startswith(b"-f=")]
    return next((path for name in names if (path := Path(os.fsdecode(name))).is_file()), None)


def transport(connection: Path) -> Finding:
    """Over tcp whoever is on this machine can listen to what cells show."""
    facts = json.loads(connection.read_text())
    kind, address = str(facts.get("transport", "tcp")), str(facts.get("ip", ""))
    if kind == "ipc":
        return Finding(
            "kernel-transport", "ok", "The kernel's messages go over unix sockets (ipc)", facts={"transport": kind}
        )
    if any("curve" in str(name).lower() for name in facts):
        return Finding(
            "kernel-transport",
            "ok",
            "The kernel's messages are encrypted",
            facts={"transport": kind, "encrypted": True},
        )
    return Finding(
        "kernel-transport",
        "note",
        f"The kernel's messages go over tcp ({address}): other users of this machine can read what cells show, the "
        "first picture of a view among it. The live view does not pass there",
        f"Nothing, if this machine is yours alone. Else {_IPC}",
        {"transport": kind, "ip": address},
    )


def loaded() -> list[str]:
    """Who draws in this kernel itself."""
    return [name for root, name in (("paraview", "ParaView"), ("vtkmodules", "VTK")) if mirror.real(root)]
