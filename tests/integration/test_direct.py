"""pvlink.start(direct=...): a door of the streamer's own, as long as the session lives."""

from __future__ import annotations

import os
import secrets
import signal
from typing import Any

import pytest

import pvlink
from tests.integration.household import until

pytestmark = pytest.mark.ways


def door(session: Any) -> dict[str, str]:
    """What a browser that asks now is told."""
    asks = {"ticket": secrets.token_hex(16), "ticket_key": secrets.token_hex(32), "direct": True}
    found: dict[str, str] = session.ask("ticket", view="1", **asks)["door"]
    return found


def test_the_door_moves_is_refused_and_comes_back_with_a_new_streamer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PVLINK_DIRECT", "127.0.0.1")
    with pvlink.start() as session:
        first = door(session)
        assert first["url"].startswith("wss://127.0.0.1:")
        assert pvlink.start(direct="localhost") is session
        assert door(session)["url"].startswith("wss://localhost:")
        with pytest.raises(pvlink.PvlinkError, match=r"Nothing can listen at 192\.0\.2\.1"):
            pvlink.start(direct="192.0.2.1")
        streamer = session._streamer
        assert streamer is not None
        os.kill(streamer.pid, signal.SIGKILL)
        until(lambda: not streamer.alive)
        session.restart()
        again = door(session)

        assert again["url"].startswith("wss://localhost:")
        assert again["fingerprint"] == first["fingerprint"]
    pvlink.stop()
