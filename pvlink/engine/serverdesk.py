"""What is asked of an engine about the ParaView server its pipeline may be on (docs/wire.md), and bringing one back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pvlink.engine.disk import Disk

if TYPE_CHECKING:
    # An engine on VTK alone has no ParaView to import.
    from pvlink.engine.keeper import Keeper
    from pvlink.engine.place import Place


class Host(Protocol):
    """Who drives the engine: the loop of a process, or a kernel."""

    @property
    def place(self) -> Place | None:
        """None where a pipeline can be in this process only."""

    @property
    def keeper(self) -> Keeper | None: ...

    def altered(self) -> None:
        """All views are to be drawn anew."""

    def save(self) -> None:
        """Write the pipeline's state down."""


class ServerDesk(Disk):
    """A part of the desk; all there is of it where kernel and engine are one process."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def server_connect(self, ports: list[int], label: str) -> dict[str, Any]:
        """Have the pipeline on the server behind these ports of the relay; what is known of it.

        After a loss `restore` brings the pipeline back there; `restored` says that what is there now counts.
        """
        return self._place().connect(ports, label)

    def server_settle(self, threshold: float, compressor: str) -> None:
        """From how many MB on the server draws, and how its pictures are packed on their way here."""
        self._place().server.settle(threshold, compressor)

    def server_leave(self) -> None:
        """Disconnect: the pipeline of this process itself counts again."""
        self._place().leave()

    def server_facts(self) -> dict[str, Any]:
        """What is known of the server now."""
        return self._place().server.facts()

    def server_memory(self) -> list[dict[str, Any]]:
        """Bytes used by each rank, and its host."""
        return self._place().server.memory()

    def save(self) -> None:
        """Write the pipeline's state down now: this engine, or its server, is about to be ended."""
        self._host.save()

    def restore(self, facts: dict[str, Any], state: bytes) -> list[str]:
        """Bring a pipeline back; names of what did not come. ValueError: it is no state."""
        return self._place().restore(facts, state)

    def restored(self) -> None:
        """What is here now is what counts: from here on its state is the one to keep."""
        if self._host.keeper is not None:
            self._host.keeper.keeping = True
        if self._host.place is not None:
            self._host.place.settle("This view did not come back with the pipeline. The picture is the last one.")
        self._host.altered()
        self._host.save()

    def _place(self) -> Place:
        if self._host.place is None:
            raise ValueError("VTK alone has no servers; ParaView has")
        return self._host.place
