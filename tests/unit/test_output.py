"""What the engine prints, from memory instead of a pipe."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pvlink.output import CHUNK, MemoryFile, Output


@pytest.fixture
def file() -> Iterator[MemoryFile]:
    one = MemoryFile("test")
    yield one
    one.close()


def test_each_look_tells_what_is_new(file: MemoryFile) -> None:
    assert file.news() == ""
    os.write(file.fd, b"one")
    assert file.news() == "one"
    assert file.news() == ""
    os.write(file.fd, b"two")
    assert file.news() == "two"


def test_half_a_character_waits_for_its_other_half(file: MemoryFile) -> None:
    text = "aé€😀z".encode()
    said = ""
    for byte in text:
        os.write(file.fd, bytes([byte]))
        said += file.news()
    assert said == "aé€😀z"


def test_bytes_that_are_no_text_are_shown_as_such(file: MemoryFile) -> None:
    os.write(file.fd, b"a\xffb")
    assert file.news() == "a\ufffdb"


def test_a_writer_may_cut_it_to_nothing(file: MemoryFile) -> None:
    os.write(file.fd, b"old" * 100)
    file.news()
    os.ftruncate(file.fd, 0)
    assert file.news() == ""
    os.write(file.fd, b"new")
    assert file.news() == "new"


def test_its_tail_has_no_colours(file: MemoryFile) -> None:
    os.write(file.fd, b"x" * 5000 + "\x1b[31m(   1.2s) ERR| é is wrong\x1b[0m\n".encode())
    assert file.tail(40).endswith("(   1.2s) ERR| é is wrong")
    assert "\x1b" not in file.tail()
    assert len(file.tail(40)) <= 40
    assert MemoryFile("empty").tail() == ""


def test_a_flood_comes_whole_and_in_its_stream(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output()
    os.write(output.stdout.fd, b"o" * (CHUNK * 2 + 7))
    os.write(output.stderr.fd, b"e")
    output.show()
    output.show()
    said = capsys.readouterr()
    output.close()
    assert len(said.out) == CHUNK * 2 + 7
    assert said.err == "e"
