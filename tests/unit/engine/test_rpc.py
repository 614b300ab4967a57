"""Objects of one Python, used from another."""

from __future__ import annotations

import enum
import functools
import gc
import pickle
import threading
from collections import OrderedDict, namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pvlink.engine.rpc import Reference, RemoteMethod
from tests.unit.engine.pair import Lost, Pair


class Thing:
    """Has a docstring."""

    def __init__(self, name: str = "thing") -> None:
        self.name = name
        self.entered: list[Any] = []

    def shout(self, times: int = 1, *, mark: str = "!") -> str:
        """Say it louder."""
        return self.name.upper() + mark * times

    def fail(self) -> None:
        raise ValueError("the thing broke")

    def __eq__(self, other: object) -> Any:
        return self.name == other.name if type(other) is Thing else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    def __len__(self) -> int:
        return len(self.name)

    def __getitem__(self, index: Any) -> str:
        return self.name[index]

    def __repr__(self) -> str:
        return f"<Thing {self.name}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        self.entered.append((kind, str(error)))
        return isinstance(error, KeyError)


class Vector(np.ndarray):
    """An array that is more than its numbers, as ParaView's VTKArray is."""


class Desk:
    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}
        self.got: Any = None

    def echo(self, value: Any) -> Any:
        return value

    def keep(self, value: Any) -> str:
        self.got = value
        return f"{type(value).__module__}.{type(value).__name__}"

    def make(self, name: str = "thing") -> Thing:
        return Thing(name)

    def one(self, name: str) -> Thing:
        return self.things.setdefault(name, Thing(name))

    def thing_class(self) -> type[Thing]:
        return Thing

    def vector(self, size: int) -> Any:
        return np.arange(float(size)).view(Vector)

    def call(self, function: Any, *args: Any) -> Any:
        return function(*args)

    def open(self, name: str) -> None:
        Path(name).open().close()

    def is_thing(self, thing: Any) -> bool:
        return type(thing) is Thing

    def cannot_be_sent(self) -> Any:
        raise_later = "\udcff" * 3
        return {raise_later: 10**5000}

    def deep(self) -> Any:
        nested: Any = []
        for _ in range(100_000):
            nested = [nested]
        return nested


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    one = Pair(Desk())
    yield one
    one.close()


def held(pair: Pair) -> int:
    """How many objects the engine keeps for the kernel."""
    return len(pair.engine._local_objects._dict)


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**200), max_value=2**200)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters())
    | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.tuples(st.integers(), st.text()), inner)
        | st.sets(st.text() | st.integers() | st.tuples(st.booleans(), st.text()))
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(value=PLAIN)
def test_plain_data_comes_back_as_it_went(pair: Pair, value: Any) -> None:
    back = pair.desk.echo(value)
    assert back == value
    assert type(back) is type(value)


ARRAYS = hnp.arrays(
    dtype=hnp.scalar_dtypes() | hnp.unicode_string_dtypes() | hnp.byte_string_dtypes() | hnp.array_dtypes(),
    shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
)


@settings(max_examples=200, deadline=None)
@given(array=ARRAYS, order=st.sampled_from(["as it is", "Fortran", "every second"]))
def test_arrays_of_every_kind_come_back(pair: Pair, array: Any, order: str) -> None:
    if order == "Fortran":
        array = np.asfortranarray(array)
    elif order == "every second" and array.ndim:
        array = array[::2]
    back = pair.desk.echo(array)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable
    assert back.flags.owndata or back.base is not None


@settings(max_examples=100, deadline=None)
@given(dtype=hnp.integer_dtypes() | hnp.unsigned_integer_dtypes() | hnp.floating_dtypes() | hnp.boolean_dtypes())
def test_a_numpy_number_is_a_number(pair: Pair, dtype: Any) -> None:
    back = pair.desk.echo(np.ones((), dtype)[()])
    assert back == 1
    assert isinstance(back, int | float | np.ndarray)


def test_a_large_array_comes_and_goes_whole(pair: Pair) -> None:
    array = np.arange(2_000_000, dtype="f8")
    assert np.array_equal(pair.desk.echo(array), array)


class Colour(enum.IntEnum):
    RED = 3


class Mode(enum.StrEnum):
    FAST = "fast"


Point = namedtuple("Point", "x y")  # noqa: PYI024 - what users write


@pytest.mark.parametrize(
    ("value", "kind", "arrives"),
    [
        (Colour.RED, "builtins.int", 3),
        (Mode.FAST, "builtins.str", "fast"),
        (Point(1, 2), "builtins.tuple", (1, 2)),
        (OrderedDict(a=1), "builtins.dict", {"a": 1}),
        (range(3), "builtins.list", [0, 1, 2]),
        ({"a": 1}.keys(), "builtins.list", ["a"]),
        ({"a": 1}.items(), "builtins.list", [("a", 1)]),
        ((n * n for n in range(3)), "builtins.list", [0, 1, 4]),
        (map(str, [1, 2]), "builtins.list", ["1", "2"]),
        (frozenset({"a"}), "builtins.frozenset", {"a"}),
        (frozenset({np.int64(4)}), "builtins.set", {4}),
        (Path("/tmp/a b"), "builtins.str", "/tmp/a b"),
        (bytearray(b"ab"), "builtins.bytes", b"ab"),
        (memoryview(b"ab"), "builtins.bytes", b"ab"),
        (np.array([1, "a", None], dtype=object), "builtins.list", [1, "a", None]),
        (np.float32(0.5), "builtins.float", 0.5),
        (np.str_("é"), "builtins.str", "é"),
        (slice(1, None, 2), "builtins.slice", slice(1, None, 2)),
        (Ellipsis, "builtins.ellipsis", Ellipsis),
        (2**2000, "builtins.int", 2**2000),
        ("file-\udcff.vtk", "builtins.str", "file-\udcff.vtk"),
        (np.int8, "builtins.str", "|i1"),
        (np.dtype(float), "builtins.str", "<f8"),
        (float, "builtins.str", "<f8"),
        (np.ma.masked_array([1, 2]), "numpy.ndarray", None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_arrive_as_the_plain_kind_they_are(pair: Pair, value: Any, kind: str, arrives: Any) -> None:
    assert pair.desk.keep(value) == kind
    if arrives is not None:
        assert pair.engine.service.got == arrives


class Series:
    """As a column of a table: an array by protocol."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array([1.5, 2.5])


def test_what_numpy_takes_for_an_array_is_sent_as_one(pair: Pair) -> None:
    assert pair.desk.keep(Series()) == "numpy.ndarray"


@pytest.mark.parametrize(
    "value",
    [object(), threading.Lock(), Thing, [object()], {"a": (object(),)}],
    ids=["an object", "a lock", "a class", "a list of objects", "a dict of tuples of objects"],
)
def test_what_cannot_be_sent_is_refused_with_what_can(pair: Pair, value: Any) -> None:
    before = held(pair)
    with pytest.raises(TypeError, match=r"cannot be sent .* numbers, strings, lists, .* numpy arrays"):
        pair.desk.echo(value)
    assert held(pair) == before
    assert pair.desk.echo(1) == 1


def test_an_answer_that_cannot_be_sent_is_an_exception_and_the_engine_lives(pair: Pair) -> None:
    with pytest.raises((ValueError, RecursionError)):
        pair.desk.cannot_be_sent()
    with pytest.raises(RecursionError):
        pair.desk.deep()
    assert pair.desk.echo("well") == "well"


def test_a_reference_is_the_same_object_on_its_way_back(pair: Pair) -> None:
    thing = pair.desk.one("a")
    assert isinstance(thing, Reference)
    assert pair.desk.is_thing(thing)
    assert pair.desk.echo(thing) is thing
    assert pair.desk.echo([thing, {"k": thing}]) == [thing, {"k": thing}]


def test_equality_and_hash_are_those_of_the_objects(pair: Pair) -> None:
    assert pair.desk.make("x") == pair.desk.make("x")
    assert pair.desk.make("x") != pair.desk.make("y")
    assert len({pair.desk.make("x"), pair.desk.make("x"), pair.desk.make("y")}) == 2
    assert {pair.desk.make("x"): 1}[pair.desk.make("x")] == 1


def test_comparing_with_what_cannot_be_sent_is_no_error(pair: Pair) -> None:
    thing = pair.desk.make()
    assert (thing == object()) is False
    assert (thing != object()) is True
    assert thing not in [object(), Thing()]
    assert thing != None  # noqa: E711 - users write it


def test_calls_attributes_items_and_length_reach_the_object(pair: Pair) -> None:
    thing = pair.desk.make("abc")
    assert thing.shout(2, mark="?") == "ABC??"
    assert (len(thing), thing[0], thing[1:], list(thing)) == (3, "a", "bc", ["a", "b", "c"])
    thing.name = "new"
    assert repr(thing) == "<Thing new>"
    assert str(thing) == "<Thing new>"
    assert f"{thing}" == "<Thing new>"
    del thing.name
    with pytest.raises(AttributeError, match="name"):
        _ = thing.name
    assert not hasattr(thing, "colour")
    assert "shout" in dir(thing)
    assert thing.__doc__ == "Has a docstring."


def test_a_method_is_described_without_a_round_trip_and_called_with_one(pair: Pair) -> None:
    thing = pair.desk.make()
    before = pair.kernel.calls
    method = thing.shout
    assert isinstance(method, RemoteMethod)
    assert method.__name__ == "shout"
    assert pair.kernel.calls == before
    method()
    assert pair.kernel.calls == before + 1
    assert method.__doc__ == "Say it louder."
    assert repr(method) == "<method shout of <Thing thing>>"


def test_a_class_is_a_class(pair: Pair) -> None:
    cls = pair.desk.thing_class()
    thing = cls("made here")
    assert isinstance(thing, cls)
    assert not isinstance(3, cls)
    assert not isinstance(Thing(), cls)
    assert type(thing).__name__ == "Thing"
    assert cls.__name__ == "Thing"


def test_with_blocks_tell_the_object_what_went_wrong(pair: Pair) -> None:
    thing = pair.desk.make()
    with thing as entered:
        entered.name = "entered"
    assert thing.name == "entered"
    with thing:
        _ = vars(Thing)["swallowed by the thing"]
    with pytest.raises(ZeroDivisionError), thing:
        _ = 1 / 0
    assert [message for _, message in thing.entered] == ["None", "'swallowed by the thing'", "division by zero"]


def test_an_exception_is_itself_and_says_where_it_came_from(pair: Pair) -> None:
    with pytest.raises(ValueError, match="the thing broke") as caught:
        pair.desk.make().fail()
    assert str(caught.value) == "the thing broke"
    assert repr(caught.value) == "ValueError('the thing broke')"
    (note,) = caught.value.__notes__
    assert "In ParaView's process" in note
    assert 'raise ValueError("the thing broke")' in note
    assert "pvlink/engine/rpc.py" not in note
    assert "rpyc" not in note
    assert pair.desk.echo(caught.value).args == ("the thing broke",)


def test_an_exception_about_an_object_without_repr_reaches_the_caller(pair: Pair) -> None:
    thing = pair.desk.make()
    del thing.name
    with pytest.raises(AttributeError, match="name"):
        repr(thing)
    with pytest.raises(FileNotFoundError, match="No such file") as caught:
        pair.desk.open("/nowhere")
    assert (caught.value.errno, caught.value.filename) == (2, "/nowhere")


def test_a_remote_array_gives_its_numbers_to_numpy(pair: Pair) -> None:
    vector = pair.desk.vector(5)
    assert isinstance(vector, Reference)
    before = pair.kernel.calls
    numbers = np.asarray(vector)
    assert pair.kernel.calls == before + 1
    assert type(numbers) is np.ndarray
    assert numbers.tolist() == [0, 1, 2, 3, 4]
    assert np.array(vector, dtype=np.int8).dtype == np.int8
    assert np.sqrt(vector).tolist() == np.sqrt(numbers).tolist()
    assert (np.ones(5) * vector).tolist() == numbers.tolist()
    assert np.asarray(vector + 1).tolist() == [1, 2, 3, 4, 5]
    assert (np.max(vector), vector[2], vector.mean()) == (4, 2, 2)
    assert np.concatenate([vector, [9]]).tolist() == [0, 1, 2, 3, 4, 9]
    with pytest.raises(ValueError, match="always a copy"):
        np.array(vector, copy=False)


def test_numpy_keeps_a_remote_object_that_is_no_array_as_it_is(pair: Pair) -> None:
    things = [pair.desk.make("a"), pair.desk.make("b")]
    array = np.array([pair.desk.thing_class(), None], dtype=object)
    assert array.shape == (2,)
    objects = np.empty(2, dtype=object)
    objects[:] = things
    assert list(objects) == things


def test_pickling_and_copying_are_refused_with_the_reason(pair: Pair) -> None:
    thing = pair.desk.make()
    for attempt in (pickle.dumps, functools.partial(pickle.dumps, protocol=2)):
        with pytest.raises(TypeError, match=r"Thing lives in ParaView's process .* SaveState"):
            attempt(thing)


def test_what_is_collected_here_is_released_there(pair: Pair) -> None:
    gc.collect()
    pair.desk.echo(0)
    before = held(pair)
    things = [pair.desk.make(str(n)) for n in range(50)]
    assert held(pair) == before + 50
    again = [pair.desk.echo(thing) for thing in things]
    del things
    gc.collect()
    pair.desk.echo(0)
    assert held(pair) == before + 50
    del again
    gc.collect()
    pair.desk.echo(0)
    assert held(pair) == before


def test_an_object_of_an_ended_session_is_refused_by_the_next() -> None:
    first, second = Pair(Desk()), Pair(Desk())
    try:
        old = first.desk.make()
        with pytest.raises(TypeError, match="was in a ParaView process that has ended"):
            second.desk.echo(old)
        assert old != second.desk.make()
        first.close()
        with pytest.raises(Lost):
            old.shout()
        assert second.desk.echo(1) == 1
    finally:
        first.close()
        second.close()


def test_threads_take_turns(pair: Pair) -> None:
    wrong: list[int] = []

    def work(name: str) -> None:
        thing = pair.desk.make(name)
        wrong.extend(
            n for n in range(100) if pair.desk.echo((name, n)) != (name, n) or thing.shout() != f"{name.upper()}!"
        )

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []


def test_an_answer_that_cannot_be_unpacked_does_not_stop_other_threads(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pvlink.engine.plain.unpack_array", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pair.desk.vector(3).__array__()
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(pair.desk.echo(5)), daemon=True)
    thread.start()
    thread.join(10)
    assert answers == [5]
