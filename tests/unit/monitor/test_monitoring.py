"""Where a simulation is waited for: every way to write a place, and one at a time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.errors import SimulationError
from pvlink.monitor.monitoring import Monitoring, placed
from tests.unit.monitor.rehearsal import Rehearsal

pytestmark = pytest.mark.insitu


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("localhost:22222", ("127.0.0.1", 22222)),
        ("127.0.0.1:22222", ("127.0.0.1", 22222)),
        ("node17:5", ("node17", 5)),
        ("node17.example.org:5", ("node17.example.org", 5)),
        ("0.0.0.0:5", ("0.0.0.0", 5)),
        (22222, ("127.0.0.1", 22222)),
        ("22222", ("127.0.0.1", 22222)),
        (":22222", ("127.0.0.1", 22222)),
        (" localhost:22222\n", ("127.0.0.1", 22222)),
        ("localhost: 22222", ("127.0.0.1", 22222)),
        ("localhost : 22222", ("127.0.0.1", 22222)),
        ("[::1] :22222", ("::1", 22222)),
        (" :22222", ("127.0.0.1", 22222)),
        ("[::1]:22222", ("::1", 22222)),
        ("::1:22222", ("::1", 22222)),
        ("localhost:0", ("127.0.0.1", 0)),
        (0, ("127.0.0.1", 0)),
        ("localhost:65535", ("127.0.0.1", 65535)),
    ],
)
def test_a_place_is_a_host_and_a_port(where: str | int, place: tuple[str, int]) -> None:
    assert placed(where) == place


@pytest.mark.parametrize(
    "where",
    [
        "",
        ":",
        "localhost",
        "localhost:",
        "localhost:http",
        "localhost:65536",
        "localhost:-1",
        "localhost:2.5",
        "localhost:0x10",
        "localhost:²",
        "22222:localhost",
        "[::1]",
        -1,
        65536,
        22222.0,
        True,
        None,
        b"localhost:22222",
        ("localhost", 22222),
    ],
)
def test_what_is_none_is_said_with_what_would_be_one(where: Any) -> None:
    with pytest.raises(SimulationError, match="'localhost:22222', or a port alone") as wrong:
        placed(where)
    assert repr(where) in str(wrong.value)


@given(st.text())
def test_anything_is_a_place_or_is_refused(where: str) -> None:
    try:
        host, port = placed(where)
    except SimulationError:
        return
    assert host
    assert 0 <= port <= 65535


class Session(Monitoring):
    """As far as simulations go."""

    def __init__(self) -> None:
        self.host = Rehearsal()
        self.desk = self.host.desk
        self.role = self.host.role
        self.refusal = ""

    def ask(self, op: str, **facts: Any) -> dict[str, Any]:
        if self.refusal and op == "insitu-open":
            raise ValueError(self.refusal)
        return self.host.ask(op, **facts)


def test_a_session_waits_where_it_was_told() -> None:
    session = Session()
    sim = session.monitor("localhost:22223")
    assert session.host.asked == [("insitu-open", {"host": "127.0.0.1", "port": 22223})]
    assert sim.place == "127.0.0.1:22223"
    assert "has come to 127.0.0.1:22223 yet" in sim.state
    session.host.comes()
    assert sim.state == "gray-scott runs, at step 0."


def test_a_session_waits_at_one_place_at_a_time() -> None:
    session = Session()
    session.monitor()
    session.monitor(5)
    assert [op for op, _ in session.host.asked if op != "insitu-state"] == [
        "insitu-open",
        "insitu-close",
        "insitu-open",
    ]


def test_a_wrong_place_changes_nothing() -> None:
    session = Session()
    first = session.monitor()
    with pytest.raises(SimulationError):
        session.monitor("nowhere")
    session.host.comes()
    assert first.state == "gray-scott runs, at step 0."


def test_why_nobody_can_be_waited_for_is_said() -> None:
    session = Session()
    session.refusal = "Another one waits for a simulation at 127.0.0.1:22222 already."
    with pytest.raises(SimulationError, match="Another one waits") as refused:
        session.monitor()
    assert refused.value.__cause__ is None
    session.refusal = ""
    assert session.monitor().place == "127.0.0.1:22222"


def test_what_was_closed_once_closes_nothing_of_the_next_one() -> None:
    session = Session()
    first = session.monitor()
    second = session.monitor()
    first.close()
    session.host.comes()
    assert session.host.place
    assert second.state == "gray-scott runs, at step 0."


def test_what_was_closed_orders_nothing_of_the_next_one() -> None:
    session = Session()
    first = session.monitor()
    session.monitor()
    session.host.comes()
    for act in (first.pause, first.resume, lambda: first.set(F=0.05), lambda: first.extract("input")):
        with pytest.raises(SimulationError):
            act()
    assert session.host.orders() == []
    assert session.desk.done == []
    assert first.state == "No simulation is waited for any more: session.monitor() waits for one."
