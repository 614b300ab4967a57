"""What is asked of an engine about a running simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pvlink.engine.insitu import Insitu
    from pvlink.engine.loop import Loop


class InsituDesk:
    """A part of the desk."""

    _loop: Loop

    def insitu_facts(self) -> dict[str, Any]:
        """Whether one is connected, and what it offers."""
        return self._insitu().facts()

    def insitu_extract(self, name: str) -> Any:
        """One of its sources, as a source here."""
        return self._insitu().extract(name)

    def insitu_view(self, name: str) -> Any:
        """A view of an extract that has come."""
        return self._insitu().view(name)

    def insitu_make(self, kind: str, name: str, of: str, properties: dict[str, Any]) -> None:
        """A filter in the simulation."""
        self._insitu().make(kind, name, of, properties)

    def insitu_change(self, name: str, properties: dict[str, Any]) -> None:
        """Properties of a source in the simulation."""
        self._insitu().change(name, properties)

    def insitu_script(self, live: str, folder: str, parameters: dict[str, Any]) -> str:
        """A Catalyst script from the pipeline as it stands."""
        from pvlink.engine.script import script

        return script(live, folder, parameters)

    def insitu_steer(self, order: int, at: int, values: dict[str, float]) -> None:
        """Values of its parameters."""
        self._insitu().steer(order, at, values)

    def _insitu(self) -> Insitu:
        if self._loop.insitu is None:
            raise ValueError("VTK alone knows no simulations; ParaView does")
        return self._loop.insitu
