"""Which library an object is of, by the names of its classes: nothing is imported to find out."""

from __future__ import annotations


def is_of(obj: object, library: str, *names: str) -> bool:
    """Whether the object's class, or one that it was made from, is one of these."""
    return any(base.__name__ in names and base.__module__.partition(".")[0] == library for base in type(obj).__mro__)
