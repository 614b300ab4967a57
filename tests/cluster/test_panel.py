"""The jobs below a cell: launched by its form, seen as they stand, connected, cancelled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pvlink.launchers import launching
from pvlink.launchers.job import Job
from pvlink.launchers.panel import Panel
from tests.cluster.conftest import Site, nothing_left
from tests.integration.household import until

pytestmark = pytest.mark.cluster


@pytest.fixture
def connected() -> list[Job]:
    return []


@pytest.fixture
def panel(on_machine: str, connected: list[Job]) -> Iterator[Panel]:
    one = Panel(connected.append)
    yield one
    one.close()


def test_a_job_from_its_launch_to_its_end(panel: Panel, connected: list[Job], on_machine: str) -> None:
    assert panel.rows == []
    assert panel.order.site.value == on_machine
    panel.order.time.value = "30:00"
    assert "for 30 min" in panel.order.what
    panel.order.press()
    assert "is launched." in panel.said
    (row,) = panel.rows
    until(lambda: "is ready on" in row.text)
    assert "30 min" in row.text or "29 min" in row.text
    assert not row.buttons["Connect"].disabled
    # There is no scheduler that could give it more time.
    assert row.buttons["Extend"].disabled
    row.buttons["Connect"].click()
    assert connected == [row.job]
    assert "Connected to" in panel.said
    row.buttons["Log"].click()
    assert "pvserver" in panel.said
    row.buttons["Cancel"].click()
    until(lambda: "It was cancelled." in row.text)
    assert all(row.buttons[name].disabled for name in ("Connect", "Extend", "Cancel"))
    nothing_left(row.job)


def test_what_cannot_be_is_said_before_it_is_asked_for(panel: Panel) -> None:
    panel.order.memory.value = "much"
    assert "memory=" in panel.order.what
    assert panel.order.button.disabled
    panel.order.press()
    assert panel.rows == []
    panel.order.memory.value = ""
    assert not panel.order.button.disabled


def test_the_form_is_of_the_chosen_site(write_site: Site, panel: Panel) -> None:
    write_site(
        "[slurm]\npartitions = ['gpu', 'short']\ngpus = 'gpu'\n[rule]\nper = '45G'\ngpus = 1\nmost = 4\n", "oscar"
    )
    panel.order.site.options = ["here", "oscar"]
    panel.order.site.value = "oscar"
    assert [name for name, _ in panel.order.partition.options] == ["gpu", "short"]
    panel.order.memory.value = "90G"
    assert "90 GB, 2 cores and 2 GPUs" in panel.order.what


def test_a_job_of_another_notebook_comes_by_itself(panel: Panel, on_machine: str) -> None:
    job = launching.launch(on_machine, time="10:00")
    until(lambda: [row.job.key for row in panel.rows] == [job.key])
    job.cancel()
    until(lambda: "It was cancelled." in panel.rows[0].text)


def test_without_a_site_it_says_how_to_make_one(home: object) -> None:
    panel = Panel(lambda _: None)
    assert "pvlink site new NAME" in panel.order.what
    assert panel.order.button.disabled
    panel.close()
