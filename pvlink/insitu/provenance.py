"""Who has changed what, when, at which step: a file beside the simulation, which another run can follow."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pvlink.insitu.parameters import Parameters, Refused, Value


class Provenance:
    """Of one run. A line of JSON for each change; written through, so that a crash loses none."""

    def __init__(self, log: str | None, replay: str | None, parameters: Parameters) -> None:
        """Raises OSError, or Refused where what is to be replayed does not fit."""
        self._wanted = log
        self.path: Path | None = None
        self._complained = False
        self._due = _read(Path(replay), parameters) if replay else []

    def write(self, changes: Iterable[Mapping[str, Any]]) -> None:
        """A disk that is full costs the log and not the run; it is said once."""
        lines = "".join(json.dumps({**one, "when": _clock()}) + "\n" for one in changes)
        if not lines:
            return
        wanted = Path(self._wanted or f"steering-{time.strftime('%Y%m%d-%H%M%S')}.jsonl")
        try:
            if self.path is None:
                self.path = wanted.absolute()
            with self.path.open("a", encoding="utf-8") as file:
                file.write(lines)
        except OSError as error:
            if self._complained:
                return
            self._complained = True
            print(f"pvlink: {self.path or wanted} cannot be written: {error.strerror}", file=sys.stderr, flush=True)

    def due(self, step: int) -> list[tuple[dict[str, Value], str]]:
        """What is to be replayed by the end of this step."""
        now = [one for one in self._due if one[0] <= step]
        self._due = self._due[len(now) :]
        return [(changed, who) for _, changed, who in now]


def _read(path: Path, parameters: Parameters) -> list[tuple[int, dict[str, Value], str]]:
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise Refused(f"{path} is no log of changes.") from None
    for number, line in enumerate(lines, 1):
        try:
            one = json.loads(line)
            changed = parameters.checked({str(one["name"]): one["new"]})
            found.append((int(one["step"]), changed, str(one.get("who", ""))))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            said = error if isinstance(error, Refused) else "it is no change that was logged."
            raise Refused(f"{path}, line {number}: {said}") from None
    return sorted(found, key=lambda one: one[0])


def _clock() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
