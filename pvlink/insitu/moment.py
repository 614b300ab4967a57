"""One step's data: made when somebody wants to see them, and once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Union

# A data set, or what makes it when somebody wants to see it.
Grids = Mapping[str, Union[Any, Callable[[], Any]]]


class Moment:
    """As this rank has it."""

    def __init__(
        self,
        given: Grids,
        extents: Mapping[str, Any],
        show: Callable[[Mapping[str, Any], Mapping[str, Any]], None],
        there: Callable[[], Mapping[str, Any]],
    ) -> None:
        """`there`: what the sources have already, where nothing is given: in a Catalyst script."""
        self._given = given
        self._there = there
        self._extents = extents
        self._show = show
        self._made: Mapping[str, Any] | None = None
        self._shown = False

    @property
    def grids(self) -> Mapping[str, Any]:
        if self._made is None:
            given = self._given or self._there()
            self._made = {name: grid() if callable(grid) else grid for name, grid in given.items()}
        return self._made

    def show(self) -> None:
        """Have ParaView's sources in the simulation show them."""
        if self._given and not self._shown:
            self._shown = True
            self._show(self.grids, self._extents)
