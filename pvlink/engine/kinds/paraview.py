"""ParaView: views are proxies, the state can be written down, progress is reported."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Callable

from paraview import simple

from pvlink.engine.keeper import Keeper
from pvlink.engine.names import Names
from pvlink.engine.progress import Progress
from pvlink.engine.scenes.paraview import ParaViewScene, can_watch, is_registered
from pvlink.engine.server import Server


class ParaView:
    """The ParaView of this process."""

    def __init__(self, keeper: Keeper | None, names: Names, server: Server) -> None:
        """`keeper`: for a process that another may follow. `server`: where the pipeline may be."""
        self.keeper = keeper
        self.server = server
        self.names = names
        self._progress: Progress | None = None

    def describe(self) -> dict[str, Any]:
        version = ".".join(map(str, paraview_version()))
        return {"name": f"ParaView {version}", "kind": "paraview", "paraview": version}

    def name_of(self, obj: Any) -> str | None:
        if not can_watch(obj):
            return None
        return self.names.of(obj)

    def scene(self, obj: Any) -> ParaViewScene:
        if not is_registered(obj):
            raise ValueError("this view was deleted")
        return ParaViewScene(obj, self.server.guard)

    def active(self) -> Any:
        return simple.GetActiveView()

    def report_to(
        self, report: Callable[[str, float | None], None], finished: Callable[[], None], abandoned: Callable[[], bool]
    ) -> None:
        self._progress = Progress(report, finished, abandoned)
        self.connected()

    def connected(self) -> None:
        """The pipeline is somewhere else now: hear of progress there."""
        if self._progress is not None:
            self._progress.attach(simple.servermanager.ActiveConnection.Session)

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        if self._progress is None:
            yield
            return
        self._progress.began()
        try:
            yield
        finally:
            self._progress.ended()

    def runs_for_good(self, obj: Any, method: str) -> bool:
        return False


def paraview_version() -> tuple[int, int, int]:
    manager = simple.servermanager.vtkSMProxyManager
    return manager.GetVersionMajor(), manager.GetVersionMinor(), manager.GetVersionPatch()
