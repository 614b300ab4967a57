"""A Python in a process of its own that runs what a test tells it: a kernel with pvlink, or plain pvpython."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

LOOP = Path(__file__).with_name("interpreter_loop.py")
START = "import pvlink\nsession = pvlink.start()\nfrom paraview.simple import *\n"


class CodeFailedError(Exception):
    """The code raised."""


@dataclass(frozen=True)
class Said:
    """What came of some code."""

    out: str
    err: str
    # Class and message of the exception.
    wrong: tuple[str, str] | None
    # The variable `answer` afterwards.
    answer: Any


class Interpreter:
    """One process. `run` waits, `begin` does not; the code's `answer` comes back if JSON can hold it."""

    def __init__(self, command: list[str], env: dict[str, str] | None = None, *options: str, **how: Any) -> None:
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            [*command, str(LOOP), str(theirs.fileno()), *options],
            pass_fds=[theirs.fileno()],
            env=env,
            stdin=subprocess.DEVNULL,
            **how,
        )
        theirs.close()
        ours.settimeout(120)
        self._line = ours.makefile("rw")
        self._socket = ours

    def begin(self, code: str) -> None:
        self._line.write(json.dumps(code) + "\n")
        self._line.flush()

    def said(self, patience: float = 120) -> Said:
        self._socket.settimeout(patience)
        said = json.loads(self._line.readline() or "null")
        if said is None:
            raise EOFError(f"the interpreter ended with {self.process.wait(10)}")
        return Said(said["out"], said["err"], tuple(said["wrong"]) if said["wrong"] else None, said["answer"])

    def attempt(self, code: str, patience: float = 120) -> Said:
        """Run code that may raise."""
        self.begin(code)
        return self.said(patience)

    def run(self, code: str, patience: float = 120) -> Any:
        """Run code that must not raise; its `answer`."""
        said = self.attempt(code, patience)
        if said.wrong is not None:
            raise CodeFailedError("\n".join([*said.wrong, said.out, said.err]))
        return said.answer

    def close(self) -> None:
        """Let go; what does not end by itself is killed."""
        self._line.close()
        self._socket.close()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Kernel(Interpreter):
    """A Python with IPython in it, whose household is known by the directory its sockets are in."""

    def __init__(self, python: str = sys.executable, **env: str) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="pvl-"))
        environment = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
        environment |= {"PVLINK_RUNTIME_DIR": str(self.directory), **env}
        super().__init__([python, "-P"], environment, "--ipython", cwd=self.directory)

    @classmethod
    def started(cls, **env: str) -> Self:
        """With a session in it."""
        kernel = cls(**env)
        try:
            kernel.run(START)
        except BaseException:
            kernel.close()
            raise
        return kernel

    @property
    def engine(self) -> int:
        return int(self.run("answer = session.about['pid']"))

    @property
    def streamer(self) -> int:
        return int(self.run("answer = session._streamer.pid"))

    def socket(self) -> Path:
        return self.directory / f"{self.run('answer = session.id')}.sock"

    def show(self, view: str = "GetActiveView()") -> str:
        """The id of a view that is being shown."""
        return str(self.run(f"widget = pvlink.show({view}); answer = widget.view"))

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Display:
    """An X server for plain ParaView, which ends the process without one."""

    def __enter__(self) -> str:
        answer, given = os.pipe()
        command = ["Xvfb", "-displayfd", str(given), "-screen", "0", "2048x2048x24", "-nolisten", "tcp", "-noreset"]
        self._process = subprocess.Popen(command, pass_fds=[given], stderr=subprocess.DEVNULL)
        os.close(given)
        with os.fdopen(answer) as answered:
            return f":{answered.readline().strip()}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)


def plain(display: str) -> Interpreter:
    """ParaView's own Python, with nothing of ours in it."""
    interpreter = Interpreter(["pvpython", "--no-mpi"], os.environ | {"DISPLAY": display, "HWLOC_COMPONENTS": "-gl"})
    interpreter.run("from paraview.simple import *")
    # Or the first Render() would undo what a scene says about the camera; traces call it too.
    interpreter.run("import paraview.simple; paraview.simple._DisableFirstRenderCameraReset()")
    return interpreter
