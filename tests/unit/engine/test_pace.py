"""When a view is drawn, and how: without a clock."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pvlink.engine.pace import FAST, FULL, READ, REST, Pace

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["moved", "altered", "rendered", "wanted", "draw"]),
        st.floats(min_value=0.0, max_value=3 * REST),
    ),
    max_size=60,
)


def play(steps: list[tuple[str, float]]) -> tuple[Pace, float]:
    pace, now = Pace(), 0.0
    for step, passes in steps:
        now += passes
        due = pace.due(now)
        assert due is None or pace.wanted, "drawn though nobody asked"
        if step == "moved":
            pace.moved(now)
        elif step == "altered":
            pace.altered()
        elif step == "rendered":
            pace.user_rendered()
        elif step == "wanted":
            pace.wanted = True
        elif due is not None:
            pace.drawn(full=due != FAST)
            assert pace.due(now) is None, "one want is one frame"
    return pace, now


@settings(max_examples=300)
@given(STEPS)
def test_nothing_is_drawn_that_nobody_wants(steps: list[tuple[str, float]]) -> None:
    pace, now = play(steps)
    pace.wanted = False
    for later in (0.0, REST, 100.0):
        assert pace.due(now + later) is None
        assert pace.wait(now + later) is None


@settings(max_examples=300)
@given(STEPS)
def test_a_wanted_view_that_rests_ends_with_a_full_frame_and_then_nothing(steps: list[tuple[str, float]]) -> None:
    pace, now = play(steps)
    last = None
    for _ in range(5):
        pace.wanted = True
        due = pace.due(now)
        if due is not None:
            last = due
            pace.drawn(full=due != FAST)
            continue
        wait = pace.wait(now)
        if wait is None:
            break
        assert 0.0 <= wait <= REST + 1e-9
        now += wait + 1e-6
    assert last in (None, FULL, READ)
    assert not pace.rough
    assert not pace.changed
    assert (pace.due(now + 100), pace.wait(now + 100)) == (None, None)


@settings(max_examples=300)
@given(STEPS)
def test_nothing_due_says_when_it_will_be_or_that_only_an_event_can_change_it(steps: list[tuple[str, float]]) -> None:
    pace, now = play(steps)
    pace.wanted = True
    if pace.due(now) is not None:
        return
    wait = pace.wait(now)
    if wait is None:
        assert pace.due(now + 1000) is None
    else:
        assert pace.due(now + wait + 1e-6) == FULL
        assert wait == 0.0 or pace.due(now + wait * 0.99) is None


def test_a_new_view_is_drawn_fully_once_it_is_wanted() -> None:
    pace = Pace()
    assert pace.due(0.0) is None
    pace.wanted = True
    assert pace.due(0.0) == FULL


def test_under_a_hand_frames_are_rough() -> None:
    pace = Pace(wanted=True)
    pace.moved(1.0)
    assert pace.due(1.0) == FAST
    pace.drawn(full=False)
    pace.wanted = True
    assert pace.due(1.05) is None
    assert pace.wait(1.05) == 1.0 + REST - 1.05
    assert pace.due(1.0 + REST) == FULL


def test_what_the_users_own_call_has_rendered_is_only_read() -> None:
    pace = Pace(wanted=True)
    pace.user_rendered()
    assert pace.due(0.0) == READ
    pace.altered()
    assert pace.due(0.0) == READ
    pace.drawn(full=True)
    pace.wanted = True
    assert pace.due(0.0) is None
    pace.user_rendered()
    pace.moved(5.0)
    assert pace.due(5.0) == FAST


def test_a_frame_that_takes_longer_than_a_rest_is_no_rest() -> None:
    pace = Pace(wanted=True)
    pace.moved(0.0)
    assert pace.due(0.0) == FAST
    finished = 4 * REST
    pace.drawn(full=False, now=finished)
    pace.wanted = True
    # The hand moved while the frame was made; its next event is still on the way.
    assert pace.due(finished) is None
    pace.moved(finished + REST / 2)
    assert pace.due(finished + REST / 2) == FAST


def test_what_was_touched_since_the_users_own_render_is_drawn_again() -> None:
    pace = Pace(wanted=True)
    pace.user_rendered()
    pace.altered()
    assert pace.due(0.0) == READ
    pace.touched = True
    pace.altered()
    assert pace.due(0.0) == FULL
