"""What an engine says no to."""

from __future__ import annotations


class Refusal(ValueError):
    """The user's to mend: the sentence says how. The kernel knows it by this name."""
