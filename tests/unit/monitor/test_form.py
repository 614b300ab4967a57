"""The parameters of a simulation below a cell: shown as they are, changed when somebody says so, and not before."""

from __future__ import annotations

from typing import Any

import pytest

from pvlink.monitor.panel import Panel
from tests.unit.monitor.rehearsal import Made, Rehearsal, page

pytestmark = pytest.mark.insitu


def steered(host: Rehearsal) -> list[dict[str, Any]]:
    return [one[2] for one in host.desk.done if one[0] == "steer"]


def test_there_is_a_field_for_each_parameter(panel: Panel) -> None:
    fields = panel.form.fields
    assert list(fields) == ["F", "n"]
    assert {name: type(field).__name__ for name, field in fields.items()} == {"F": "FloatSlider", "n": "IntSlider"}
    assert (fields["F"].min, fields["F"].max, fields["F"].value) == (0.0, 0.1, 0.04)
    assert (fields["n"].min, fields["n"].max, fields["n"].value) == (1, 64, 8)
    assert fields["F"].step == pytest.approx(0.0001)
    assert "0 to 0.1 1/s: feed rate" in page(panel)
    assert "1 to 64<" in page(panel)


def test_without_parameters_there_is_nothing_to_set(host: Rehearsal, made: Made) -> None:
    host.comes({})
    panel = made()
    assert panel.form.fields == {}
    assert panel.form.send not in panel.form.widget.children


@pytest.mark.parametrize(
    ("bounds", "kind"),
    [
        ((5, 5), "IntSlider"),
        ((0.5, 0.5), "FloatSlider"),
        ((0.0, 5e-324), "FloatSlider"),
        ((1e-300, 2e-300), "FloatSlider"),
        ((0.0, 1.7e308), "FloatSlider"),
        ((1e16, 1e16 + 2), "FloatSlider"),
        ((-(1 << 53), 1 << 53), "IntSlider"),
        ((0, 1.0), "FloatSlider"),
        ((-1.7e308, 1.7e308), "FloatSlider"),
    ],
)
def test_any_range_has_a_field(host: Rehearsal, made: Made, bounds: tuple[float, float], kind: str) -> None:
    host.comes({"x": bounds})
    host.steps()
    field = made().form.fields["x"]
    assert type(field).__name__ == kind
    assert (field.min, field.max) == bounds
    assert bounds[0] <= field.value <= bounds[1]


def test_a_field_shows_what_the_simulation_has(panel: Panel, host: Rehearsal) -> None:
    host.values["F"] = 0.07
    panel.look()
    assert panel.form.fields["F"].value == 0.07
    assert panel.form.send.disabled


def test_what_somebody_is_changing_is_left_alone(panel: Panel, host: Rehearsal) -> None:
    panel.form.fields["F"].value = 0.05
    panel.look()
    assert not panel.form.send.disabled
    host.values.update(F=0.07, n=12)
    for _ in range(3):
        panel.look()
    assert panel.form.fields["F"].value == 0.05
    assert panel.form.fields["n"].value == 12
    assert panel.form.wanted == {"F": 0.05}
    assert steered(host) == []


@pytest.mark.parametrize("stale", [0, 7])
def test_set_sends_what_was_changed_and_nothing_else(panel: Panel, host: Rehearsal, stale: int) -> None:
    host.stale = stale
    panel.form.fields["F"].value = 0.05
    panel.look()
    panel.form.send.click()
    assert steered(host) == [{"F": 0.05}]
    assert host.values == {"F": 0.05, "n": 8}
    assert "F = 0.05 counts from the next step on." in panel.said
    assert panel.form.send.disabled
    # However old what is heard next is.
    assert panel.form.fields["F"].value == 0.05
    panel.form.send.click()
    assert "Nothing was changed." in panel.said
    assert len(steered(host)) == 1


def test_what_cannot_be_set_is_said_and_stays_to_be_mended(panel: Panel, host: Rehearsal) -> None:
    panel.form.fields["F"].value = 0.05
    host.desk.connected = False
    panel.form.send.click()
    assert "ParaView has no link to it" in panel.said
    assert panel.form.fields["F"].value == 0.05
    assert not panel.form.send.disabled


def test_another_simulation_has_another_form(panel: Panel, host: Rehearsal) -> None:
    panel.form.fields["F"].value = 0.05
    host.comes({"g": (0.0, 1.0, 0.5)}, pid=5)
    host.steps()
    panel.look()
    assert list(panel.form.fields) == ["g"]
    assert panel.form.fields["g"].value == 0.5
    assert panel.form.send.disabled
    assert "feed rate" not in page(panel)


def test_another_simulation_with_the_same_names_has_its_own_ranges(panel: Panel, host: Rehearsal) -> None:
    host.comes({"F": (0.0, 5.0, 2.0), "n": (0.0, 1.0)}, pid=5)
    host.steps()
    panel.look()
    assert (panel.form.fields["F"].max, panel.form.fields["F"].value) == (5.0, 2.0)
    assert type(panel.form.fields["n"]).__name__ == "FloatSlider"


def test_before_its_first_step_nothing_was_changed(host: Rehearsal, made: Made) -> None:
    host.runs = False
    panel = made()
    assert panel.form.wanted == {}
    assert panel.form.send.disabled
