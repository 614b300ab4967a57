"""Who hears of a module that comes in."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pvlink.arrival import Arrival


@pytest.fixture
def arrival(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arrival]:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pvlink_guest.py").write_text("came = 1")
    arrival = Arrival()
    sys.meta_path.insert(0, arrival)
    yield arrival
    sys.meta_path.remove(arrival)
    sys.modules.pop("pvlink_guest", None)


def test_a_module_is_told_of_once_it_is_there_and_keeps_its_own_loader(arrival: Arrival) -> None:
    heard: list[ModuleType] = []
    arrival.when("pvlink_guest", heard.append)
    assert heard == []
    module = importlib.import_module("pvlink_guest")
    assert heard == [module]
    assert module.came == 1
    assert module.__spec__ is not None
    assert module.__loader__ is module.__spec__.loader is not arrival


def test_a_module_that_is_there_already_is_told_of_at_once(arrival: Arrival) -> None:
    module = importlib.import_module("pvlink_guest")
    heard: list[ModuleType] = []
    arrival.when("pvlink_guest", heard.append)
    assert heard == [module]


def test_another_finder_that_pushes_to_the_front_is_asked_through_us(arrival: Arrival) -> None:
    class Pushy:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> None: ...

    heard: list[ModuleType] = []
    arrival.when("pvlink_guest", heard.append)
    sys.meta_path.insert(0, Pushy)
    try:
        arrival.to_the_front(sys)
        assert sys.meta_path[0] is arrival
        importlib.import_module("pvlink_guest")
    finally:
        sys.meta_path.remove(Pushy)
    assert len(heard) == 1


def test_who_is_not_awaited_comes_in_as_ever(arrival: Arrival) -> None:
    assert arrival.find_spec("pvlink_guest") is None
