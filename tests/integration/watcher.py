"""A viewer for tests that do not want to be asyncio: it lives in a loop of its own."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from pvlink.protocol import Frame, Input, InputEvent, Joined, Size, ViewState, Visible
from tests.unit.streamer.harness import Viewer

Result = TypeVar("Result")
BUTTONS = {"left": 0, "middle": 1, "right": 2}


class Watcher:
    """Watches one view. Frames are confirmed as they come."""

    # How soon something comes is no matter, where nothing else is said.
    patience = 30.0

    def __init__(self, socket: Path, view: str, width: int, height: int, *, role: str = "", **options: Any) -> None:
        """`role`: less than the session gives to those who come through Jupyter."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.size = (width, height)
        self._seq = 0
        try:
            self.viewer = self._do(Viewer.connect(socket))
            self.viewer.asks = {"role": role} if role else {}
            self.joined: Joined = self._do(self.viewer.join(view, width, height, **options))
        except BaseException:
            self._end()
            raise

    def _do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def frames(self) -> list[Frame]:
        return self.viewer.frames

    @property
    def states(self) -> list[ViewState]:
        return self.viewer.states

    @property
    def client(self) -> str:
        return self.joined.client

    def until(self, condition: Callable[[], object], patience: float | None = None) -> None:
        patience = self.patience if patience is None else patience
        deadline = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < deadline, f"it did not happen in {patience} s; {len(self.frames)} frames came"
            time.sleep(0.005)

    def still(self, after: int = 0, patience: float | None = None) -> Frame:
        """The lossless picture at rest, of a later frame than the one whose id is `after`."""
        self.until(lambda: self.frames and self.frames[-1].still and self.frames[-1].id > after, patience)
        return self.frames[-1]

    def quiet(self, seconds: float = 0.5, patience: float = 30.0) -> None:
        """Wait until no frame has come for a while, from now on."""
        began = time.monotonic()
        while time.monotonic() - max([began, *self.viewer.arrived[-1:]]) < seconds:
            assert time.monotonic() < began + patience, "frames keep coming"
            time.sleep(0.01)

    def send(self, *events: InputEvent) -> int:
        """Send one message of input; its number."""
        self._seq += 1
        answer = self._do(self.viewer.call(Input(self._seq, list(events))))
        assert "error" not in answer, answer
        return self._seq

    def answered(self, seq: int, patience: float | None = None) -> Frame:
        """The first frame that answers this input."""
        found: list[Frame] = []

        def look() -> bool:
            found[:] = [frame for frame in self.frames if frame.inputs.get(self.client, 0) >= seq]
            return bool(found)

        self.until(look, patience)
        return found[0]

    def at(self, kind: Any, x: int, y: int, **facts: Any) -> InputEvent:
        """An event in the middle of a pixel, counted from the top left."""
        width, height = self.size
        return InputEvent(kind, (x + 0.5) / width, (y + 0.5) / height, **facts)

    def drag(
        self,
        path: list[tuple[int, int]],
        *,
        button: str = "left",
        each: bool = True,
        pause: float = 0.0,
        **modifiers: bool,
    ) -> None:
        """Press, move along, let go. With `each`, a move is sent when the former one has been answered by a frame."""
        facts: dict[str, Any] = {"button": BUTTONS[button], **modifiers}
        self.send(self.at("down", *path[0], **facts))
        for point in path[1:]:
            seq = self.send(self.at("move", *point, **modifiers))
            time.sleep(pause)
            if each:
                self.answered(seq)
        self.send(self.at("up", *path[-1], **facts))

    def circle(self, seconds: float, rate: float) -> dict[int, float]:
        """Drag round and round, waiting for nothing; when each message of input was sent."""
        sent: dict[int, float] = {}

        async def tell(kind: Any, angle: float) -> None:
            self._seq += 1
            sent[self._seq] = time.monotonic()
            event = InputEvent(kind, 0.5 + 0.2 * math.cos(angle), 0.5 + 0.2 * math.sin(angle))
            await self.viewer.call(Input(self._seq, [event]))

        async def turn() -> None:
            began, step = time.monotonic(), 0
            await tell("down", 0.0)
            while time.monotonic() - began < seconds:
                step += 1
                await tell("move", step * 0.05)
                await asyncio.sleep(max(0.0, began + step / rate - time.monotonic()))
            await tell("up", step * 0.05)

        self._do(turn())
        return sent

    def resize(self, width: int, height: int) -> None:
        self.size = (width, height)
        self._do(self.viewer.call(Size(width, height)))

    def visible(self, visible: bool) -> None:
        self._do(self.viewer.call(Visible(visible)))

    def ask(self, method: str, fields: dict[str, Any]) -> dict[str, Any]:
        """The raw answer to a call, which may be nonsense."""
        return self._do(self.viewer.ask(method, fields))

    def send_bytes(self, data: bytes) -> None:
        """What no viewer would send."""
        self._do(self.viewer.ws.send_bytes(data))

    def until_closed(self) -> None:
        self.until(lambda: self.viewer.ws.closed)

    def stall(self) -> None:
        self._loop.call_soon_threadsafe(self.viewer.stall)

    def close(self) -> None:
        self._do(self.viewer.close())
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
