"""A real Jupyter kernel, and what its cells show."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from jupyter_client.manager import start_new_kernel

START = "import pvlink\nsession = pvlink.start()\nfrom paraview.simple import *"


@dataclass
class Shown:
    """What one cell has shown until it ended."""

    out: str = ""
    err: str = ""
    # Class, message and trace of the exception.
    error: tuple[str, str, str] | None = None
    # Each message with data, in its order: kind ("display_data", "update_display_data", "execute_result") and data.
    data: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    seconds: float = 0.0
    # When the kernel said that it begins.
    begun: float = 0.0
    # When the kernel was interrupted, by the clock that all processes share.
    interrupted: float = 0.0

    @property
    def result(self) -> str | None:
        return next((data["text/plain"] for kind, data in self.data if kind == "execute_result"), None)

    @property
    def html(self) -> list[str]:
        return [data["text/html"] for _, data in self.data if "text/html" in data]


class Cells:
    """Runs cells one after the other."""

    def __enter__(self) -> Self:
        self.manager, self.client = start_new_kernel(kernel_name="python3", extra_arguments=["--log-level=ERROR"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def send(self, code: str) -> str:
        return str(self.client.execute(code))

    def run(self, code: str, *, interrupt_after: float = 0.0, patience: float = 60.0) -> Shown:
        """`interrupt_after`: seconds after the cell has begun."""
        return self.until_idle(self.send(code), interrupt_after=interrupt_after, patience=patience)

    def until_idle(self, cell: str, *, interrupt_after: float = 0.0, patience: float = 60.0) -> Shown:
        shown, began = Shown(), time.monotonic()
        while True:
            waited = time.monotonic() - began
            assert waited < patience, f"the cell does not end; so far: {shown}"
            lasted = time.monotonic() - shown.begun if shown.begun else 0.0
            if interrupt_after and not shown.interrupted and lasted > interrupt_after:
                shown.interrupted = time.monotonic()
                self.manager.interrupt_kernel()
            try:
                message = self.client.get_iopub_msg(timeout=0.02)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") == cell and self._take(shown, message):
                shown.seconds = time.monotonic() - began
                return shown

    def _take(self, shown: Shown, message: Any) -> bool:
        content = message["content"]
        match message["msg_type"]:
            case "stream" if content["name"] == "stdout":
                shown.out += content["text"]
            case "stream":
                shown.err += content["text"]
            case "error":
                shown.error = (content["ename"], content["evalue"], "\n".join(content["traceback"]))
            case "execute_result" | "display_data" | "update_display_data" as kind:
                shown.data.append((kind, content["data"]))
            case "status" if content["execution_state"] == "busy":
                shown.begun = time.monotonic()
            case "status" if content["execution_state"] == "idle":
                return True
        return False

    def value(self, expression: str) -> Any:
        """What an expression gives, if it is a plain value."""
        shown = self.run(expression)
        assert shown.result is not None, shown
        return eval(shown.result, {})  # noqa: S307 - our own kernel's answer

    def complete(self, code: str) -> list[str]:
        reply = self.client.complete(code, reply=True, timeout=20)
        return list(reply["content"]["matches"])
