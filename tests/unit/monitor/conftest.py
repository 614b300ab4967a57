"""A rehearsed simulation, watched, with waits that a test can wait for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pvlink.monitor import simulation as simulation_module
from pvlink.monitor.simulation import Simulation
from tests.unit.monitor.rehearsal import PLACE, Rehearsal


@pytest.fixture
def host() -> Rehearsal:
    return Rehearsal()


@pytest.fixture
def views() -> list[tuple[Any, dict[str, Any]]]:
    """Those that were shown, with their options."""
    return []


@pytest.fixture
def sim(
    host: Rehearsal, views: list[tuple[Any, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Simulation]:
    """A simulation that is there, and runs."""
    monkeypatch.setattr(simulation_module, "PATIENCE", 0.3)
    monkeypatch.setattr(simulation_module, "LINKED", 0.3)
    monkeypatch.setattr(simulation_module, "TICK", 0.001)

    def show(view: Any, **options: Any) -> Any:
        views.append((view, options))
        return view

    host.comes()
    one = Simulation(host, PLACE, show)
    yield one
    if one._panel is not None:
        one._panel.close()
