"""How a session is, in sentences for those who watch."""

from __future__ import annotations

from pvlink.protocol import ViewState

LIVE = ViewState("live")
WORKING = ViewState("busy", "ParaView is working.")
STARTING = ViewState("busy", "ParaView is starting.")
LOST = ViewState(
    "lost",
    "The ParaView process ended. The picture is the last one. pvlink.session().restart() brings the pipeline back.",
)
AGAIN = ViewState("busy", "ParaView is starting again.")
ENDED = ViewState("ended", "The kernel ended, and ParaView with it. The picture is the last one. Run the cells again.")
UNKNOWN = ViewState("gone", "ParaView has no such view (any more). Run the cell that shows it again.")
