"""One kernel of a kind, and what is done in it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from tests.contracts.sessions.kinds import Kind
from tests.integration.cells import Cells, Shown
from tests.integration.household import until
from tests.integration.watcher import Watcher

SIZE = (320, 240)
_NAME = "of-this-kind"
# With pytest's variable ipykernel does not show in a cell what C++ writes to standard error.
_NOT_THE_KERNELS = ("DISPLAY", "PYTEST_CURRENT_TEST")


class Room(Cells):
    """A real ipykernel on this Python, whose household is known by the directory its sockets are in."""

    # How long a contract waits for what must happen, in seconds.
    patience = 30.0

    def __init__(self, kind: Kind, python: str) -> None:
        self.kind = kind
        self._python = python
        # Short: the name of a socket has room for a hundred letters.
        self.directory = Path(tempfile.mkdtemp(prefix="pvl-"))

    def __enter__(self) -> Self:
        spec = self.directory / "kernels" / _NAME
        spec.mkdir(parents=True)
        argv = [self._python, "-P", "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
        (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "", "language": "python"}))
        specs = KernelSpecManager(kernel_dirs=[str(spec.parent)])
        self.manager = KernelManager(kernel_name=_NAME, kernel_spec_manager=specs)
        own = {key: value for key, value in os.environ.items() if key not in _NOT_THE_KERNELS}
        self.manager.start_kernel(cwd=str(self.directory), env=own | {"PVLINK_RUNTIME_DIR": str(self.directory)})
        self.client = self.manager.client()
        self.client.start_channels()
        try:
            self.client.wait_for_ready(timeout=60)
            self.do(self.kind.start)
            self.pid = int(self.value("__import__('os').getpid()"))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def alive(self) -> bool:
        return bool(self.manager.is_alive())

    def kill(self) -> None:
        """As the machine does when memory is short."""
        os.kill(self.pid, signal.SIGKILL)
        until(lambda: not self.alive)

    def do(self, *code: str, patience: float = 60.0) -> Shown:
        """Run a cell that must not raise."""
        shown = self.run("\n".join(code), patience=patience)
        assert shown.error is None, shown.error[2]
        return shown

    def value(self, expression: str) -> Any:
        shown = self.do(expression)
        assert shown.result is not None, shown
        return eval(shown.result, {})  # noqa: S307 - our own kernel's answer

    def failure(self, code: str) -> tuple[str, str]:
        """Class and message of what code raises that must."""
        shown = self.run(code)
        assert shown.error is not None, f"{code} did not fail"
        return shown.error[0], shown.error[1]

    def until_said(self, code: str, *words: str) -> None:
        """Run a cell that must say this; what C++ says comes by a pipe, perhaps after the cell's own end."""
        shown = self.run(code)
        said = shown.out + shown.err + ("" if shown.error is None else shown.error[2])
        deadline = time.monotonic() + self.patience
        while not all(word in said for word in words):
            assert time.monotonic() < deadline, f"it said nothing of {words}, but {said!r}"
            with contextlib.suppress(queue.Empty):
                message = self.client.get_iopub_msg(timeout=0.1)
                said += message["content"].get("text", "") if message["msg_type"] == "stream" else ""

    def show(self) -> str:
        """The scene's view, as `widget`; its name."""
        self.do("widget = pvlink.show(view)")
        return str(self.value("widget.view"))

    @property
    def socket(self) -> Path:
        return self.directory / f"{self.value('pvlink.session().id')}.sock"

    def watch(self, view: str | None = None, **options: Any) -> Watcher:
        # In this order: in the kernel itself the first view makes the session.
        view = view or self.show()
        watcher = Watcher(self.socket, view, *SIZE, **options)
        watcher.patience = self.patience
        return watcher

    def camera(self) -> list[float]:
        """Where the user's own camera object is."""
        return [float(number) for number in self.value(self.kind.camera)]
