"""A simulation that computes nothing: what is left of it are its steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pvlink.insitu.helm import Event, Helm


class Run:
    """A simulation whose time is a tenth of its steps."""

    def __init__(self) -> None:
        self.helm = Helm()
        self.step = 0
        self.events: list[Event] = []
        self.end({})

    def order(self, do: str, **more: Any) -> None:
        self.helm.order({"do": do, **more})

    def end(self, values: Mapping[str, float]) -> None:
        self.events += self.helm.end_of_step(self.step, self.step / 10, values)

    def go(self, steps: int = 1000, **values: float) -> int:
        """As many as it is let go; how many these were."""
        begun = self.step
        while not self.helm.paused and self.step < begun + steps:
            self.step += 1
            self.end(values)
        return self.step - begun

    def met(self) -> list[int]:
        found = [event.facts["id"] for event in self.events if event.kind == "met"]
        self.events.clear()
        return found
