"""One house for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.trust.house import House, made


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from made(tmp_path_factory.mktemp("house"))
