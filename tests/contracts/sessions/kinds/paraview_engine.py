"""ParaView in a process beside the kernel: what `pvlink.start()` gives."""

from __future__ import annotations

from tests.contracts.sessions.kinds import Kind
from tests.contracts.sessions.kinds.paraview import LINES

# test_kernel, test_restart, test_kills, test_lifecycle, test_roles.
ELSEWHERE = {
    "what_the_library_says_appears_in_the_cell",
    "an_error_in_a_callback_is_seen_and_costs_nothing_else",
    "hands_move_the_view_while_a_cell_runs",
    "a_killed_streamer_is_brought_back_and_the_objects_are_untouched",
    "a_killed_engine_comes_back_with_its_pipeline",
    "a_killed_engine_does_not_cost_the_kernel",
    "a_killed_kernel_leaves_nothing",
    "stop_leaves_nothing_and_another_session_can_follow",
    "a_link_lets_others_look_until_it_is_taken_back",
    "thirty_displays_of_a_view_cost_what_one_costs",
}
KIND = Kind(
    name="ParaView engine",
    environment="",
    inside=False,
    start="import pvlink\nsession = pvlink.start()\nfrom paraview.simple import *",
    cannot={},
    nightly=frozenset(ELSEWHERE),
    **LINES,
)
