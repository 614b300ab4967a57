"""A rehearsed simulation, watched, with waits that a test can wait for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pvlink.monitor import orders as orders_module
from pvlink.monitor import panel as panel_module
from pvlink.monitor import simulation as simulation_module
from pvlink.monitor.panel import Panel
from pvlink.monitor.simulation import Simulation
from tests.unit.monitor.rehearsal import PLACE, Made, Rehearsal, ended


@pytest.fixture
def host() -> Rehearsal:
    return Rehearsal()


@pytest.fixture
def hasty(sim: Simulation, monkeypatch: pytest.MonkeyPatch) -> Simulation:
    """The same, where nobody waits for long."""
    monkeypatch.setattr(orders_module, "PATIENCE", 0.2)
    monkeypatch.setattr(simulation_module, "LINKED", 0.2)
    return sim


@pytest.fixture
def views() -> list[tuple[Any, dict[str, Any]]]:
    """Those that were shown, with their options."""
    return []


@pytest.fixture
def sim(
    host: Rehearsal, views: list[tuple[Any, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Simulation]:
    """A simulation that is there, and runs."""
    monkeypatch.setattr(orders_module, "PATIENCE", 20.0)
    monkeypatch.setattr(orders_module, "TICK", 0.001)
    monkeypatch.setattr(simulation_module, "LINKED", 20.0)
    monkeypatch.setattr(simulation_module, "TICK", 0.001)

    def show(view: Any, **options: Any) -> Any:
        views.append((view, options))
        return view

    host.comes()
    one = Simulation(host, PLACE, show)
    yield one
    if one._panel is not None:
        one._panel.close()


@pytest.fixture
def made(sim: Simulation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """Makes panels that look when a test says so, and no sooner."""
    monkeypatch.setattr(panel_module, "TICK", 3600.0)
    panels: list[Panel] = []

    def make() -> Panel:
        panels.append(Panel(sim))
        return panels[-1]

    yield make
    for panel in panels:
        panel.close()
    ended("pvlink simulation")


@pytest.fixture
def panel(made: Made, host: Rehearsal) -> Panel:
    """Of one that has ended a few steps."""
    host.steps(8)
    return made()
