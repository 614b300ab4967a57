"""Who has changed what: the file, and the run that follows it."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvlink.insitu import provenance
from pvlink.insitu.parameters import Refused, declared
from pvlink.insitu.provenance import Provenance

pytestmark = pytest.mark.insitu

PARAMETERS = declared({"F": (0.0, 0.1, 0.04), "n": (0, 10)})


def change(step: int, name: str, new: float, who: str = "ann") -> dict[str, Any]:
    return {"step": step, "time": step / 10, "name": name, "old": 0.0, "new": new, "who": who}


def log(folder: Path, *lines: object) -> str:
    path = folder / "steering.jsonl"
    path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines))
    return str(path)


def replayed(folder: Path, *lines: object) -> Provenance:
    return Provenance(None, log(folder, *lines), PARAMETERS)


# -- writing ---------------------------------------------------------------------------------------


def test_a_run_in_which_nothing_is_changed_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one = Provenance(None, None, PARAMETERS)
    one.write([])

    assert one.path is None
    assert list(tmp_path.iterdir()) == []


def test_each_change_is_a_line_with_the_moment(tmp_path: Path) -> None:
    one = Provenance(str(tmp_path / "log.jsonl"), None, PARAMETERS)
    one.write([change(3, "F", 0.05), change(3, "n", 4)])
    one.write([change(7, "F", 0.06, "Bob\nBüttner \ud800")])

    assert one.path == tmp_path / "log.jsonl"
    lines = [json.loads(line) for line in one.path.read_text(encoding="utf-8").split("\n")[:-1]]
    assert [(line["step"], line["name"], line["new"]) for line in lines] == [
        (3, "F", 0.05),
        (3, "n", 4),
        (7, "F", 0.06),
    ]
    assert lines[2]["who"] == "Bob\nBüttner \ud800"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", line["when"]) for line in lines)


def test_a_change_is_in_the_file_at_once(tmp_path: Path) -> None:
    one = Provenance(str(tmp_path / "log.jsonl"), None, PARAMETERS)
    for step in range(5):
        one.write([change(step, "F", 0.05)])

        assert (tmp_path / "log.jsonl").read_text().count("\n") == step + 1


def test_without_a_name_the_file_has_that_of_the_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one = Provenance(None, None, PARAMETERS)
    one.write([change(1, "F", 0.05)])
    monkeypatch.chdir("/")
    one.write([change(2, "F", 0.06)])

    (file,) = tmp_path.iterdir()
    assert re.fullmatch(r"steering-\d{8}-\d{6}\.jsonl", file.name)
    assert (one.path, file.read_text().count("\n")) == (file, 2)


def test_what_is_there_already_is_kept(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"step": 1}\n')
    Provenance(str(tmp_path / "log.jsonl"), None, PARAMETERS).write([change(2, "F", 0.05)])

    assert (tmp_path / "log.jsonl").read_text().count("\n") == 2


def test_a_file_that_cannot_be_written_costs_the_log_and_not_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = Provenance(str(tmp_path / "nowhere" / "log.jsonl"), None, PARAMETERS)
    one.write([change(1, "F", 0.05)])

    said = capsys.readouterr()
    assert said.err == f"pvlink: {tmp_path}/nowhere/log.jsonl cannot be written: No such file or directory\n"
    assert said.out == ""

    (tmp_path / "nowhere").mkdir()
    one.write([change(2, "F", 0.05)])
    assert (tmp_path / "nowhere" / "log.jsonl").read_text().count("\n") == 1


def test_that_it_cannot_be_written_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    one = Provenance("/dev/full", None, PARAMETERS)
    for step in range(5):
        one.write([change(step, "F", 0.05)])

    assert capsys.readouterr().err.count("No space left on device") == 1


def test_a_folder_that_is_gone_costs_the_log_and_not_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with monkeypatch.context() as there:
        there.chdir(folder)
        folder.rmdir()

        Provenance("log.jsonl", None, PARAMETERS).write([change(1, "F", 0.05)])


# -- following -------------------------------------------------------------------------------------


def test_what_one_run_has_logged_another_one_follows(tmp_path: Path) -> None:
    first = Provenance(str(tmp_path / "log.jsonl"), None, PARAMETERS)
    first.write([change(3, "F", 0.05), change(3, "n", 4, "Bob")])
    first.write([change(7, "F", 0.06)])

    second = Provenance(None, str(tmp_path / "log.jsonl"), PARAMETERS)

    due = {step: second.due(step) for step in range(10)}
    assert {step: changes for step, changes in due.items() if changes} == {
        3: [({"F": 0.05}, "ann"), ({"n": 4}, "Bob")],
        7: [({"F": 0.06}, "ann")],
    }
    assert type(due[3][1][0]["n"]) is int


def test_without_a_file_nothing_is_due() -> None:
    assert Provenance(None, None, PARAMETERS).due(1 << 40) == []


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 10)), max_size=20), st.lists(st.integers(0, 5), max_size=20)
)
def test_each_change_is_made_once_and_not_too_early(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], strides: list[int]
) -> None:
    one = replayed(tmp_path_factory.mktemp("log"), *(change(step, "n", new) for step, new in changes))
    step, made = 0, []
    for stride in (*strides, 100):
        step += stride
        made += [(step, values["n"]) for values, _ in one.due(step)]

    # Those of one step in their order: the last one counts.
    assert [new for _, new in made] == [new for _, new in sorted(changes, key=lambda each: each[0])]
    assert all(at >= due for (at, _), (due, _) in zip(made, sorted(changes, key=lambda each: each[0]), strict=True))


def test_a_log_that_somebody_has_written_by_hand_needs_no_more_than_it_needs(tmp_path: Path) -> None:
    one = replayed(tmp_path, {"step": 2, "name": "F", "new": 0})

    assert one.due(2) == [({"F": 0.0}, "")]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "it is no change that was logged"),
        ("step 3: F = 0.05", "it is no change that was logged"),
        ('{"step": 3, "name": "F", "new": 0.0', "it is no change that was logged"),
        ("null", "it is no change that was logged"),
        ("[]", "it is no change that was logged"),
        ("3", "it is no change that was logged"),
        ({"step": 3, "name": "F"}, "it is no change that was logged"),
        ({"name": "F", "new": 0.05}, "it is no change that was logged"),
        ({"step": None, "name": "F", "new": 0.05}, "it is no change that was logged"),
        ({"step": "soon", "name": "F", "new": 0.05}, "it is no change that was logged"),
        ({"step": math.nan, "name": "F", "new": 0.05}, "it is no change that was logged"),
        ({"step": 3, "name": "F", "new": 0.5}, "F = 0.5 is out of its range"),
        ({"step": 3, "name": "F", "new": "0.05"}, "F is a number"),
        ({"step": 3, "name": "F", "new": math.nan}, "F is a number"),
        ({"step": 3, "name": "n", "new": 0.5}, "n is a whole number"),
        ({"step": 3, "name": "G", "new": 0.5}, "has no parameter 'G'"),
        ({"step": 3, "name": None, "new": 0.5}, "has no parameter 'None'"),
    ],
    ids=str,
)
def test_a_line_that_does_not_fit_is_refused_with_its_number_before_the_run(
    tmp_path: Path, line: object, why: str
) -> None:
    with pytest.raises(Refused) as error:
        replayed(tmp_path, change(1, "F", 0.05), line, change(9, "F", 0.05))

    assert str(error.value).startswith(f"{tmp_path}/steering.jsonl, line 2: ")
    assert why in str(error.value)


def test_a_log_that_is_not_there_is_an_error_of_the_disks(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Provenance(None, str(tmp_path / "log.jsonl"), PARAMETERS)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=60) | st.fixed_dictionaries({}, optional={
    "step": st.integers() | st.none() | st.text(max_size=3) | st.booleans(),
    "name": st.sampled_from(["F", "n"]) | st.text(max_size=3),
    "new": st.floats() | st.integers() | st.none() | st.text(max_size=3),
    "who": st.none() | st.text(st.characters(codec="utf-8"), max_size=3),
}).map(json.dumps))  # fmt: skip
def test_a_log_is_followed_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    path.write_text(text, encoding="utf-8")
    try:
        found = provenance._read(path, PARAMETERS)
    except Refused:
        return

    for _, changed, _ in found:
        assert PARAMETERS.checked(changed) == changed


def test_a_step_that_never_comes_is_refused_like_any_other_nonsense(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        replayed(tmp_path, {"step": math.inf, "name": "F", "new": 0.05})


def test_what_is_no_text_is_refused_like_any_other_nonsense(tmp_path: Path) -> None:
    path = tmp_path / "grid.vti"
    path.write_bytes(b"\xff\xfe\0\x80")

    with pytest.raises(Refused):
        Provenance(None, str(path), PARAMETERS)
