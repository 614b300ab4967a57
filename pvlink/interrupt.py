"""Ctrl-C at a place where it does no harm.

A KeyboardInterrupt can strike between any two bytecodes: in the middle of reading a message it would leave half of it
in the socket and the session unusable. So while pvlink waits, the signal is noted and raised by the wait itself.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from types import FrameType, TracebackType
from typing import Any, Self

# How long until a signal is tried again that came at the wrong moment, in seconds.
_LATER = 0.01


class Interrupt:
    """A context in which SIGINT is noted: `fd` becomes readable. Only in the main thread has it a task."""

    def __init__(self) -> None:
        self.pending = False
        self.fd, self._noted = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._previous: Any = None
        self._depth = 0

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._depth += 1
            if self._depth == 1:
                self._previous = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if threading.current_thread() is threading.main_thread():
            self._depth -= 1
            if self._depth == 0:
                self._restore()
                # One that came after the last look must not wait for the next call, which may never come.
                if self.take() and error is None:
                    signal.raise_signal(signal.SIGINT)

    @property
    def noting(self) -> bool:
        """Whether the signal is noted just now."""
        return self._depth > 0

    def _restore(self) -> None:
        # None: the handler was not set from Python and cannot be set back from it.
        signal.signal(signal.SIGINT, self._previous if self._previous is not None else signal.SIG_DFL)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if not self.pending and self._noted >= 0:
            os.write(self._noted, b"!")
        self.pending = True

    def take(self) -> bool:
        """Whether there was one; it is taken."""
        pending, self.pending = self.pending, False
        if pending and self.fd >= 0:
            # Nothing is there when the interrupt was handed on rather than signalled.
            with suppress(BlockingIOError):
                os.read(self.fd, 64)
        return pending

    def close(self) -> None:
        """Give the pipe back; what asks afterwards still learns whether there was one."""
        for fd in (self.fd, self._noted):
            if fd >= 0:
                os.close(fd)
        self.fd = self._noted = -1

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """While the user's own code runs inside a wait, Ctrl-C is theirs again."""
        if self._depth == 0 or threading.current_thread() is not threading.main_thread():
            yield
            return
        self._restore()
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, self._note)


@cache
def strikes_again(destructor: Callable[[Any], None]) -> None:
    """From now on an interrupt that strikes in this destructor does so once more, when that is over.

    Python prints what is raised in one and goes on, and so would the cell.
    """
    former = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        if unraisable.object is destructor and issubclass(unraisable.exc_type, KeyboardInterrupt):
            _later(_strike).start()
        else:
            former(unraisable)

    sys.unraisablehook = hook


def _strike() -> None:
    # A real signal, for the main thread may sleep by now. What Python does not handle would end the process.
    if callable(signal.getsignal(signal.SIGINT)):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def _later(function: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(_LATER, function)
    timer.daemon = True
    return timer


class Shelter:
    """Keeps Ctrl-C out of what VTK calls: a KeyboardInterrupt there ends the process, as VTK's wrappers have it.

    While C++ draws, Python cannot feel the signal; it strikes in the first line of ours that VTK calls afterwards. In a
    loop that draws that is so each time, and trying again later is no help: so the code that called VTK is watched, by
    Python's profiling hook, for its next step.
    """

    def __init__(self, folder: str, error: Callable[[], BaseException | None] = KeyboardInterrupt) -> None:
        """`folder`: where the code is that VTK calls. `error` makes what is raised; none: the signal meant nothing."""
        self._folder = folder
        self._make_error = error
        self._error: BaseException = KeyboardInterrupt()
        self._again: threading.Timer | None = None
        # Those that wait for VTK to return.
        self._callers: list[FrameType] = []

    def enter(self) -> None:
        """A cell runs: what Jupyter does with the signal, but for that. What a user does with it stays."""
        if _main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._struck)

    def leave(self) -> None:
        """It has ended, and with it what was put off."""
        self._forget()
        if _main_thread() and signal.getsignal(signal.SIGINT) == self._struck:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _struck(self, _number: int, frame: FrameType | None) -> None:
        # Tried again, it is what it was: who made it has told all it knew.
        error = self._error if self._callers else self._make_error()
        if error is None:
            return
        self._error = error
        self._forget()
        frames = list(_outwards(frame))
        inside = [number for number, each in enumerate(frames) if each.f_code.co_filename.startswith(self._folder)]
        if not inside:
            raise self._error
        self._callers = frames[inside[-1] + 1 :]
        if sys.getprofile() is None:
            sys.setprofile(self._step)
        # Where nothing is called there is no step to be seen.
        self._again = _later(_thread.interrupt_main)
        self._again.start()

    def _step(self, frame: FrameType, _event: str, _what: object) -> None:
        if any(frame is caller for caller in self._callers):
            self._forget()
            raise self._error

    def _forget(self) -> None:
        if sys.getprofile() == self._step:
            sys.setprofile(None)
        self._callers = []
        if self._again is not None:
            self._again.cancel()
            self._again = None


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
