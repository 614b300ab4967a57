"""Objects of one Python, used from another: the wire between kernel and engine. The only import of rpyc.

rpyc carries the requests; three things here differ from what it does by itself:

* **Plain data goes by value** in both directions: numbers, strings, lists, dicts, sets, arrays, exceptions. rpyc would
  send a list as a reference and ask back for each element, a round trip each, from a process that may be busy.
* **A class is inspected once**, not once per object, and a method call is one round trip instead of three.
* **No class is looked up by its name in `sys.modules`**: the kernel's `paraview` is the mirror itself, and the look-up
  would ask the mirror while the mirror asks the wire.
"""

from __future__ import annotations

import inspect
import socket
import sys
import types
from pathlib import Path
from typing import Any, Callable, ClassVar

import numpy
from rpyc.core import brine, consts, netref, vinegar
from rpyc.core.channel import Channel
from rpyc.core.protocol import Connection
from rpyc.core.service import VoidService
from rpyc.core.vinegar import GenericException

from pvlink.engine import plain
from pvlink.engine.method import FreshMethod
from pvlink.engine.pipe import Pipe
from pvlink.engine.plain import drained, is_plain_function

__all__ = ["GenericException", "Reference", "RemoteMethod", "Unsendable", "Wire", "drained", "is_plain_function"]

# Labels of what travels by value, after the four of rpyc.
LIST, DICT, SET, ARRAY, ERROR, TEXT = 11, 12, 13, 14, 15, 16
# Requests that look at no object's state.
FREE = (consts.HANDLE_PING, consts.HANDLE_CLOSE, consts.HANDLE_GETROOT, consts.HANDLE_DEL, consts.HANDLE_INSPECT)
# A request of ours, after those of rpyc.
HANDLE_ARRAY = 101

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
_FUNCTION_NAMES = frozenset(f"{kind.__module__}.{kind.__name__}" for kind in plain.FUNCTIONS)
# Asked for by IPython on every display, and by numpy, whose functions cannot be sent: it gets numbers; no round trip.
_LOCAL_PREFIXES = ("_repr_", "_ipython_", "__array_", "__mro_")


class Unsendable(TypeError):
    """An object that the other side cannot be given."""


class Reference(netref.BaseNetref):
    """Stands for an object on the other side."""

    __slots__ = ()
    # Names of the methods of the other side's class, filled per class.
    _methods: ClassVar[frozenset[str]] = frozenset()

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return type(self)
        if name.startswith(_LOCAL_PREFIXES) or name == "_methods":
            return object.__getattribute__(self, name)
        if name in type(self)._methods:
            return RemoteMethod(self, name)
        return super().__getattribute__(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith(_LOCAL_PREFIXES):
            raise AttributeError(name)
        return super().__getattr__(name)

    def __eq__(self, other: object) -> Any:
        # What cannot be sent is never equal, which is no error: `proxy in [mine, another]`.
        try:
            return super().__eq__(other)
        except Unsendable:
            return NotImplemented

    def __ne__(self, other: object) -> Any:
        try:
            return super().__ne__(other)
        except Unsendable:
            return NotImplemented

    __hash__ = netref.BaseNetref.__hash__

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """The numbers, by value; an object without any is itself the one element, as numpy has it."""
        if copy is False:
            raise ValueError("the numbers are in ParaView's process: an array of them is always a copy")
        array = netref.syncreq(self, HANDLE_ARRAY)
        if array is None:
            array = numpy.empty((), dtype=object)
            array[()] = self
        return array if dtype is None else array.astype(dtype)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> Any:
        return netref.syncreq(self, consts.HANDLE_CTXEXIT, error)

    def __reduce_ex__(self, protocol: Any) -> Any:
        wire: Wire = object.__getattribute__(self, "____conn__")
        raise TypeError(wire.pickle_refusal.format(type(self).__name__))

    def __mro_entries__(self, bases: Any) -> Any:
        raise TypeError(f"{self!r} is in another process: no class here can inherit from it. Observers may do instead.")

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


class Wire(Connection):
    """One end of the connection. Subclasses say how to wait and what to do with references."""

    pickle_refusal = "{} lives in another process and cannot be pickled"

    def __init__(self, sock: socket.socket, root: Any) -> None:
        self.service = root
        super().__init__(_Root(), Channel(Pipe(sock), compress=False), _CONFIG)
        # One thread reads at a time, by the kernel's turns and the engine's loop. rpyc's own lock for that stays taken
        # for good when an answer cannot be unpacked, or its reader is interrupted.
        self._recvlock = _NoLock()
        self._instance_classes: dict[tuple[str, int], type[Reference]] = {}

    # -- what subclasses decide ------------------------------------------------------------------

    def mimebundle(self, reference: Reference) -> Any:
        """How a reference shows itself in a notebook; None for its repr."""
        return None

    def stand_in(self, obj: Any) -> Any:
        """What to send for an object that is no plain data: itself, as a reference, or something else. May refuse."""
        return obj

    def adopt(self, reference: Reference) -> Any:
        """Last word on a reference that has just arrived."""
        return reference

    def vouch(self, handler: int, error: BaseException | None) -> BaseException | None:
        """Before an answer goes out: may raise in its place, and say what to answer instead of an error."""
        return None

    def stranger(self) -> Exception:
        """What to raise for a reference of another wire."""
        return Unsendable("this object belongs to a ParaView process that has ended")

    def number_of(self, callback: Callable[[bool, Any], None]) -> int:
        """The number of the request that `callback` waits for."""
        return next((number for number, waiting in self._request_callbacks.items() if waiting is callback), -1)

    def request_later(self, reference: Reference, method: str) -> None:
        """Call a method of the other side's object and take no notice of the answer."""
        self._async_request(consts.HANDLE_CALLATTR, (reference, method, (), ()))

    # -- boxing ----------------------------------------------------------------------------------

    def _box(self, obj: Any) -> tuple[int, Any]:
        kind = type(obj)
        if kind is str and not plain.is_clean(obj):
            return TEXT, obj.encode("utf-8", "surrogatepass")
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
                raise self.stranger()
            return consts.LABEL_LOCAL_REF, object.__getattribute__(obj, "____id_pack__")
        if kind is RemoteMethod:
            return self._box(obj.remote())
        if kind is numpy.ndarray and not obj.dtype.hasobject:
            return ARRAY, self._box(plain.pack_array(obj))
        if brine.dumpable(obj):
            return consts.LABEL_VALUE, obj
        if issubclass(kind, BaseException):
            return ERROR, self._box_exc(kind, obj, obj.__traceback__)
        other = plain.simpler(obj)
        if other is obj:
            other = self.stand_in(obj)
        if other is not obj:
            return self._box(other)
        pack = plain.id_pack(obj)
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
            return plain.unpack_array(*self._unbox(value))
        if label == ERROR:
            return self._unbox_exc(value)
        if label == TEXT:
            return value.decode("utf-8", "surrogatepass")
        unboxed = super()._unbox(package)
        return self.adopt(unboxed) if label == consts.LABEL_REMOTE_REF else unboxed

    def _netref_factory(self, id_pack: tuple[str, int, int]) -> Reference:
        name, class_id, instance_id = id_pack
        key = (name, class_id if instance_id else -class_id)
        cls = self._instance_classes.get(key)
        if cls is None:
            methods = frozenset(self.sync_request(consts.HANDLE_INSPECT, id_pack))
            dunder = {m for m in methods if m[:2] == m[-2:] == "__"}
            special = {m: netref._make_method(m, None) for m in dunder if not m.startswith(_LOCAL_PREFIXES)}
            module, _, short = name.rpartition(".")
            cls = type(short, (Reference,), {"__slots__": (), "__module__": module, **special})
            cls._methods = methods - dunder
            self._instance_classes[key] = cls
        return cls(self, id_pack)

    # -- requests of the other side --------------------------------------------------------------

    def _dispatch_request(self, seq: int, raw_args: tuple[int, Any]) -> None:
        # As rpyc does it, but an answer that cannot be sent is an exception for the one who asked, not for this loop.
        handler, args = raw_args
        try:
            answer = self._HANDLERS[handler](self, *self._unbox(args))
            self.vouch(handler, None)
            self._send(consts.MSG_REPLY, seq, self._box(answer))
        except BaseException as found:  # noqa: BLE001 - all of it belongs to the other side
            error = self.vouch(handler, found) or found
            self._send(consts.MSG_EXCEPTION, seq, self._box_exc(type(error), error, error.__traceback__))

    def _handle_getroot(self) -> Any:
        return self.service

    def _handle_inspect(self, id_pack: tuple[str, int, int]) -> tuple[str, ...]:
        obj = self._local_objects[id_pack]
        classes = [*type(obj).__mro__, *(obj.__mro__ if isinstance(obj, type) else ())]
        names = {n for cls in classes[:-1] for n, attribute in vars(cls).items() if inspect.isroutine(attribute)}
        return tuple(names - netref.LOCAL_ATTRS)

    def _handle_instancecheck(self, cls: Any, obj: Any) -> bool:
        return isinstance(obj, cls)

    @classmethod
    def _request_handlers(cls) -> Any:
        return {**super()._request_handlers(), HANDLE_ARRAY: cls._handle_array}

    def _handle_array(self, obj: Any) -> Any:
        array = numpy.asarray(obj)
        return None if array.dtype.hasobject else array

    def _handle_del(self, obj: Any, count: int = 1) -> None:
        self._local_objects.decref(plain.id_pack(obj), count)

    def _handle_getattr(self, obj: Any, name: str) -> Any:
        value = getattr(obj, name)
        if type(value) is types.MethodType and value.__name__ == "__ConvertArgumentsAndCall":
            return FreshMethod(obj, name) if hasattr(obj, "SMProxy") else value
        return value

    def _handle_callattr(self, obj: Any, name: str, args: Any, kwargs: Any = ()) -> Any:
        return getattr(obj, name)(*args, **dict(kwargs))

    def _box_exc(self, typ: Any, val: Any, tb: Any) -> Any:
        # The frames of the wire itself tell a user nothing.
        while tb is not None and tb.tb_next is not None and tb.tb_frame.f_code.co_filename.startswith(_OWN_FOLDERS):
            tb = tb.tb_next
        return super()._box_exc(typ, val, tb) if typ is StopIteration else plain.pack_error(typ, val, tb)

    def _unbox_exc(self, raw: Any) -> Any:
        error = super()._unbox_exc(raw)
        trace = getattr(error, "_remote_tb", "")
        if isinstance(error, BaseException):
            cls = type(error)
            # rpyc makes the class in a function, and appends the trace to the message.
            cls.__qualname__ = cls.__name__
            for name in ("__str__", "__repr__"):
                setattr(cls, name, getattr(cls.__bases__[0], name))
            if sys.version_info >= (3, 11) and "Traceback" in trace:
                error.add_note(f"In ParaView's process:\n{trace.rstrip()}")
        return error


def is_function(reference: Any) -> bool:
    """Whether a reference stands for a plain function or a bound method."""
    pack = object.__getattribute__(reference, "____id_pack__")
    return pack[0] in _FUNCTION_NAMES


def call_later(reference: Any, args: tuple[Any, ...], done: Callable[[bool, Any], None]) -> None:
    """Ask the other side to call a function there; `done(failed, result)` follows when it has."""
    wire = object.__getattribute__(reference, "____conn__")
    wire._async_request(consts.HANDLE_CALL, (reference, args, ()), done)


class _Root(VoidService):
    # rpyc wants a service to say goodbye to.
    def on_disconnect(self, conn: Any) -> None: ...


class _NoLock:
    def acquire(self, blocking: bool = True) -> bool:
        return True

    def release(self) -> None: ...


_OWN_FOLDERS = tuple(f"{Path(str(file)).absolute().parent}/" for file in (__file__, vinegar.__file__))
