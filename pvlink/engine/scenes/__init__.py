"""What a live view shows: a ParaView view, or a render window of VTK's. A file each.

`Scene` is what they have in common.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Callable, Protocol

Position = tuple[int, int]
MAX_SIDE = 8192


class Scene(Protocol):
    """A picture that can be drawn again, sized and moved. Its window and interactor are pvlink's while it is live."""

    # What styles do on these would end the program, or show what no browser can.
    refused_keys: frozenset[str]

    @property
    def window(self) -> Any: ...

    @property
    def interactor(self) -> Any:
        """None where a view takes no hands."""

    @property
    def alive(self) -> bool:
        """Whether it is still there; a deleted one must not be touched."""

    @property
    def size(self) -> tuple[int, int]: ...

    @property
    def sized_by_user(self) -> bool: ...

    def resize(self, width: int, height: int) -> None: ...

    def settle(self) -> bool:
        """Between calls of its owner's code: take the size that has left; whether that is another one."""

    def hold(self, watched: bool) -> None:
        """Somebody watches, or nobody does any more: keep what is shown alive, or leave that to its owner."""

    def render(self, fast: bool) -> None: ...

    def smaller(self, scale: float) -> AbstractContextManager[Position]:
        """Within it the window is so much smaller, and what is written in it likewise; its size there."""

    @property
    def can_be_smaller(self) -> bool: ...

    def on_render(self, tell: Callable[[], None]) -> None:
        """`tell` hears of every render, ours among them."""

    def let_go(self) -> None:
        """It is gone, and never asked for again."""

    def has_changed(self) -> bool:
        """Whether it has marked itself as to be drawn again, without saying so."""

    def camera(self, at: Position | None = None) -> Any:
        """The camera, or that of the part at this place; none for what has none, such as a chart."""

    def reset(self, at: Position) -> bool:
        """Show everything; False where that means nothing."""


def scaled(width: int, height: int, scale: float) -> Position:
    """Even, for video has half the colours; never nothing."""
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def check_size(size: Any) -> None:
    if isinstance(size, (list, tuple)) and not all(1 <= side <= MAX_SIDE for side in size):
        # ParaView replaces the words of a ValueError by its own, which do not say what is valid.
        raise RuntimeError(f"ViewSize = {list(size)}: a view is 1 to {MAX_SIDE} pixels wide and high.")
