"""What the documentation says of the kinds is what the contracts say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.sessions.kinds.all import KINDS
from tests.contracts.sessions.table import BEGIN, END, contracts, table

pytestmark = pytest.mark.ways

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "kinds.md"


def test_the_page_has_the_table_of_the_contracts() -> None:
    shown = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    assert shown.strip() == table().strip(), "python -m tests.contracts.sessions.table prints the right one"


def test_what_a_kind_cannot_do_is_a_contract() -> None:
    for kind in KINDS:
        assert {*kind.cannot, *kind.nightly} <= set(contracts()), kind.name
