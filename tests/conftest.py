"""What holds for every test."""

from __future__ import annotations

import pytest

# The parts of `make test ARGS="-m NAME"`; docs and CI use these names.
PARTS = frozenset({"cell", "trust", "ways", "servers", "speed", "cluster", "insitu"})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that names no part belongs to the first one; what is long by nature runs only when asked for."""
    wanted: list[pytest.Item] = []
    long: list[pytest.Item] = []
    for item in items:
        names = {mark.name for mark in item.iter_markers()}
        if not names & PARTS:
            item.add_marker(pytest.mark.cell)
        (long if "soak" in names and "soak" not in config.option.markexpr else wanted).append(item)
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = wanted
