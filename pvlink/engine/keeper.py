"""Keeps the pipeline for the engine that comes after this one, and brings back what a former one has kept."""

from __future__ import annotations

import time
from typing import Any

from paraview import simple

from pvlink.engine.checkpoint import Checkpoint, When
from pvlink.engine.names import Names
from pvlink.engine.pipeline import Pipeline, Recipe
from pvlink.engine.scenes.paraview import can_watch


class Keeper:
    """The checkpoint, when to write it, and the names of the views, which outlive their proxies."""

    def __init__(self, halves: list[int], generation: int, names: Names) -> None:
        """`generation`: how many engines this session has had before."""
        self.when = When()
        # What a former engine has kept must not be written over before it is back.
        self.keeping = generation == 0
        self._checkpoint = Checkpoint(halves)
        self._pipeline = Pipeline()
        self._names = names
        # What was written down last.
        self._facts: dict[str, Any] = {}
        self._state: bytes | None = None

    def wait(self, now: float) -> float | None:
        """Seconds until something is to be written; none when nothing need be."""
        waits = [w for w in (self.when.all_in(now), self.when.cameras_in(now)) if w is not None]
        return min(waits) if waits and self.keeping else None

    def keep(self, now: float, lent: dict[Any, Any]) -> None:
        """Write what is due."""
        if self.when.all_in(now) == 0.0 or self._state is None:
            self.save(lent)
        elif self.when.cameras_in(now) == 0.0:
            self._facts["cameras"] = self._pipeline.cameras()
            self._checkpoint.write(self._facts, self._state)
            self.when.cameras_written()

    def save(self, lent: dict[Any, Any]) -> None:
        """Write all down. `lent`: the objects that the kernel has references to, by their names on the wire."""
        began = time.perf_counter()
        # Also those not shown: one may be by the time the state is needed.
        views = {self._names.of(view): view for view in simple.GetViews() if can_watch(view)}
        facts = self._pipeline.facts()
        facts["views"] = {name: int(view.SMProxy.GetGlobalID()) for name, view in views.items()}
        facts["lent"] = self._pipeline.recipes(lent)
        self._facts, self._state = facts, self._pipeline.state()
        self._checkpoint.write(self._facts, self._state)
        self.when.all_written(time.perf_counter() - began)

    def restore(self, facts: dict[str, Any], state: bytes) -> list[str]:
        missing = self._pipeline.load(facts, state)
        for name, proxy in self.views(facts):
            self._names.give(proxy, name)
        return missing

    def views(self, facts: dict[str, Any]) -> list[tuple[str, Any]]:
        """Names and proxies of the views that came back."""
        found = [(name, self.find(["proxy", number, 0])) for name, number in facts["views"].items()]
        return [(name, proxy) for name, proxy in found if proxy is not None]

    def find(self, recipe: Recipe) -> Any:
        return self._pipeline.find(recipe)
