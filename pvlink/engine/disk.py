"""What is asked of an engine about files: folders, series, readers, and a file opened."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pvlink.engine.refusal import Refusal

if TYPE_CHECKING:
    from pvlink.engine.serverdesk import Host


class Disk:
    """A part of the desk, of an engine as of a kernel that holds ParaView itself."""

    _host: Host

    def files(self, path: str, **how: Any) -> dict[str, Any]:
        """A page of a folder on the machine where ParaView reads files: see `files.files`."""
        return self._part("files").files(path, **how)

    def series(self, path: str, name: str, number: int) -> list[str]:
        """The files of one line of a folder."""
        return self._part("files").series(path, name, number)

    def readers(self, paths: Any) -> list[tuple[str, str]]:
        """The readers of a file, name and description, best first."""
        return self._part("readers").readers(paths)

    def open_files(self, paths: Any, reader: str | None) -> tuple[Any, dict[str, Any]]:
        """A source that reads these files, and what there is to say of it."""
        opened = self._part("readers").open_files(paths, reader)
        self._host.altered()
        return opened

    def _part(self, name: str) -> Any:
        if self._host.place is None:
            raise Refusal("This session draws with VTK alone; only ParaView lists folders and chooses readers.")
        # An engine on VTK alone has no ParaView to import.
        return importlib.import_module(f"pvlink.engine.{name}")
