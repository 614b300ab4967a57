"""Where the pipeline is: in this process, or on a ParaView server. What views and keeper do when that changes."""

from __future__ import annotations

import time
from typing import Any, Callable

from pvlink.engine.keeper import Keeper
from pvlink.engine.kinds import Kind
from pvlink.engine.names import is_far
from pvlink.engine.pipeline import update
from pvlink.engine.server import Server, quiet
from pvlink.engine.stream import Stream
from pvlink.engine.views import Views


class Place:
    """One for a ParaView, driven by whoever drives its views: the loop of a process, or a kernel's event loop."""

    def __init__(
        self, kind: Kind, server: Server, keeper: Keeper, views: Views, stream: Stream, save: Callable[[], None]
    ) -> None:
        """`save`: write the pipeline down."""
        self.server = server
        server.last_moment = self._last_moment
        self._save = save
        self._kind = kind
        self._keeper = keeper
        self._views = views
        self._stream = stream
        # Its loss has been dealt with.
        self._known_lost = False
        self._lost_views: set[str] = set()

    @property
    def lost_views(self) -> set[str]:
        """Names of those that may come back."""
        return set(self._lost_views)

    def watch(self) -> bool:
        """Deal with a loss, once; whether there was one. A microsecond otherwise."""
        lost = self.server.check()
        if lost == self._known_lost:
            return False
        self._known_lost = lost
        if lost:
            # They stay as they are for those who watch; the streamer has told them. What was kept comes back.
            with quiet():
                self._lost_views |= self._views.lose(is_far)
            self._keeper.keeping = False
        return lost

    def _last_moment(self) -> None:
        """What a cell has done and nobody has written down yet: ParaView's state is all on this side."""
        if self._keeper.when.all_in(time.monotonic()) is not None:
            with quiet():
                self._save()

    def connect(self, ports: list[int], label: str) -> dict[str, Any]:
        """Have the pipeline on a server from here on; see `Server.connect`."""
        self.watch()
        self._end_views(f"Another ParaView server is connected, {label}. The picture is the last one.")
        # Until it is said that what is here now is what counts.
        self._keeper.keeping = False
        facts = self.server.connect(ports, label)
        self._known_lost = False
        self._kind.connected()
        return facts

    def leave(self) -> None:
        """Have the pipeline in this process again."""
        self.watch()
        self._end_views(f"{self.server.label} is not connected any more. The picture is the last one.")
        self.server.leave()
        self._known_lost = False
        self._kind.connected()
        self.settle("The ParaView server that had this view is gone. The picture is the last one.")

    def restore(self, facts: dict[str, Any], state: bytes) -> list[str]:
        """Bring the pipeline of a former engine, or server, back, its views under their names; what did not come."""
        missing = self._keeper.restore(facts, state)
        self.server.bring_back(lambda number: self._keeper.find(["smproxy", number]))
        for name, proxy in self._keeper.views(facts):
            self._views.adopt(name, self._kind.scene(proxy))
        # What is not up to date answers with nothing: 0 cells, an empty range.
        update()
        return missing

    def settle(self, why: str) -> None:
        """Views of a lost server that did not come back are no more."""
        for name in self._lost_views:
            if self._views.get(name) is None:
                self._stream.send({"op": "gone", "view": name, "message": why})
        self._lost_views.clear()

    def _end_views(self, why: str) -> None:
        if not self.server.lost:
            self._views.end(why, is_far)
