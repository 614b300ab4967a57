"""What a session does with running simulations: waits for one, at one place at a time."""

from __future__ import annotations

from typing import Any

from pvlink.errors import SimulationError
from pvlink.monitor.simulation import Simulation

# Where a simulation comes to that was told nothing else.
PLACE = "localhost:22222"
HOW = "'localhost:22222', or a port alone"


class Monitoring:
    """Mixed into a session."""

    desk: Any
    role: str
    _simulation: Simulation | None = None

    def ask(self, op: str, **facts: Any) -> dict[str, Any]:
        """A question to the streamer."""
        raise NotImplementedError

    def monitor(self, where: str | int = PLACE) -> Simulation:
        """The running simulation that comes there: one that has `pvlink.insitu.Bridge(live=...)` with the same place.

        It may run already, or come later, or again. The place is on the machine where
        ParaView is; on loopback unless another address of it is named.
        """
        host, port = placed(where)
        if self._simulation is not None:
            self._simulation.close()
        try:
            place = self.ask("insitu-open", host=host, port=port)["place"]
        except ValueError as error:
            raise SimulationError(str(error)) from None
        self._simulation = Simulation(self, place, self._shown)
        return self._simulation

    def _listen_again(self) -> None:
        """A new streamer knows nothing of the simulation that the former one has listened for."""
        if self._simulation is None or self._simulation.closed:
            return
        host, port = placed(self._simulation.place)
        try:
            self.ask("insitu-open", host=host, port=port)
        except ValueError as error:
            print(f"pvlink: {error}")  # noqa: T201 - in the cell
        self._simulation.begin_anew()

    def _shown(self, view: Any, **options: Any) -> Any:
        from pvlink.view import View

        return View.of(self, view, **options)  # type: ignore[arg-type]  # the session this is mixed into


def placed(where: str | int) -> tuple[str, int]:
    """Host and port. Raises SimulationError."""
    host, _, port = str(where).strip().rpartition(":")
    try:
        number = int(port)
        if not 0 <= number <= 65535:
            raise ValueError
    except ValueError:
        raise SimulationError(
            f"{where!r} is no place that a simulation could come to: that is such as {HOW}."
        ) from None
    host = host.strip().strip("[]").strip()
    return ("127.0.0.1" if host in ("", "localhost") else host), number
