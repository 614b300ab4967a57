"""A key of each test's own, and a harbour that is closed whatever a test does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pvlink.insitu import key
from tests.unit.streamer.insitu.coast import Coast, coast


@pytest.fixture(autouse=True)
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is; made by who needs it first."""
    place = tmp_path / "key"
    monkeypatch.setenv(key.VARIABLE, str(place))
    return place


@pytest.fixture
async def shore() -> AsyncIterator[Coast]:
    async with coast() as one:
        yield one
    # What belongs to a visitor stays with it.
    assert one.thrown == []
