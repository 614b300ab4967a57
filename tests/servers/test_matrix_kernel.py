"""The matrix of real ParaView servers, with ParaView in the kernel itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import environment
from tests.servers.matrix import *  # noqa: F403 - the tests themselves
from tests.servers.places import Place, place
from tests.servers.pvservers import needs_servers

pytestmark = needs_servers


@pytest.fixture(scope="module")
def at() -> Iterator[Place]:
    with place("kernel", lambda: environment("paraview")) as made:
        yield made
