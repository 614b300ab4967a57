"""Streamer processes, ended whatever a test does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.streamer.harness import Kernel


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # pytest's own temporary paths are too long for a socket's. Made with mode 0700.
    with tempfile.TemporaryDirectory(prefix="pv") as short:
        monkeypatch.setenv("PVLINK_RUNTIME_DIR", short)
        yield Path(short)


@pytest.fixture
def kernel(directory: Path) -> Iterator[Kernel]:
    one = Kernel(directory)
    yield one
    one.end()
