"""Input of all viewers, merged while the engine is busy.

ParaView renders once per move event and stands still while it does, so what a hand does meanwhile must shrink:
moves merge to the newest, wheel notches add, pinches multiply. Clicks, keys and actions never merge and keep their
order. No clock, no socket.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from msgspec.structs import replace

from pvlink.protocol import EventType, InputEvent, Role

# Unmerged events that one view may have waiting. Above it the oldest moves go first, then wheel notches, pinches, keys,
# actions, then whole clicks; a lone press or release is never dropped for a later one, else a button would stick.
MAX_WAITING = 1024
# What one packet to the engine (under 60 KB) holds: an event is at most about 400 bytes of JSON.
MAX_PACKET_EVENTS = 120

_DROP_ORDER: tuple[EventType, ...] = ("move", "wheel", "pinch", "key", "action")
_CHANGING_ROLES: tuple[Role, ...] = ("owner", "control")


class ViewInput(TypedDict):
    """One view's share of an `input` packet."""

    view: str
    events: list[InputEvent]
    inputs: dict[str, int]


def _same_modifiers(old: InputEvent, new: InputEvent) -> bool:
    return (old.ctrl, old.shift, old.alt) == (new.ctrl, new.shift, new.alt)


def _newest(_old: InputEvent, new: InputEvent) -> InputEvent:
    return new


def _sum(old: InputEvent, new: InputEvent) -> InputEvent | None:
    if not _same_modifiers(old, new):
        return None
    return replace(new, amount=max(-100.0, min(100.0, old.amount + new.amount)))


def _product(old: InputEvent, new: InputEvent) -> InputEvent | None:
    if not _same_modifiers(old, new):
        return None
    return replace(new, amount=max(0.01, min(100.0, old.amount * new.amount)))


_MERGE: dict[EventType, Callable[[InputEvent, InputEvent], InputEvent | None]] = {
    "move": _newest,
    "wheel": _sum,
    "pinch": _product,
}


@dataclass(slots=True)
class _Waiting:
    event: InputEvent
    # The newest input of each viewer that is answered once this event is.
    answers: dict[str, int] = field(default_factory=dict)


class Inputs:
    """What waits for the engine's next `ready`."""

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._limit = limit
        self._views: dict[str, list[_Waiting]] = {}

    def __bool__(self) -> bool:
        return bool(self._views)

    def add(self, view: str, client: str, role: Role, seq: int, events: Sequence[InputEvent]) -> bool:
        """Takes one message of one viewer; False if its role may not change anything."""
        if role not in _CHANGING_ROLES:
            return False
        valid = [event for event in events if _makes_sense(event)]
        for number, event in enumerate(valid, start=1):
            answers = {client: seq} if number == len(valid) else {}
            self._append(self._views.setdefault(view, []), _Waiting(event, answers))
        return True

    def take(self, limit: int = MAX_PACKET_EVENTS) -> list[ViewInput]:
        """Up to `limit` events, oldest first, each view in its turn."""
        taken: list[ViewInput] = []
        for view in list(self._views):
            waiting = self._views.pop(view)
            first, rest = waiting[:limit], waiting[limit:]
            limit -= len(first)
            if rest:
                self._views[view] = rest
            if first:
                answers: dict[str, int] = {}
                for item in first:
                    _join(answers, item.answers)
                taken.append({"view": view, "events": [item.event for item in first], "inputs": answers})
        return taken

    def forget(self, view: str) -> None:
        self._views.pop(view, None)

    def clear(self) -> None:
        self._views.clear()

    def _append(self, waiting: list[_Waiting], new: _Waiting) -> None:
        if waiting and waiting[-1].event.type == new.event.type and (merge := _MERGE.get(new.event.type)):
            merged = merge(waiting[-1].event, new.event)
            if merged is not None:
                waiting[-1].event = merged
                _join(waiting[-1].answers, new.answers)
                return
        waiting.append(new)
        if len(waiting) > self._limit:
            for index in _to_drop(waiting):
                _drop(waiting, index)


def _makes_sense(event: InputEvent) -> bool:
    # A press of no key and an action of no name ask for nothing; a ratio of 0 would blow the camera up.
    if not (math.isfinite(event.x) and math.isfinite(event.y) and math.isfinite(event.amount)):
        return False
    if event.type == "pinch":
        return event.amount > 0
    if event.type == "key":
        return bool(event.key)
    return event.type != "action" or event.action is not None


def _join(answers: dict[str, int], more: dict[str, int]) -> None:
    for client, seq in more.items():
        answers[client] = max(seq, answers.get(client, 0))


def _to_drop(waiting: list[_Waiting]) -> list[int]:
    """Indices to drop, the highest first."""
    for kind in _DROP_ORDER:
        for index, item in enumerate(waiting):
            if item.event.type == kind:
                return [index]
    for press, item in enumerate(waiting):
        if item.event.type == "down":
            for release in range(press + 1, len(waiting)):
                event = waiting[release].event
                if event.type == "up" and event.button == item.event.button:
                    return [release, press]
    return [len(waiting) - 1]


def _drop(waiting: list[_Waiting], index: int) -> None:
    """Drops one event; its viewer still learns that the input was answered, by a neighbour."""
    answers = waiting.pop(index).answers
    if waiting:
        _join(waiting[min(index, len(waiting) - 1)].answers, answers)
