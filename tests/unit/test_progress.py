"""A bar while a cell waits long: not before a second, not too often, and gone afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from pvlink import progress
from pvlink.progress import INTERVAL, PATIENCE, ProgressBar


class Cell:
    """A notebook's output area."""

    def __init__(self) -> None:
        self.pictures: list[str] = []

    def show(self, picture: str) -> Cell:
        self.pictures.append(picture)
        return self

    update = show


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    one = Cell()
    monkeypatch.setattr(progress, "_display", one.show)
    monkeypatch.setattr(progress, "_html", lambda text: text)
    return one


def test_a_short_wait_shows_nothing(cell: Cell) -> None:
    assert PATIENCE == 1.0
    bar = ProgressBar()
    bar.report("Contour", 0.1)
    bar.on_wait(PATIENCE * 0.99)
    bar.done()
    assert cell.pictures == []


def test_a_wait_without_a_word_from_paraview_shows_nothing(cell: Cell) -> None:
    bar = ProgressBar()
    bar.on_wait(5)
    bar.done()
    assert cell.pictures == []


def test_a_long_one_says_what_and_how_far_and_how_long(cell: Cell) -> None:
    bar = ProgressBar()
    bar.report("Stream <Tracer>", 0.425)
    bar.on_wait(2.0)
    (picture,) = cell.pictures
    assert 'value="0.425"' in picture
    assert "Stream &lt;Tracer&gt; 42%, 2 s" in picture
    assert 'aria-label="ParaView at work"' in picture


def test_without_a_share_the_bar_only_moves(cell: Cell) -> None:
    bar = ProgressBar()
    bar.report("Reader", None)
    bar.on_wait(2.0)
    assert "value=" not in cell.pictures[0]
    assert "Reader, 2 s" in cell.pictures[0]


def test_updates_are_few(cell: Cell) -> None:
    bar = ProgressBar()
    bar.report("Contour", 0.5)
    for hundredth in range(100, 201):
        bar.on_wait(hundredth / 100)
    assert len(cell.pictures) == 1 + int(1 / INTERVAL)


def test_it_is_gone_afterwards_and_the_next_wait_begins_anew(cell: Cell) -> None:
    bar = ProgressBar()
    for _ in range(2):
        bar.report("Contour", 0.5)
        bar.on_wait(PATIENCE)
        bar.done()
        bar.done()
    assert [bool(picture) for picture in cell.pictures] == [True, False, True, False]
    bar.on_wait(3.0)
    assert len(cell.pictures) == 4


def test_outside_a_notebook_there_is_no_bar(capsys: pytest.CaptureFixture[Any]) -> None:
    bar = ProgressBar()
    bar.report("Contour", 0.5)
    bar.on_wait(2.0)
    bar.done()
    assert capsys.readouterr().out == ""
