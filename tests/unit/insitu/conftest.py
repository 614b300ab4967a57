"""A crossing that does not wait as long as a real one."""

from __future__ import annotations

import pytest

from pvlink.insitu.ferry import crossing


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> float:
    """In seconds."""
    monkeypatch.setattr(crossing, "PATIENCE", 0.2)
    return 0.2
