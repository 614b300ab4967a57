"""Data both ways: `put` makes a source of what a kernel holds, `fetch` brings what a source holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from pvlink import cargo
from pvlink.cargo import unpacked
from pvlink.cargo.manifest import Array, Facts, Options
from pvlink.errors import DataError, OptionError, refuse_unknown

_PUT = ("name", "spacing", "origin", "vector", "at")


class Carrier(Protocol):
    """A session, as far as data goes."""

    def put_cargo(self, name: str, facts: Facts, arrays: list[Array], *, fresh: bool) -> Any:
        """The source that shows it."""

    def put_object(self, name: str, obj: Any, *, fresh: bool) -> Any:
        """The same for a data object that the session's VTK has already; None: it is not one of those."""

    def fetch_cargo(self, obj: Any, name: str | None, at: str | None) -> tuple[Facts, list[Array]]:
        """What a source holds, or one array of it."""


def put(
    session: Carrier,
    obj: Any,
    *,
    name: str | None = None,
    spacing: Sequence[float] | None = None,
    origin: Sequence[float] | None = None,
    vector: bool | None = None,
    at: Literal["points", "cells"] = "points",
    **unknown: Any,
) -> Any:
    """A source in the pipeline that shows `obj`; see `pvlink.put`."""
    refuse_unknown("pvlink.put()", unknown, _PUT)
    if at not in ("points", "cells"):
        raise OptionError(f"at={at!r}: values are at the 'points' of the grid, or in its 'cells'.")
    if name is not None and not (isinstance(name, str) and name.strip()):
        raise OptionError(f"name={name!r}: a source is called by a text that is not empty.")
    own = name if name is not None else _own_name(obj)
    called = own if own is not None else type(obj).__name__
    made = session.put_object(called, obj, fresh=own is None)
    if made is not None:
        return made
    options = Options(called, _numbers("spacing", spacing), _numbers("origin", origin), vector, at)
    packed = cargo.pack(obj, options)
    return session.put_cargo(called, packed.facts, packed.arrays, fresh=own is None)


def fetch(
    session: Carrier,
    source: Any,
    array: str | None = None,
    *,
    at: Literal["points", "cells", "rows", "field"] | None = None,
    **unknown: Any,
) -> Any:
    """What a source holds; see `pvlink.fetch`."""
    refuse_unknown("pvlink.fetch()", unknown, ("at",))
    if array is not None and not isinstance(array, str):
        raise OptionError(f"pvlink.fetch: the array is asked for by its name, a text, not by {array!r}.")
    if at is not None and at not in ("points", "cells", "rows", "field"):
        raise OptionError(f"at={at!r}: an array is one of the 'points', 'cells', 'rows' or of the 'field'.")
    facts, arrays = session.fetch_cargo(source, array, at)
    return unpacked.dataset(facts, arrays) if array is None else unpacked.array(facts, arrays)


def _own_name(obj: Any) -> str | None:
    """What xarray's and pandas' objects are called."""
    found = getattr(obj, "name", None) if type(obj).__module__.partition(".")[0] in ("xarray", "pandas") else None
    return found if isinstance(found, str) and found else None


def _numbers(name: str, given: Sequence[float] | None) -> tuple[float, ...] | None:
    if given is None:
        return None
    try:
        return tuple(float(value) for value in given)
    except (TypeError, ValueError):
        raise OptionError(f"{name}={given!r}: it is three numbers, for x, y and z.") from None


__all__ = ["DataError", "fetch", "put"]
