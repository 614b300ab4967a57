"""What a session asks of its streamer (docs/wire.md)."""

from __future__ import annotations

from typing import Any


class Asking:
    """Mixed into a session. ValueError says why the streamer refuses, StreamerLost that it is gone."""

    def _ask(self, op: str, **facts: Any) -> tuple[dict[str, Any], bytes]:
        raise NotImplementedError

    def ask(self, op: str, **facts: Any) -> dict[str, Any]:
        """A question to the streamer (docs/wire.md). ValueError says why it refuses, StreamerLost that it is gone."""
        answer, _ = self._ask(op, **facts)
        return answer

    def picture(self, view: str, patience: float, since: float = 0.0) -> bytes:
        """The newest picture of a view, at full quality, as PNG, and not one from before `since` if that can be had."""
        _, blob = self._ask("snapshot", view=view, timeout=patience, since=since, patience=patience + 2.0)
        return blob

    def stats(self, view: str) -> dict[str, Any]:
        """What the streamer has measured."""
        stats: dict[str, Any] = self.ask("stats", view=view)["stats"]
        return stats
