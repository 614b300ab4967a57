"""The kernel's end of the wire to the engine: waiting so that a cell can be interrupted and sees what happens."""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from pvlink.engine.rpc import Reference, Unsendable, Wire, drained, is_plain_function
from pvlink.errors import EngineLost
from pvlink.interrupt import Interrupt, strikes_again

# How often a long wait looks for output of the engine, in seconds.
OUTPUT_TICK = 0.1


class Answer:
    """The answer to one request, once it is there."""

    done = False
    failed = False
    value: Any = None

    def __call__(self, failed: bool, value: Any) -> None:
        self.done, self.failed, self.value = True, failed, value


class Abandoned:
    """The number of the last request given up, where the engine sees it in the middle of a pipeline update."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("pvlink-abandoned")
        os.ftruncate(self.fd, 8)

    def note(self, number: int) -> None:
        # One more, so that the zeros of a new file mean none.
        os.pwrite(self.fd, (number + 1).to_bytes(8, "little"), 0)

    def close(self) -> None:
        os.close(self.fd)


class ObjectLost(EngineLost, Unsendable):
    """An object of an engine that has ended, and that the next one could not bring back."""

    def __init__(self) -> None:
        super().__init__(
            "This object was in a ParaView process that has ended, and it did not come back with the pipeline: it was "
            "deleted, or was no part of it. Look it up again, such as with FindSource(...) or GetActiveView(), "
            "or make it anew."
        )


class KernelWire(Wire):
    """One call at a time, interruptible, with the engine's output and progress shown while it lasts."""

    pickle_refusal = (
        "a {} lives in ParaView's process and cannot be pickled or copied. "
        "Save the pipeline with SaveState(...), or take its data as numpy arrays."
    )

    def __init__(self, sock: socket.socket, lost: Callable[[], Exception]) -> None:
        """`lost` makes the exception to raise when the other end is gone."""
        super().__init__(sock, None)
        self._socket = sock
        self._lost = lost
        self._turn = threading.RLock()
        self._interrupt = Interrupt()
        strikes_again(Reference.__del__)
        self._depth = 0
        # Calls made so far; tells a cell that used ParaView from one that did not.
        self.calls = 0
        self.on_wait: Callable[[float], None] = _nothing
        self.on_done: Callable[[], None] = _nothing
        self.on_show: Callable[[Reference], Any] = _nothing
        self.on_abandon: Callable[[int], None] = _nothing
        # What to raise for an error of the engine's.
        self.on_error: Callable[[Any], Any] = _same
        # A user has interrupted a wait: may wait a little for what is there then, by the function it is given.
        self.on_interrupt: Callable[[Callable[[float], bool | None]], None] = _nothing
        # Told of the folder this process works in, before the first call after it has changed.
        self.on_move: Callable[[str], None] = _nothing
        self._folder = _folder()
        # What the user's variables may hold, by its name on the wire.
        self._known: WeakValueDictionary[tuple[str, int, int], Reference] = WeakValueDictionary()

    def adopt(self, reference: Reference) -> Any:
        self._known[object.__getattribute__(reference, "____id_pack__")] = reference
        return reference

    def stranger(self) -> Exception:
        return ObjectLost()

    def inherit(self, former: KernelWire, lent: list[Any], recall: Callable[[list[Any]], list[Any]]) -> None:
        """Let the references of a former engine stand for this one's objects.

        `lent` says how to find which object again: its name on the former wire and a recipe; `recall` follows the
        recipes. What cannot be found says so when it is used.
        """
        recipes = {(name, kind, number): recipe for name, kind, number, recipe in lent}
        held = [(reference, recipes[key]) for key, reference in former._known.items() if key in recipes]
        found = recall([recipe for _, recipe in held])
        for (reference, _), fresh in zip(held, found, strict=True):
            if issubclass(type(fresh), Reference):
                self._replace(fresh, reference)
        former._lost = ObjectLost

    def _replace(self, fresh: Reference, reference: Reference) -> None:
        """From here on the older one of two references stands for the object."""
        key = object.__getattribute__(fresh, "____id_pack__")
        # Another class of the same name: the engine's classes have new numbers.
        object.__setattr__(reference, "__class__", type(fresh))
        object.__setattr__(reference, "____conn__", self)
        object.__setattr__(reference, "____id_pack__", key)
        # Two variables may have held the same object: each of them counts once with the engine.
        object.__setattr__(reference, "____refcount__", 1)
        self._proxy_cache[key] = self._known[key] = reference
        # Its end is no news to the engine.
        object.__setattr__(fresh, "____conn__", None)

    def mimebundle(self, reference: Reference) -> Any:
        return self.on_show(reference)

    def stand_in(self, obj: Any) -> Any:
        if is_plain_function(obj):
            return obj
        held = drained(obj)
        if held is not obj:
            return held
        if callable(obj) and is_plain_function(obj.__call__):
            return obj.__call__
        raise Unsendable(
            f"a {type(obj).__name__} cannot be sent to ParaView's process. What can: numbers, strings, lists, "
            "tuples, dicts, sets, numpy arrays, paths, functions, and ParaView's own objects."
        )

    def async_request(self, handler: int, *args: Any, **options: Any) -> Any:
        """What nobody waits for, as the end of a reference. An interrupt must not leave half of it in the socket."""
        with self._interrupt:
            return super().async_request(handler, *args, **options)

    def sync_request(self, handler: int, *args: Any) -> Any:
        with self._turn, self._interrupt:
            folder = _folder()
            if folder != self._folder:
                self._folder = folder
                self.on_move(folder)
            self.calls += 1
            self._depth += 1
            answer = Answer()
            try:
                if self.closed:
                    raise self._lost()
                self._async_request(handler, args, answer)
                self._wait(answer)
                if answer.failed:
                    # Before its output is shown: what ParaView says of a lost server is not worth reading.
                    answer.value = self.on_error(answer.value)
            except (EOFError, OSError) as error:
                raise self._lost() from error
            finally:
                self._depth -= 1
                if self._depth == 0 and not self.closed:
                    self.on_done()
        if answer.failed:
            raise answer.value
        return answer.value

    def tell(self, reference: Reference, method: str) -> None:
        """Call a method and do not wait for it. An engine that has just ended is noticed by who waits for something."""
        if not self.closed:
            with suppress(EOFError, OSError):
                self.request_later(reference, method)

    def _wait(self, answer: Answer) -> None:
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        poll.register(self._interrupt.fd, select.POLLIN)
        began = time.monotonic()
        while not answer.done:
            if self._interrupt.take():
                # The engine stops as soon as its filters look up; its answer will find nobody and be dropped.
                self.on_abandon(self.number_of(answer))
                self.on_interrupt(partial(self._look, answer))
                if answer.failed and (found := self.on_error(answer.value)) is not answer.value:
                    raise found
                raise KeyboardInterrupt
            waited = time.monotonic() - began
            ready = poll.poll(OUTPUT_TICK * 1e3)
            if any(fd == self.fileno() for fd, _ in ready):
                self.poll()
            if waited > OUTPUT_TICK:
                self.on_wait(waited)

    def _look(self, answer: Answer, seconds: float) -> bool | None:
        """Wait a little longer; whether the answer is there, none where the user has interrupted again."""
        if self._interrupt.take():
            return None
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        poll.register(self._interrupt.fd, select.POLLIN)
        if any(fd == self.fileno() for fd, _ in poll.poll(seconds * 1e3)):
            self.poll()
        return answer.done

    def serve_idle(self) -> bool:
        """Handle what the engine has sent while nobody waited; False once it has gone. For the kernel's event loop."""
        with self._turn:
            try:
                while not self.closed and self.poll():
                    pass
            except (EOFError, OSError):
                self.close_quietly()
            return not self.closed

    def close_quietly(self) -> None:
        """Let go of the engine; it ends when it notices."""
        if not self.closed:
            self._cleanup()

    def release(self) -> None:
        """Let go for good."""
        self.close_quietly()
        self._interrupt.close()

    def _handle_call(self, function: Any, args: Any, kwargs: Any = ()) -> Any:
        """An observer of the user's, called by the engine, which does not wait for it."""
        try:
            with self._interrupt.allowed():
                function(*args, **dict(kwargs))
        except KeyboardInterrupt:
            # It was meant for the cell that waits; between cells there is none.
            self._interrupt.pending = self._interrupt.noting
        except Exception:  # noqa: BLE001 - whatever a user's function raises is shown to the user
            print(f"In an observer, {function!r}:", file=sys.stderr)  # noqa: T201
            traceback.print_exc()


def _folder() -> str:
    try:
        # Before every call; a Path would cost ten times as much.
        return os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        return "/"


def _nothing(*_: Any) -> None: ...


def _same(error: Any) -> Any:
    return error
