"""What a user downloads, and what a page loads."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, lower

ROOT = Path(__file__).parents[1]


def figures() -> Iterator[Figure]:
    # The one that was installed for these measurements.
    wheel = max((ROOT / "dist").glob("*.whl"), key=lambda found: found.stat().st_mtime)
    yield lower("wheel_kb", "KB", [wheel.stat().st_size / 1e3])
    for script in sorted((ROOT / "pvlink" / "static").glob("*.js")):
        yield lower(f"{script.name}, compressed", "KB", [len(gzip.compress(script.read_bytes())) / 1e3])
