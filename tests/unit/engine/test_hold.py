"""Files in memory that hold arrays: any order, any kind, writable, and gone with the last array."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from pvlink.engine import hold

pytestmark = pytest.mark.ways

KINDS = st.sampled_from([f"{order}{kind}" for order in "<>" for kind in ("u1", "i2", "u4", "i8", "f4", "f8")])


def through_a_file(arrays: list[Any]) -> list[Any]:
    fd = os.memfd_create("test")
    return hold.read(fd, hold.write(fd, arrays))


def mappings() -> int:
    return Path("/proc/self/maps").read_text().count("memfd:test")


@st.composite
def turned(draw: st.DrawFn) -> Any:
    """An array that need not lie in one piece, nor in order."""
    array = draw(nps.arrays(draw(KINDS), nps.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)))
    order = draw(st.permutations(range(array.ndim)))
    steps = tuple(slice(None, None, draw(st.sampled_from([1, -1, 2]))) for _ in range(array.ndim))
    return array.transpose(order)[steps]


@given(st.lists(turned(), max_size=4))
def test_arrays_come_back_as_they_were(arrays: list[Any]) -> None:
    for before, after in zip(arrays, through_a_file(arrays), strict=True):
        assert before.shape == after.shape
        assert before.dtype.newbyteorder("=") == after.dtype
        assert np.ascontiguousarray(before).astype(after.dtype).tobytes() == after.tobytes()


def test_a_large_one_in_the_wrong_order_goes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "PIECE", 1 << 10)
    array = np.asfortranarray(np.arange(40_000, dtype="f4").reshape(40, 100, 10))
    assert (through_a_file([array])[0] == array).all()


def test_what_came_may_be_written_to_and_goes_with_the_last_array() -> None:
    kept, other = through_a_file([np.arange(5), np.arange(6.0)])
    kept += 1
    assert mappings() == 1
    del other
    gc.collect()
    assert mappings() == 1
    assert kept.tolist() == [1, 2, 3, 4, 5]
    del kept
    gc.collect()
    assert mappings() == 0


def test_each_begins_at_a_multiple_of_64_bytes() -> None:
    fd = os.memfd_create("test")
    layout = hold.write(fd, [np.zeros(3, "u1"), np.zeros(0), np.zeros(100), np.zeros(1)])
    os.close(fd)
    assert all(begin % 64 == 0 for _, _, begin in layout)
