"""What was put: sources with names, made and filled anew; and the data object behind whatever a user fetches.

Where this process has imported ParaView a source is a proxy in the pipeline, and elsewhere an algorithm of VTK's.
"""

from __future__ import annotations

import sys
from typing import Any, Protocol

from pvlink.engine.refusal import Refusal


class Sources(Protocol):
    """The sources of one process."""

    def put(self, name: str, data: Any, number: int, *, fresh: bool) -> Any:
        """The source of that name, holding `data`; `fresh`: one more, with a number after the name.

        A new one is known by `number` from then on. Refusal: the name is that of something that was not put.
        """

    def data(self, obj: Any) -> Any:
        """The up-to-date data object of a source, a port, an algorithm or a name. Refusal: none."""

    def number(self, source: Any) -> int | None:
        """What a source that was put is known by; none if it does not come back after a restart."""

    def numbers(self) -> list[int]:
        """Of all those that are still there."""

    def refill(self, number: int, data: Any) -> bool:
        """Give a source that was brought back its data; False: it is not there."""

    def empty(self, filled: list[int]) -> list[str]:
        """Names of those that were brought back and not refilled."""


def here() -> Sources:
    """Those of this process."""
    # In a kernel it may be the mirror of another process's, which is no file.
    if getattr(sys.modules.get("paraview.servermanager"), "__file__", None) is not None:
        from pvlink.engine.proxies import Proxies

        return Proxies()
    return _PRODUCERS


class Producers:
    """VTK without ParaView: nothing but this knows the names, and nothing comes back after a restart."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def put(self, name: str, data: Any, number: int, *, fresh: bool) -> Any:
        from vtkmodules.vtkCommonExecutionModel import vtkTrivialProducer

        if fresh:
            name = numbered(name, self._known)
        made = self._known.setdefault(name, vtkTrivialProducer())
        made.SetOutput(data)
        return made

    def data(self, obj: Any) -> Any:
        if isinstance(obj, str):
            if obj not in self._known:
                raise Refusal(f"nothing was put under the name {obj!r}. There is: {listed(self._known)}.")
            obj = self._known[obj]
        return vtk_data(obj)

    def number(self, source: Any) -> None:
        return None

    def numbers(self) -> list[int]:
        return []

    def refill(self, number: int, data: Any) -> bool:
        return False

    def empty(self, filled: list[int]) -> list[str]:
        return []


_PRODUCERS = Producers()


def vtk_data(obj: Any) -> Any:
    """The data object of an object of VTK's own."""
    kinds = {base.__name__ for base in type(obj).__mro__}
    if "vtkDataObject" in kinds:
        return obj
    if "vtkAlgorithmOutput" in kinds:
        obj.GetProducer().Update(obj.GetIndex())
        return obj.GetProducer().GetOutputDataObject(obj.GetIndex())
    if "vtkAlgorithm" in kinds and obj.GetNumberOfOutputPorts():
        obj.Update()
        return obj.GetOutputDataObject(0)
    raise Refusal(
        f"a {type(obj).__name__} has no data to fetch: give a source, a filter, one of its ports, or a source's name"
    )


def numbered(name: str, taken: Any) -> str:
    """The name with the first number that is free."""
    number = 1
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"


def listed(names: Any) -> str:
    """Names in a sentence."""
    return ", ".join(repr(name) for name in names) or "nothing"
