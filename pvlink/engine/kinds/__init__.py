"""What an engine draws with: ParaView, or VTK alone. A file each; `Kind` is what they have in common."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Callable, Protocol

from pvlink.engine.scenes import Scene

if TYPE_CHECKING:
    from pvlink.engine.keeper import Keeper
    from pvlink.engine.server import Server


class Kind(Protocol):
    """Knows which objects are views, and what surrounds each call."""

    @property
    def keeper(self) -> Keeper | None:
        """None where a pipeline cannot be written down."""

    @property
    def server(self) -> Server | None:
        """Where the pipeline may be; None where it can be in this process only."""

    def connected(self) -> None:
        """The pipeline is somewhere else now, on a server or back in this process."""

    def describe(self) -> dict[str, Any]:
        """What this is, in a name and numbers."""

    def name_of(self, obj: Any) -> str | None:
        """What an object is called on the wire, if it has a picture that can be watched."""

    def scene(self, obj: Any) -> Scene:
        """To show it. Raises ValueError when it was deleted."""

    def active(self) -> Any:
        """The view that is meant when none is named; none if there is none yet."""

    def report_to(
        self, report: Callable[[str, float | None], None], finished: Callable[[], None], abandoned: Callable[[], bool]
    ) -> None:
        """Who hears of the progress of a call that takes long, and of its end; `abandoned`: its caller has given up."""

    def call(self) -> AbstractContextManager[None]:
        """Around each call that may take long."""

    def runs_for_good(self, obj: Any, method: str) -> bool:
        """Whether this method would wait for events that never come here."""
