"""What is asked about files, in one place: of the engine's desk, or of a kernel that holds ParaView itself."""

from __future__ import annotations

from pvlink.engine.files import files, series
from pvlink.engine.readers import open_files, readers

__all__ = ["files", "open_files", "readers", "series"]
