"""What ferry and harbour have agreed on."""

from __future__ import annotations

# Of what is said; the two compare it before anything else.
VERSION = 1
# Both sides say so often (seconds) that they are there, and take the other for gone after as much silence.
TICK, SILENCE = 1.0, 4.0
# A line that is longer is none.
MAX_LINE = 1 << 20
