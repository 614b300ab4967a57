"""What a user asks to be connected to: an address, a configuration file, or the name of one of its servers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from pvlink.errors import OptionError
from pvlink.servers import address, pvsc
from pvlink.servers.configuration import Configuration
from pvlink.servers.options import Value
from pvlink.servers.origins import Options, Origin, Reached
from pvlink.servers.started import Configured
from pvlink.servers.starting import settle

if TYPE_CHECKING:
    from pvlink.servers.form import Form

_FILES = (".pvsc", ".xml")
# A server that comes to us is started by hand, or waits in a queue.
PATIENCE = 60.0


@runtime_checkable
class Offers(Protocol):
    """What has a server of its own to connect to: a job on a cluster."""

    def origin(self, options: dict[str, Any]) -> Origin: ...


@dataclass(frozen=True)
class Questions:
    """A configuration whose options are to be filled in first."""

    configuration: Configuration
    options: Options
    # Of the engine.
    version: str

    def form(self, go: Callable[[Origin], object]) -> Form:
        """In the notebook; `go` connects."""
        # Widgets are imported by whoever sees some.
        from pvlink.servers.form import Form

        return Form(self.configuration, lambda settled: go(Configured(settled, self.options)), version=self.version)


def origin(
    where: str | os.PathLike[str] | Offers,
    name: str | None,
    values: Mapping[str, Value] | None,
    options: dict[str, Any],
    version: str,
) -> Origin | Questions:
    """Where the server comes from, or what has to be asked first. `version`: the engine's. Raises OptionError."""
    if isinstance(where, Offers):
        return where.origin(options)
    text = os.fspath(where)
    in_file = text.endswith(_FILES)
    if not in_file and (":" in text or not any(one.name == text for one in pvsc.known())):
        if values is not None or name is not None:
            raise OptionError(
                f"name= and values= go with a server configuration, such as connect('site.pvsc', name='...'); {text!r} "
                f"is an address."
            )
        reached = address.parse(text)
        patient = {"timeout": PATIENCE} if reached.reverse else {}
        return Reached(reached, Options(**{**patient, **options}))
    found = pvsc.find(pvsc.read(Path(text).expanduser()), name) if in_file else pvsc.find(pvsc.known(), text)
    if found.options and values is None:
        return Questions(found, Options(**options), version)
    return Configured(settle(found, values, version=version), Options(**options))
