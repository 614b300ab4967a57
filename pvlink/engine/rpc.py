"""Objects of one Python, used from another: the wire between kernel and engine. The only import of rpyc.

rpyc carries the requests; three things here differ from what it does by itself:

* **Plain data goes by value** in both directions: numbers, strings, lists, dicts, sets, arrays. rpyc would send a
  list as a reference and ask back for each element, a round trip each, from a process that may be busy.
* **A class is inspected once**, not once per object, and a method call is one round trip instead of three.
* **No class is looked up by its name in `sys.modules`**: the kernel's `paraview` is the mirror itself, and the look-up
  would ask the mirror while the mirror asks the wire.
"""

from __future__ import annotations

import functools
import inspect
import os
import socket
import sys
import types
from typing import Any, Callable, ClassVar

import numpy
from rpyc.core import brine, consts, netref
from rpyc.core.channel import Channel
from rpyc.core.protocol import Connection
from rpyc.core.service import VoidService
from rpyc.core.stream import SocketStream
from rpyc.core.vinegar import GenericException

__all__ = ["GenericException", "Reference", "RemoteMethod", "Wire"]

# Labels of what travels by value, after the four of rpyc.
LIST, DICT, SET, ARRAY = 11, 12, 13, 14

_CONFIG = {
    "allow_all_attrs": True,
    "allow_getattr": True,
    "allow_setattr": True,
    "allow_delattr": True,
    "allow_exposed_attrs": False,
    "sync_request_timeout": None,
    "propagate_KeyboardInterrupt_locally": False,
    "include_local_version": False,
}
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
# Asked for by IPython on every display of every object; the answer never needs a round trip.
_DISPLAY_PREFIXES = ("_repr_", "_ipython_")


class Reference(netref.BaseNetref):
    """Stands for an object on the other side."""

    __slots__ = ()
    # Names of the methods of the other side's class, filled per class.
    _methods: ClassVar[frozenset[str]] = frozenset()

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return type(self)
        if name.startswith(_DISPLAY_PREFIXES) or name == "_methods":
            return object.__getattribute__(self, name)
        if name in type(self)._methods:
            return RemoteMethod(self, name)
        return super().__getattribute__(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith(_DISPLAY_PREFIXES):
            raise AttributeError(name)
        return super().__getattr__(name)

    def __reduce_ex__(self, protocol: Any) -> Any:
        wire: Wire = object.__getattribute__(self, "____conn__")
        raise TypeError(wire.pickle_refusal.format(type(self).__name__))

    def __instancecheck__(self, other: Any) -> bool:
        # Called when this stands for a class and `isinstance(other, it)` is asked.
        return isinstance(other, Reference) and bool(netref.syncreq(self, consts.HANDLE_INSTANCECHECK, other))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        wire: Wire = object.__getattribute__(self, "____conn__")
        return wire.mimebundle(self)


class RemoteMethod:
    """A method of a remote object: calling it is one round trip, looking at it none."""

    __slots__ = ("__name__", "__self__")

    def __init__(self, owner: Reference, name: str) -> None:
        self.__self__ = owner
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return netref.syncreq(self.__self__, consts.HANDLE_CALLATTR, self.__name__, args, tuple(kwargs.items()))

    def remote(self) -> Any:
        """The bound method itself, as a reference."""
        return netref.syncreq(self.__self__, consts.HANDLE_GETATTR, self.__name__)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self.remote().__doc__

    def __repr__(self) -> str:
        return f"<method {self.__name__} of {self.__self__!r}>"


class FreshMethod:
    """A method of a ParaView proxy that is looked up anew at each call.

    ParaView's `Proxy.__getattr__` keeps the last name it was asked for in the proxy, so that a bound method kept
    over a second look-up calls the second one's target.
    """

    def __init__(self, owner: Any, name: str) -> None:
        self._owner = owner
        self.__name__ = name
        self.__doc__ = getattr(owner.SMProxy, name).__doc__

    def __call__(self, *args: Any) -> Any:
        return getattr(self._owner, self.__name__)(*args)


class Wire(Connection):
    """One end of the connection. Subclasses say how to wait and what to do with references."""

    pickle_refusal = "{} lives in another process and cannot be pickled"

    def __init__(self, sock: socket.socket, root: Any) -> None:
        self.service = root
        super().__init__(_Root(), Channel(SocketStream(sock), compress=False), _CONFIG)
        self._instance_classes: dict[tuple[str, int], type[Reference]] = {}
        # Number of the request that this side works on.
        self.answering = -1

    # -- what subclasses decide ------------------------------------------------------------------

    def mimebundle(self, reference: Reference) -> Any:
        """How a reference shows itself in a notebook; None for its repr."""
        return None

    def check_sendable(self, obj: Any) -> None:
        """Raise TypeError for an object that must not be sent as a reference."""

    def adopt(self, reference: Reference) -> Any:
        """Last word on a reference that has just arrived."""
        return reference

    def number_of(self, callback: Callable[[bool, Any], None]) -> int:
        """The number of the request that `callback` waits for."""
        return next((number for number, waiting in self._request_callbacks.items() if waiting is callback), -1)

    def request_later(self, reference: Reference, method: str) -> None:
        """Call a method of the other side's object and take no notice of the answer."""
        self._async_request(consts.HANDLE_CALLATTR, (reference, method, (), ()))

    # -- boxing ----------------------------------------------------------------------------------

    def _box(self, obj: Any) -> tuple[int, Any]:
        kind = type(obj)
        if kind is tuple:
            return consts.LABEL_TUPLE, tuple(self._box(item) for item in obj)
        if kind is list:
            return LIST, tuple(self._box(item) for item in obj)
        if kind is dict:
            return DICT, tuple((self._box(key), self._box(value)) for key, value in obj.items())
        if kind is set:
            return SET, tuple(self._box(item) for item in obj)
        if issubclass(kind, netref.BaseNetref):
            if object.__getattribute__(obj, "____conn__") is not self:
                raise TypeError("this object belongs to a ParaView process that has ended")
            return consts.LABEL_LOCAL_REF, object.__getattribute__(obj, "____id_pack__")
        if kind is RemoteMethod:
            return self._box(obj.remote())
        if kind is numpy.ndarray and not obj.dtype.hasobject:
            return ARRAY, (obj.dtype.str, obj.shape, numpy.ascontiguousarray(obj).tobytes())
        if issubclass(kind, numpy.generic):
            return consts.LABEL_VALUE, obj.item()
        # Never isinstance on a stranger: that asks it for `__class__`, which some of ParaView's objects pass on.
        if hasattr(kind, "__fspath__"):
            return consts.LABEL_VALUE, os.fspath(obj)
        if brine.dumpable(obj):
            return consts.LABEL_VALUE, obj
        self.check_sendable(obj)
        pack = _id_pack(obj)
        self._local_objects.add(pack, obj)
        return consts.LABEL_REMOTE_REF, pack

    def _unbox(self, package: tuple[int, Any]) -> Any:
        label, value = package
        if label == LIST:
            return [self._unbox(item) for item in value]
        if label == DICT:
            return {self._unbox(key): self._unbox(item) for key, item in value}
        if label == SET:
            return {self._unbox(item) for item in value}
        if label == ARRAY:
            dtype, shape, data = value
            return numpy.frombuffer(bytearray(data), dtype=dtype).reshape(shape)
        unboxed = super()._unbox(package)
        return self.adopt(unboxed) if label == consts.LABEL_REMOTE_REF else unboxed

    def _netref_factory(self, id_pack: tuple[str, int, int]) -> Reference:
        name, class_id, instance_id = id_pack
        key = (name, class_id if instance_id else -class_id)
        cls = self._instance_classes.get(key)
        if cls is None:
            methods = frozenset(self.sync_request(consts.HANDLE_INSPECT, id_pack))
            special = {m: netref._make_method(m, None) for m in methods if m[:2] == m[-2:] == "__"}
            module, _, short = name.rpartition(".")
            cls = type(short, (Reference,), {"__slots__": (), "__module__": module, **special})
            cls._methods = methods - set(special)
            self._instance_classes[key] = cls
        return cls(self, id_pack)

    # -- requests of the other side --------------------------------------------------------------

    def _dispatch_request(self, seq: int, raw_args: tuple[int, Any]) -> None:
        # As rpyc does it, but an answer that cannot be sent is an exception for the one who asked, not for this loop.
        handler, args = raw_args
        self.answering = seq
        try:
            answer = self._box(self._HANDLERS[handler](self, *self._unbox(args)))
        except BaseException as error:  # noqa: BLE001 - all of it belongs to the other side
            self._send(consts.MSG_EXCEPTION, seq, self._box_exc(type(error), error, error.__traceback__))
        else:
            self._send(consts.MSG_REPLY, seq, answer)

    def _handle_getroot(self) -> Any:
        return self.service

    def _handle_inspect(self, id_pack: tuple[str, int, int]) -> tuple[str, ...]:
        obj = self._local_objects[id_pack]
        classes = [*type(obj).__mro__, *(obj.__mro__ if isinstance(obj, type) else ())]
        names = {n for cls in classes[:-1] for n, attribute in vars(cls).items() if inspect.isroutine(attribute)}
        return tuple(names - netref.LOCAL_ATTRS)

    def _handle_instancecheck(self, cls: Any, obj: Any) -> bool:
        return isinstance(obj, cls)

    def _handle_del(self, obj: Any, count: int = 1) -> None:
        self._local_objects.decref(_id_pack(obj), count)

    def _handle_getattr(self, obj: Any, name: str) -> Any:
        value = getattr(obj, name)
        if type(value) is types.MethodType and value.__name__ == "__ConvertArgumentsAndCall":
            return FreshMethod(obj, name) if hasattr(obj, "SMProxy") else value
        return value

    def _handle_callattr(self, obj: Any, name: str, args: Any, kwargs: Any = ()) -> Any:
        return getattr(obj, name)(*args, **dict(kwargs))

    def _box_exc(self, typ: Any, val: Any, tb: Any) -> Any:
        # The frames of the wire itself tell a user nothing.
        while tb is not None and tb.tb_next is not None and tb.tb_frame.f_code.co_filename in _OWN_FILES:
            tb = tb.tb_next
        return super()._box_exc(typ, val, tb)

    def _unbox_exc(self, raw: Any) -> Any:
        error = super()._unbox_exc(raw)
        if isinstance(error, BaseException):
            # rpyc makes the class inside a function; its name in a traceback should be the plain one.
            type(error).__qualname__ = type(error).__name__
        return error


def is_function(reference: Any) -> bool:
    """Whether a reference stands for a plain function or a bound method."""
    pack = object.__getattribute__(reference, "____id_pack__")
    return pack[0] in {f"builtins.{kind.__name__}" for kind in _FUNCTIONS} | {"functools.partial"}


def is_plain_function(obj: Any) -> bool:
    """Whether this side may lend it to the other as a function."""
    return isinstance(obj, (*_FUNCTIONS, functools.partial))


def call_later(reference: Any, args: tuple[Any, ...], done: Callable[[bool, Any], None]) -> None:
    """Ask the other side to call a function there; `done(failed, result)` follows when it has."""
    wire = object.__getattribute__(reference, "____conn__")
    wire._async_request(consts.HANDLE_CALL, (reference, args, ()), done)


class _Root(VoidService):
    """rpyc wants a service to say goodbye to."""

    def on_disconnect(self, conn: Any) -> None: ...


def _id_pack(obj: Any) -> tuple[str, int, int]:
    # Never by getattr on the object: asking a ParaView proxy for an attribute changes its state.
    cls = type(obj)
    if isinstance(obj, type):
        return f"{obj.__module__}.{obj.__name__}", id(obj), 0
    return f"{cls.__module__}.{cls.__name__}", id(cls), id(obj)


_OWN_FILES = frozenset(
    str(sys.modules[module].__file__) for module in (__name__, Connection.__module__, netref.__name__)
)
