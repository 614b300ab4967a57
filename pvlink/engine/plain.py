"""Plain data: what crosses the wire by value, brought to the few kinds that every Python has.

A named tuple is a tuple, an IntEnum a number, a path its text: the other side has no use for the difference.
"""

from __future__ import annotations

import collections.abc
import functools
import os
import traceback
import types
from typing import Any

import numpy

FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, functools.partial)
CONTAINERS = (tuple, list, dict, set)
_SCALARS = (str, int, float, complex, bytes)
_SENT = (*_SCALARS, bool, type(None))
_VIEWS = (range, collections.abc.KeysView, collections.abc.ValuesView, collections.abc.ItemsView)
# What a list is often made from.
_ITERATORS = (types.GeneratorType, map, zip, filter, reversed, enumerate)


def simpler(obj: Any) -> Any:
    """The same value one step plainer; the object itself if it is no plain data."""
    # Never isinstance on a stranger: that asks it for `__class__`, which some of ParaView's objects pass on.
    kind = type(obj)
    if kind is numpy.ndarray:
        return obj.tolist() if obj.dtype.hasobject else obj
    if issubclass(kind, numpy.generic):
        item = obj.item()
        # A long double stays one.
        return numpy.asarray(obj) if type(item) is kind else item
    if hasattr(kind, "__fspath__"):
        return os.fspath(obj)
    if issubclass(kind, _VIEWS):
        return list(obj)
    if issubclass(kind, frozenset):
        return set(obj)
    plain: Any
    for plain in CONTAINERS:
        if issubclass(kind, plain):
            return obj if kind is plain else plain(obj)
    for plain in _SCALARS:
        if issubclass(kind, plain) and kind not in (bool, plain):
            # An enumeration's own `str()` is its name, not its value.
            return str.__str__(obj) if plain is str else plain.__new__(plain, obj)
    return obj


def drained(obj: Any) -> Any:
    """What a user's own object says: an array, bytes, the items of an iterator, a kind of number; itself if nothing."""
    kind = type(obj)
    if issubclass(kind, numpy.dtype):
        return obj.str
    if issubclass(kind, type):
        # `float`, `numpy.float32` and their like; no other class can be sent.
        return numpy.dtype(obj).str if issubclass(obj, (numpy.generic, int, float, complex)) else obj
    if hasattr(kind, "__array__"):
        return numpy.asarray(obj)
    if issubclass(kind, (bytearray, memoryview)):
        return bytes(obj)
    if issubclass(kind, _ITERATORS):
        return list(obj)
    return obj


def pack_array(array: Any) -> tuple[Any, tuple[int, ...], bytes]:
    """Layout (lists, tuples and strings), shape and bytes."""
    layout = numpy.lib.format.dtype_to_descr(array.dtype)
    return layout, array.shape, numpy.ascontiguousarray(array).tobytes()


def unpack_array(layout: Any, shape: tuple[int, ...], data: bytes) -> Any:
    """The array, writable."""
    return numpy.ndarray(shape, numpy.lib.format.descr_to_dtype(layout), bytearray(data))


def is_plain_function(obj: Any) -> bool:
    """Whether the other side may be lent this as a function."""
    return isinstance(obj, FUNCTIONS)


def is_clean(text: str) -> bool:
    """Whether this is Unicode: file names whose bytes are no UTF-8 hold halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def pack_error(kind: Any, error: Any, trace: Any) -> tuple[Any, Any, Any, str]:
    """An exception as rpyc unpacks it: names of module and class, arguments, attributes, the trace as text.

    rpyc's own packing takes the `repr` of what it cannot send, such as the object that lacks an attribute: slow for
    some objects and fatal for those whose `repr` fails.
    """
    arguments = tuple(argument if type(argument) in _SENT else _text(argument) for argument in error.args)
    found = {name: getattr(error, name, None) for name in dir(error) if name[0] != "_" and name != "args"}
    attributes = tuple((name, value) for name, value in found.items() if type(value) in _SENT and value is not None)
    lines = traceback.format_exception(kind, error, trace)
    return _clean(((kind.__module__, kind.__name__), arguments, attributes, "".join(lines)))


def _text(obj: Any) -> str:
    try:
        return repr(obj)
    except Exception as error:  # noqa: BLE001 - anything may go wrong in a stranger's repr
        return f"<{type(obj).__name__} whose repr fails: {type(error).__name__}>"


def _clean(value: Any) -> Any:
    """The same with every text in nested tuples made Unicode."""
    if isinstance(value, tuple):
        return tuple(_clean(item) for item in value)
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def id_pack(obj: Any) -> tuple[str, int, int]:
    """What an object is called on the wire."""
    # Never by getattr on the object: asking a ParaView proxy for an attribute changes its state.
    cls = type(obj)
    # What has departed with its server (`departed`) keeps the name that the other side knows it by.
    cls = vars(cls).get("_pvlink_was", cls)
    if isinstance(obj, type):
        return f"{obj.__module__}.{obj.__name__}", id(obj), 0
    return f"{cls.__module__}.{cls.__name__}", id(cls), id(obj)
