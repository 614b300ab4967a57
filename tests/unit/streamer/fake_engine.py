"""An engine without ParaView, nastier than the real one: it delays, dies, talks nonsense, and counts every slot."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

_IDENTITY = [float(row == column) for row in range(4) for column in range(4)]
CAMERA = {
    "position": [0.0, 0.0, 5.0],
    "focal_point": [0.0, 0.0, 0.0],
    "view_up": [0.0, 1.0, 0.0],
    "parallel_scale": 1.0,
    "parallel": False,
    "view_matrix": _IDENTITY,
    "projection_matrix": _IDENTITY,
    "near": 0.1,
    "far": 10.0,
}


def picture(number: int, width: int, height: int) -> npt.NDArray[np.uint8]:
    """Frame `number` as the engine has it: RGBA, bottom row first, alpha 0, different for each number."""
    rows, columns = np.mgrid[0:height, 0:width]
    red = (columns * 255 // max(1, width - 1)).astype(np.uint8)
    green = (rows * 255 // max(1, height - 1)).astype(np.uint8)
    blue = np.full((height, width), number * 7 % 256, np.uint8)
    return np.stack([red, green, blue, np.zeros_like(blue)], axis=-1)


@dataclass
class _View:
    width: int = 320
    height: int = 240
    watched: bool = False
    wanted: bool = False
    # Frames still to be shown; the last one is full.
    due: int = 1
    pool: int = -1
    memory: mmap.mmap | None = None
    free: list[int] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)


class FakeEngine:
    """Runs in a thread of its own until the streamer goes or `die` is called."""

    def __init__(self, sock: socket.socket, *, views: tuple[str, ...] = ("1",), render: float = 0.0, slots: int = 3):
        self.render = render
        self.slots = slots
        self.received: list[dict[str, Any]] = []
        self.filled: Counter[tuple[str, int, int]] = Counter()
        self.freed: Counter[tuple[str, int, int]] = Counter()
        self.frames = 0
        # What its frames show; benchmarks put other things there.
        self.draw: Callable[[int, int, int], npt.NDArray[np.uint8]] = picture
        self.events: list[dict[str, Any]] = []
        self._socket = sock
        self._views = {name: _View() for name in views}
        self._lock = threading.RLock()
        self._wake, self._woken = socket.socketpair()
        self._running = True
        self.send({"op": "hello", "pid": os.getpid(), "name": "ParaView 5.11.0", "kind": "paraview"})
        for name in views:
            self.send({"op": "view", "view": name})
        self.send({"op": "ready"})
        self._thread = threading.Thread(target=self._run, name="fake engine", daemon=True)
        self._thread.start()

    # What a test makes it do.

    def change(self, view: str = "1", frames: int = 1) -> None:
        """So many new pictures, the last one full."""
        with self._lock:
            self._views[view].due += frames
        self._wake.send(b"!")

    def send(self, message: dict[str, Any] | bytes, fds: tuple[int, ...] = ()) -> None:
        packet = message if isinstance(message, bytes) else json.dumps(message).encode()
        with self._lock, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            # A "ready" may be on its way by a timer when it dies.
            if self._socket.fileno() >= 0:
                socket.send_fds(self._socket, [packet], list(fds))

    def die(self) -> None:
        self._running = False
        self._wake.send(b"!")
        self._thread.join(5)
        with self._lock:
            self._socket.close()
        self._wake.close()
        self._woken.close()

    def saw(self, op: str) -> list[dict[str, Any]]:
        with self._lock:
            return [message for message in self.received if message["op"] == op]

    # Its loop.

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while self._running:
                busy = any(self._can_draw(view) for view in self._views.values())
                for key, _ in selector.select(0 if busy else None):
                    if key.fileobj is self._woken:
                        self._woken.recv(64)
                    elif not self._take():
                        return
                for name, view in self._views.items():
                    if self._running and self._can_draw(view):
                        self._draw(name, view)

    def _take(self) -> bool:
        try:
            data = self._socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""  # The streamer was killed with packets of ours unread.
        if not data:
            return False
        assert len(data) < 60 << 10
        message = json.loads(data)
        with self._lock:
            self.received.append(message)
            if message["op"] == "input":
                self._input(message)
            elif view := self._views.get(message["view"]):
                self._obey(message, view)
        return True

    def _obey(self, message: dict[str, Any], view: _View) -> None:
        match message["op"]:
            case "watch":
                size = message["width"] or view.width, message["height"] or view.height
                if size != (view.width, view.height) or not view.watched:
                    view.due = max(view.due, 1)
                view.width, view.height = size
                view.watched = True
            case "unwatch":
                view.watched = view.wanted = False
            case "want":
                assert not view.wanted, "wanted twice"
                view.wanted = True
            case "free":
                self.freed[message["view"], message["pool"], message["slot"]] += 1
                if message["pool"] == view.pool:
                    assert message["slot"] not in view.free, "freed twice"
                    view.free.append(message["slot"])

    def _input(self, message: dict[str, Any]) -> None:
        for part in message["views"]:
            view = self._views[part["view"]]
            view.answers |= part["inputs"]
            view.due += 1
            self.events += part["events"]
        threading.Timer(self.render, self.send, [{"op": "ready"}]).start()

    def _can_draw(self, view: _View) -> bool:
        if not (view.watched and view.wanted and view.due > 0):
            return False
        return view.memory is None or len(view.memory) != view.width * view.height * 4 * self.slots or bool(view.free)

    def _draw(self, name: str, view: _View) -> None:
        size = view.width * view.height * 4
        if view.memory is None or len(view.memory) != size * self.slots:
            self._new_pool(name, view, size)
        began = time.time()
        time.sleep(self.render)
        with self._lock:
            self.frames += 1
            slot = view.free.pop(0)
            pixels = np.frombuffer(view.memory, np.uint8, size, slot * size)  # type: ignore[arg-type]
            pixels[:] = self.draw(self.frames, view.width, view.height).reshape(-1)
            view.due -= 1
            view.wanted = False
            self.filled[name, view.pool, slot] += 1
            answers = dict(view.answers)
            full = view.due == 0
        place = {"view": name, "pool": view.pool, "slot": slot, "frame": self.frames}
        facts = {"full": full, "time": began, "inputs": answers, "camera": CAMERA}
        self.send({"op": "frame", **place, **facts, "render_ms": self.render * 1e3, "readback_ms": 0.1})

    def _new_pool(self, name: str, view: _View, size: int) -> None:
        fd = os.memfd_create("fake")
        os.ftruncate(fd, size * self.slots)
        view.memory = mmap.mmap(fd, size * self.slots)
        view.pool += 1
        view.free = list(range(self.slots))
        pool = {"op": "pool", "view": name, "pool": view.pool, "slots": self.slots}
        self.send({**pool, "width": view.width, "height": view.height}, (fd,))
        os.close(fd)
