"""Memory and time, as people write them and Slurm reads them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.errors import OptionError
from pvlink.launchers import amounts


@pytest.mark.parametrize(
    ("text", "mebibytes"),
    [
        ("45G", 45 << 10),
        ("45M", 45),
        ("1.5T", 3 << 19),
        (" 90 gb ", 90 << 10),
        ("512MiB", 512),
        ("0.5g", 512),
    ],
)
def test_memory_is_a_number_and_its_unit(text: str, mebibytes: int) -> None:
    assert amounts.memory(text) == mebibytes


@pytest.mark.parametrize(
    "text", ["", "45", "45 K", "G", "-1G", "1e3G", "0M", "9999T", "45G\n\n#SBATCH", "\u0664\u0665G", None, 45, "1G2G"]
)
def test_what_is_no_memory_is_refused(text: Any) -> None:
    with pytest.raises(OptionError, match=r"^memory="):
        amounts.memory(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 5400),
        ("30:00", 1800),
        ("1:30", 90),
        ("1:30:00", 5400),
        ("1-12", 129600),
        ("2-00:30", 174600),
        ("2-01:02:03", 176523),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1d 2h", 93600),
        ("45s", 45),
        (datetime.timedelta(minutes=2), 120),
    ],
)
def test_a_time_is_as_slurm_reads_it(text: Any, seconds: int) -> None:
    assert amounts.duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "h", "1:2:3:4", "1:61", "1:61:00", "-5", "1-2-3", "400-0", "5 parsecs", None, 90, "1:30\n"]
)
def test_what_is_no_time_is_refused(text: Any) -> None:
    if text == "1:30\n":
        # Blanks around it are nothing.
        assert amounts.duration(text) == 90
        return
    with pytest.raises(OptionError, match=r"^time="):
        amounts.duration(text)


@given(st.integers(1, amounts.LONGEST))
def test_a_time_is_written_as_slurm_reads_it(seconds: int) -> None:
    assert amounts.duration(amounts.clock(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (45, "45 s"), (90, "1 min 30 s"), (5400, "1 h 30 min"), (86400, "1 d"), (90061, "1 d 1 h")],
)
def test_people_are_told_two_units(seconds: int, words: str) -> None:
    assert amounts.duration_words(seconds) == words


@pytest.mark.parametrize(
    ("text", "found"), [("any", (0, 0)), ("none", None), ("11111-11199", (11111, 11199)), ("4711-4711", (4711, 4711))]
)
def test_ports_are_two_or_a_word(text: str, found: tuple[int, int] | None) -> None:
    assert amounts.ports(text) == found


@pytest.mark.parametrize("text", ["", "11111", "80-90", "2000-1999", "1-70000", "a-b", "11111-"])
def test_what_are_no_ports_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match=r"^ports="):
        amounts.ports(text)


def test_people_are_told_memory_in_large_units() -> None:
    assert [amounts.memory_words(one) for one in (45, 46080, 3 << 19)] == ["45 MB", "45 GB", "1.5 TB"]
