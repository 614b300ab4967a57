"""What happens on many sockets at once, one after the other."""

from __future__ import annotations

import selectors


def heed(watch: selectors.BaseSelector, patience: float) -> None:
    """Wait so long (seconds) for events, and call what each was registered with.

    What came before in the same moment may have let go of a socket, or given it to somebody else: then its event is
    nobody's any more.
    """
    for key, mask in watch.select(patience):
        if watch.get_map().get(key.fd) == key:
            key.data(mask)
