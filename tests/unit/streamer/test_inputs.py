"""Moves merge, clicks never."""

from __future__ import annotations

from itertools import groupby

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.protocol import InputEvent
from pvlink.streamer.inputs import MAX_PACKET_EVENTS, Inputs

NEVER_MERGED = {"down", "up", "key", "action"}


def merged(*events: InputEvent) -> list[InputEvent]:
    inputs = Inputs()
    inputs.add("1", "a", "owner", 1, events)
    return [event for part in inputs.take() for event in part["events"]]


def test_moves_merge_to_the_newest() -> None:
    assert merged(InputEvent("move", 0.1), InputEvent("move", 0.2), InputEvent("move", 0.3)) == [
        InputEvent("move", 0.3)
    ]


def test_wheel_notches_add_and_keep_their_modifiers() -> None:
    up, down = InputEvent("wheel", amount=2.0), InputEvent("wheel", amount=-0.5)
    assert merged(up, down) == [InputEvent("wheel", amount=1.5)]
    with_ctrl = InputEvent("wheel", amount=1.0, ctrl=True)
    assert merged(up, with_ctrl) == [up, with_ctrl]


def test_pinches_multiply() -> None:
    assert merged(InputEvent("pinch", amount=1.5), InputEvent("pinch", amount=2.0)) == [InputEvent("pinch", amount=3.0)]


def test_a_click_keeps_the_moves_apart() -> None:
    events = [InputEvent("move", 0.1), InputEvent("down"), InputEvent("move", 0.2), InputEvent("up")]
    assert merged(*events) == events


def test_what_asks_for_nothing_is_left_out() -> None:
    assert merged(InputEvent("pinch"), InputEvent("key"), InputEvent("action"), InputEvent("move", float("nan"))) == []


def test_two_viewers_merge_and_both_are_answered() -> None:
    inputs = Inputs()
    inputs.add("1", "a", "owner", 5, [InputEvent("move", 0.1)])
    inputs.add("1", "b", "control", 9, [InputEvent("move", 0.2)])
    inputs.add("2", "a", "owner", 6, [InputEvent("up")])
    assert inputs.take() == [
        {"view": "1", "events": [InputEvent("move", 0.2)], "inputs": {"a": 5, "b": 9}},
        {"view": "2", "events": [InputEvent("up")], "inputs": {"a": 6}},
    ]
    assert not inputs
    assert inputs.take() == []


def test_a_viewer_that_may_only_look_changes_nothing() -> None:
    inputs = Inputs()
    assert not inputs.add("1", "a", "view", 1, [InputEvent("down")])
    assert not inputs


def test_a_packet_is_bounded_and_the_rest_follows() -> None:
    inputs = Inputs()
    for seq in range(MAX_PACKET_EVENTS + 10):
        inputs.add(
            "1", "a", "owner", seq, [InputEvent("key", key="\x00" * 32, ctrl=True, shift=True, alt=True, x=-1 / 3)]
        )
    first = inputs.take()
    assert len(first[0]["events"]) == MAX_PACKET_EVENTS
    assert first[0]["inputs"] == {"a": MAX_PACKET_EVENTS - 1}
    assert len(msgspec.json.encode(first)) < 60 << 10
    assert [len(part["events"]) for part in inputs.take()] == [10]


@pytest.mark.parametrize(
    ("waiting", "extra", "left"),
    [
        (["move", "down", "up"], "key", ["down", "up", "key"]),
        (["down", "move", "up"], "wheel", ["down", "up", "wheel"]),
        (["wheel", "down", "up"], "key", ["down", "up", "key"]),
        (["down", "up", "down"], "up", ["down", "up"]),
        (["up", "down", "down"], "down", ["up", "down", "down"]),
    ],
)
def test_above_the_bound_the_cheapest_goes_first(waiting: list[str], extra: str, left: list[str]) -> None:
    inputs = Inputs(limit=3)
    for seq, kind in enumerate([*waiting, extra]):
        inputs.add("1", "a", "owner", seq, [InputEvent(kind, amount=1.0, key="a")])  # type: ignore[arg-type]
    (part,) = inputs.take()
    assert [event.type for event in part["events"]] == left
    assert part["inputs"] == {"a": 3}


EVENTS = st.builds(
    InputEvent,
    st.sampled_from(["move", "down", "up", "wheel", "pinch", "key", "action"]),
    x=st.floats(0, 1),
    amount=st.floats(0.5, 2),
    ctrl=st.booleans(),
    key=st.just("r"),
    action=st.just("reset"),
)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.lists(EVENTS, min_size=1, max_size=9)), max_size=20))
def test_merging_keeps_clicks_sums_and_answers(messages: list[tuple[str, list[InputEvent]]]) -> None:
    inputs = Inputs()
    sent = [event for _, events in messages for event in events]
    for seq, (client, events) in enumerate(messages):
        inputs.add("1", client, "owner", seq, events)
    taken: list[InputEvent] = []
    answers: dict[str, int] = {}
    while part := inputs.take():
        taken += part[0]["events"]
        answers |= part[0]["inputs"]

    assert [e for e in taken if e.type in NEVER_MERGED] == [e for e in sent if e.type in NEVER_MERGED]
    assert [kind for kind, _ in groupby(e.type for e in taken)] == [kind for kind, _ in groupby(e.type for e in sent)]
    assert sum(e.amount for e in taken if e.type == "wheel") == pytest.approx(
        sum(e.amount for e in sent if e.type == "wheel")
    )
    assert answers == {client: seq for seq, (client, _) in enumerate(messages)}


@given(st.lists(EVENTS, max_size=60))
def test_the_bound_holds_and_no_button_sticks(events: list[InputEvent]) -> None:
    inputs = Inputs(limit=8)
    for seq, event in enumerate(events):
        inputs.add("1", "a", "owner", seq, [event])
    taken = [event for part in inputs.take() for event in part["events"]]
    assert len(taken) <= 8
