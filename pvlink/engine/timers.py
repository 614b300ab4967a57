"""The timers of an interactor, where no event loop of VTK's own runs: hovering, charts, animations.

VTK numbers all timers of a process in one row and keeps a duration for each, so they are found by looking; an X
interactor, which VTK makes also where there is no X, tells nobody of them.
"""

from __future__ import annotations

from typing import Any

from vtkmodules.vtkCommonCore import vtkWeakReference
from vtkmodules.vtkRenderingUI import vtkGenericRenderWindowInteractor

# Between two of them something else must have its turn, whatever they ask for; in seconds.
SHORTEST = 0.01


def allow(interactor: Any) -> None:
    """An interactor without a platform gives a timer no number unless somebody says that he will drive it."""
    if not interactor.HasObserver("CreateTimerEvent"):
        interactor.AddObserver("CreateTimerEvent", _nothing)


class Timers:
    """Of one interactor. Time is seconds of any one clock; a late tick is one tick."""

    def __init__(self, interactor: Any) -> None:
        allow(interactor)
        self._interactor = vtkWeakReference()
        self._interactor.Set(interactor)
        self._seen = 0
        # When each is due next.
        self._due: dict[int, float] = {}

    def wait(self, now: float) -> float | None:
        """Seconds until the next tick; none if there is no timer."""
        self._look(now)
        return max(0.0, min(self._due.values()) - now) if self._due else None

    def fire(self, now: float) -> bool:
        """Tick those that are due; whether there were any."""
        self._look(now)
        ready = sorted((due, number) for number, due in self._due.items() if due <= now)
        for _, number in ready:
            interactor = self._interactor.Get()
            # One of the others may have ended it.
            if interactor is None or not interactor.GetTimerDuration(number):
                self._due.pop(number, None)
                continue
            once = bool(interactor.IsOneShotTimer(number))
            interactor.InvokeEvent("TimerEvent", number)
            seconds = interactor.GetTimerDuration(number) / 1000
            if once or not seconds:
                del self._due[number]
                if once:
                    interactor.DestroyTimer(number)
        return bool(ready)

    def rest(self, now: float) -> None:
        """After all ticks of a turn, and what they drew: when the next ones are due."""
        interactor = self._interactor.Get()
        for number, due in self._due.items():
            if due <= now and interactor is not None:
                step = max(SHORTEST, interactor.GetTimerDuration(number) / 1000)
                self._due[number] = max(due + step, now + SHORTEST)

    def _look(self, now: float) -> None:
        interactor = self._interactor.Get()
        if interactor is None:
            self._due.clear()
            return
        newest = _newest()
        for number in range(self._seen + 1, newest):
            if duration := interactor.GetTimerDuration(number):
                self._due[number] = now + max(SHORTEST, duration / 1000)
        self._seen = newest
        self._due = {number: due for number, due in self._due.items() if interactor.GetTimerDuration(number)}


def _newest() -> int:
    """The number that a timer gets now."""
    counter = vtkGenericRenderWindowInteractor()
    allow(counter)
    number = int(counter.CreateOneShotTimer(1))
    counter.DestroyTimer(number)
    return number


def _nothing(*_: object) -> None: ...
