"""Jupyter servers, each away from the user's own settings, with the pvlink that is installed."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

# A cold machine imports JupyterLab for a while.
START_S = 90.0
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def write_kernel(folder: Path, name: str, python: str) -> None:
    """A kernel on another Python, for a server whose home this is."""
    spec = {"argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"], **KERNEL, "display_name": name}
    path = folder / "data" / "kernels" / name / "kernel.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(spec))


def write_notebook(path: Path, cells: Sequence[str], kernel: str = "python3") -> None:
    made = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "source": cell,
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            for number, cell in enumerate(cells)
        ],
        "metadata": {"kernelspec": {**KERNEL, "name": kernel}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(made))


class Server:
    """One web server as a process: `jupyter lab` (with Notebook 7 and Voila inside), or `voila` by itself."""

    def __init__(self, home: Path, arguments: Sequence[str], *, base: str = "/", ready: str = "api/status") -> None:
        self.base = base
        self.port = free_port()
        self.token = secrets.token_hex(16)
        self.root = home / "notebooks"
        self.log = home / "server.log"
        self._ready = ready
        self._arguments = [argument.replace("PORT", str(self.port)) for argument in arguments]
        self._home = home
        # Not in the checkout: what the server and its kernels import is what is installed.
        self.program = [sys.executable, "-P"]
        self._process: subprocess.Popen[bytes] | None = None
        self.root.mkdir(parents=True)

    @classmethod
    def jupyter(cls, home: Path, *, base: str = "/") -> Self:
        """A Jupyter server with everything a notebook may be opened in."""
        arguments = ["-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.root_dir={home / 'notebooks'}"]
        arguments += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=PORT", "--ServerApp.port_retries=0"]
        arguments += [f"--ServerApp.base_url={base}", "--LabApp.expose_app_in_browser=True"]
        arguments += ["--JupyterNotebookApp.expose_app_in_browser=True"]
        return cls(home, arguments, base=base)

    @classmethod
    def voila(cls, home: Path, notebook: str) -> Self:
        """The `voila` command on one notebook: a server of its own, without the extensions of a Jupyter server."""
        arguments = ["-m", "voila", str(home / "notebooks" / notebook), "--no-browser", "--port=PORT"]
        return cls(home, [*arguments, "--Voila.ip=127.0.0.1"], ready="static/")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.base}"

    def __enter__(self) -> Self:
        settings = self._home / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True, exist_ok=True)
        # Else a question about Jupyter's news covers a corner of the picture.
        quiet = {"fetchNews": "false", "checkForUpdates": False}
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
        env = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_"))}
        env |= {f"JUPYTER_{kind}_DIR": str(self._home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
        env["JUPYTER_TOKEN"] = self.token
        with self.log.open("w") as log, ExitStack() as stack:
            self._process = subprocess.Popen(
                [*self.program, *self._arguments],
                cwd=self._home,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            stack.callback(self._end)
            self._wait()
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1):
                    return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"the server did not start; it said:\n{self.log.read_text()[-3000:]}")

    def _end(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(self, path: str, method: str = "GET") -> Any:
        """Jupyter's own interface, as its administrator."""
        request = urllib.request.Request(f"{self.url}{path}", method=method)  # noqa: S310 - http, here
        request.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            said = answer.read()
        return json.loads(said) if said else None

    def kernels(self) -> list[str]:
        return [kernel["id"] for kernel in self.ask("api/kernels")]

    def end_kernels(self, but: Sequence[str] = ()) -> None:
        for kernel in set(self.kernels()) - set(but):
            self.ask(f"api/kernels/{kernel}", "DELETE")
