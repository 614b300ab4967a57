"""The streamer's log: bounded, and nobody writes lines of his own into it."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import pytest

from pvlink.output import MemoryFile
from pvlink.streamer import journal
from pvlink.streamer.journal import MAX_BYTES, MAX_LINE, Journal

pytestmark = pytest.mark.trust


def logger_on(fd: int, monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    monkeypatch.setattr(sys, "stderr", os.fdopen(fd, "w", closefd=False))
    logger = logging.Logger("test")  # noqa: LOG001 - one of its own for each test
    logger.addHandler(Journal())
    return logger


def test_it_does_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = MemoryFile("log")
    logger = logger_on(memory.fd, monkeypatch)
    for number in range(4000):
        logger.warning("%d %s", number, "x" * 5000)
        assert os.fstat(memory.fd).st_size <= MAX_BYTES + 2 * MAX_LINE
    logger.warning("the last word")
    assert memory.tail(100).endswith("the last word")
    memory.close()


@pytest.mark.parametrize("nasty", ["a\n2026-01-01 ERROR root: forged", "a\rb", "\x1b[2Jb", "\u2028b", "\ud800"])
def test_a_line_stays_a_line(nasty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = MemoryFile("log")
    logger_on(memory.fd, monkeypatch).warning("said %s", nasty)
    text = os.pread(memory.fd, 10_000, 0).decode()
    assert text.count("\n") == 1
    assert text.rstrip("\n").isprintable()
    memory.close()


def test_a_file_of_the_user_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(journal, "MAX_BYTES", 100)
    fd = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    logger = logger_on(fd, monkeypatch)
    for _ in range(10):
        logger.warning("x" * 90)
    os.close(fd)
    assert (tmp_path / "log").stat().st_size > 900
