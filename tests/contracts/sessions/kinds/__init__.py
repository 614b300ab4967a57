"""The ways to a live view, a file each: how its kernel is started, and the few lines of a user's code that differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """Lines of code, and expressions; `view` is what a user displays."""

    name: str
    # The environment its kernel runs in; empty: the one of the tests.
    environment: str
    # Whether the kernel itself draws.
    inside: bool
    # Its first cell.
    start: str
    # Makes `view`, with something in it that looks different from each side, at 320 by 240.
    scene: str
    # Colours it anew.
    change: str
    # Draws it.
    render: str
    # Takes it away.
    delete: str
    # Where the user's own camera object is, and how big the user's own object says the view is.
    camera: str
    size: str
    # A call that takes some seconds in the library itself.
    work: str
    # Has the library complain about a file, /nowhere.vtp.
    complain: str
    # Has the library call `callback` whenever it draws the view.
    observe: str
    # Adds the keys pressed in the view to `pressed`.
    listen: str
    # A source made by pvlink.put, shown in the view: `source` is there already.
    show_source: str
    # What it cannot do: the contract's name (its test's, without "test_"), and why, in words for a user.
    cannot: Mapping[str, str]
    # Contracts that it is held to in a long night only: other tests, or other kinds, hold the same code to them daily.
    nightly: frozenset[str]


# Of those whose kernel itself draws.
IN_THE_KERNEL = {
    "hands_move_the_view_while_a_cell_runs": "The kernel draws: hands wait for the end of the cell, and the view "
    "says so.",
    "a_killed_engine_comes_back_with_its_pipeline": "The kernel draws: there is no other process, and what ends the "
    "kernel takes your objects with it.",
    "a_killed_engine_does_not_cost_the_kernel": "The kernel draws: what ends ParaView or VTK ends the kernel.",
}
# Calls that take seconds, which ParaView's two kinds are held to daily.
SLOW = frozenset({"a_long_call_of_the_library_is_said_to_whoever_waits"})
# The streamer's business, which is the same process for all.
STREAMERS = frozenset(
    {
        "two_viewers_see_the_same",
        "who_may_only_look_changes_nothing",
        "a_link_lets_others_look_until_it_is_taken_back",
        "the_owner_knows_who_watches",
        "stats_count_what_was_sent",
        "a_killed_streamer_is_brought_back_and_the_objects_are_untouched",
    }
)
