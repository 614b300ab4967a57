"""A Jupyter kernel on a Python that has ParaView or VTK itself, and those who watch its views."""

from __future__ import annotations

import os
import queue
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jupyter_client.manager import KernelManager

from tests.integration.cells import Cells, Shown
from tests.integration.watcher import Watcher

MIME = "application/vnd.pvlink.view+json"
LAUNCH = ["-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]


class OwnKernel(Cells):
    """Its household is known by the directory its sockets are in."""

    def __init__(self, python: str, *first: str, **env: str) -> None:
        """`first`: cells that must run at the beginning; `env`: added to the environment, which has no display."""
        self._python = python
        self._first = first
        self._env = env
        # The cell that showed a view last.
        self.shown_by = ""
        self._last = ""
        self.directory = Path(tempfile.mkdtemp(prefix="pvl-"))

    def __enter__(self) -> Self:
        env = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
        env |= {"PVLINK_RUNTIME_DIR": str(self.directory), **self._env}
        self.manager = KernelManager()
        spec = self.manager.kernel_spec
        assert spec is not None
        spec.argv = [self._python, *LAUNCH]
        self.manager.start_kernel(env=env, cwd=str(self.directory))
        self.client = self.manager.client()
        self.client.start_channels()
        try:
            self.client.wait_for_ready(timeout=60)
            for cell in self._first:
                self.do(cell)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        shutil.rmtree(self.directory, ignore_errors=True)

    def do(self, code: str, patience: float = 60.0) -> Shown:
        """Run a cell that must not raise."""
        shown = self.run(code, patience=patience)
        assert shown.error is None, shown.error[2]
        return shown

    def send(self, code: str) -> str:
        self._last = super().send(code)
        return self._last

    def said_meanwhile(self) -> list[tuple[str, str]]:
        """What was printed since the last cell ended: the cell it appears in, and the text."""
        said = []
        while self.client.iopub_channel.is_alive() and (message := self._message()) is not None:
            if message["msg_type"] == "stream":
                said.append((message["parent_header"]["msg_id"], message["content"]["text"]))
        return said

    def _message(self) -> dict[str, Any] | None:
        try:
            return dict(self.client.get_iopub_msg(timeout=0.02))
        except queue.Empty:
            return None

    def show(self, code: str) -> str:
        """Run a cell that shows a view; the view's name."""
        shown = self.do(code)
        names = [str(data[MIME]["view"]) for _, data in shown.data if MIME in data]
        assert names, shown
        self.shown_by = self._last
        return names[-1]

    def socket(self) -> Path:
        name = self.value("import pvlink; pvlink.session().id")
        return self.directory / f"{name}.sock"

    def watch(self, view: str, width: int = 400, height: int = 300) -> Watcher:
        return Watcher(self.socket(), view, width, height)

    @property
    def pid(self) -> int:
        return int(self.value("__import__('os').getpid()"))

    def alive(self) -> bool:
        """Whether its process is there, and answers."""
        return bool(self.manager.is_alive()) and self.value("1 + 1") == 2
