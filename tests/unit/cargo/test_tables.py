"""pandas: columns of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pvlink import cargo
from pvlink.cargo import unpacked
from pvlink.cargo.manifest import Cargo, Options
from pvlink.errors import DataError, OptionError

pytestmark = pytest.mark.ways

pandas = pytest.importorskip("pandas")


def packed(obj: Any) -> Cargo:
    return cargo.pack(obj, Options("a"))


def back(obj: Any) -> Any:
    found = packed(obj)
    return unpacked.dataset(found.facts, found.arrays)


def test_numbers_and_texts_come_back() -> None:
    frame = pandas.DataFrame({"n": [1, 2], "x": [0.5, np.nan], "s": ["a", "ü"], "flag": [True, False]})
    found = back(frame)
    assert list(found.columns) == ["n", "x", "s", "flag"]
    assert found["n"].dtype == "i8"
    assert np.isnan(found["x"][1])
    assert list(found["s"]) == ["a", "ü"]
    assert list(found["flag"]) == [1, 0]


def test_dates_are_seconds_since_1970() -> None:
    dates = pandas.to_datetime(["1970-01-02", None])
    frame = pandas.DataFrame({"d": dates, "there": dates.tz_localize("Europe/Berlin"), "long": dates - dates[0]})
    found = back(frame)
    assert list(found.iloc[0]) == [86400, 82800, 0]
    assert found.iloc[1].isna().all()


def test_categories_are_what_they_stand_for_and_what_is_missing_is_no_number() -> None:
    frame = pandas.DataFrame(
        {
            "word": pandas.Categorical(["lo", "hi", None]),
            "number": pandas.Categorical([3, 1, 3]),
            "whole": pandas.array([1, None, 3], dtype="Int64"),
            "mixed": np.array([1, None, 2.5], dtype=object),
        }
    )
    found = back(frame)
    assert list(found["word"]) == ["lo", "hi", ""]
    assert list(found["number"]) == [3, 1, 3]
    assert np.isnan(found["whole"][1])
    assert np.isnan(found["mixed"][1])


def test_an_index_that_says_something_is_a_column() -> None:
    assert list(back(pandas.Series([1.0, 2.0], name="v")).columns) == ["v"]
    assert list(back(pandas.Series([1.0, 2.0], [5, 7], name="v")).columns) == ["index", "v"]
    pairs = pandas.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", None])
    assert list(back(pandas.DataFrame({"v": [1, 2]}, pairs)).columns) == ["k", "index1", "v"]


def test_names_are_texts_and_come_once() -> None:
    frame = pandas.DataFrame([[1, 2, 3]], columns=["a", "a", 7])
    assert list(back(frame).columns) == ["a", "a_2", "7"]
    assert list(back(pandas.DataFrame({("p", "mean"): [1.0]})).columns) == ["p_mean"]


def test_what_cannot_be_says_why() -> None:
    with pytest.raises(DataError, match="frame is empty"):
        packed(pandas.DataFrame({"a": []}))
    with pytest.raises(DataError, match=r"'o' holds Python objects \(a dict among them\)"):
        packed(pandas.DataFrame({"o": [{}, {}]}))
    with pytest.raises(OptionError, match="spacing= is for plain arrays"):
        cargo.pack(pandas.DataFrame({"a": [1]}), Options("a", spacing=(1.0, 1.0, 1.0)))
