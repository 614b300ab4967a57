"""The form of a server configuration: its fields, what it remembers, what Connect does and says."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from pvlink.errors import OptionError, ServerError
from pvlink.servers import pvsc, remembered
from pvlink.servers.address import parse
from pvlink.servers.commands import Command, Manual
from pvlink.servers.configuration import Configuration, Settled
from pvlink.servers.form import Form
from pvlink.servers.options import Boolean, Entry, Enumeration, File, Kind, Option, Password, Range, Set, String

pytestmark = pytest.mark.servers

CLUSTER = pvsc.read(Path(__file__).parents[2] / "data" / "servers" / "cluster.pvsc")
OSCAR = CLUSTER[0]
QUEUES = (Entry("a", "First"), Entry("b", "Second"), Entry("", ""))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is remembered yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "pvlink" / "servers.json"


def server(*options: Option, arguments: tuple[str, ...] = (), name: str = "s") -> Configuration:
    return Configuration(name, parse("node17"), Command("x", arguments), options)


def nothing(_: Settled) -> None: ...


def fields(form: Form) -> dict[str, Any]:
    return {name: field for name, (_, field) in form._fields.items()}


def shown(form: Form) -> str:
    """All that the form's widgets hold, and so all that a front end, and a saved notebook, gets."""
    found: list[str] = []
    unseen = [form._widget]
    while unseen:
        widget = unseen.pop()
        found.append(repr(widget.get_state()))
        unseen += getattr(widget, "children", ())
    return "\n".join(found)


def test_each_kind_has_its_field() -> None:
    found = {name: type(field).__name__ for name, field in fields(Form(OSCAR, nothing, version="5.11.0")).items()}

    assert found == {
        "ACCOUNT": "Text",
        "NODES": "BoundedIntText",
        "HOURS": "BoundedFloatText",
        "KEY": "Text",
        "GPU": "Checkbox",
        "QUEUE": "Dropdown",
        "VERSION": "Text",
        "PV_SERVER_PORT": "BoundedIntText",
    }


@pytest.mark.parametrize(
    ("kind", "traits"),
    [
        (Range(1, 64, 2, 8), {"value": 8, "min": 1, "max": 64, "step": 2}),
        (Range(0.25, 24, 0.25, 1.5, whole=False), {"value": 1.5, "min": 0.25, "max": 24, "step": 0.25}),
        (String("guest"), {"value": "guest"}),
        (File("/bin/ssh"), {"value": "/bin/ssh"}),
        (Boolean("yes", "yes", "no"), {"value": True}),
        (Boolean(None, "yes", "no"), {"value": False}),
        (Enumeration(QUEUES, "b"), {"value": "b", "options": (("First", "a"), ("Second", "b"), ("(nothing)", ""))}),
    ],
)
def test_a_field_has_default_and_bounds(kind: Kind, traits: dict[str, Any]) -> None:
    field = fields(Form(server(Option("A", kind)), nothing))["A"]

    assert {name: getattr(field, name) for name in traits} == traits


def test_labels_stand_beside_their_fields_and_what_is_set_is_not_shown() -> None:
    form = Form(
        Configuration("s", parse("h"), Command("x"), (Set("HIDDEN", "1"), Option("A", String(), "The name"))), nothing
    )

    assert list(fields(form)) == ["A"]
    assert "The name" in shown(form)
    assert "HIDDEN" not in shown(form)


def test_what_is_read_only_is_shown_and_cannot_be_changed() -> None:
    found = fields(Form(OSCAR, nothing, version="5.11.0"))

    assert found["VERSION"].disabled
    assert not found["ACCOUNT"].disabled


def test_connect_settles_what_is_filled_in() -> None:
    begun: list[Settled] = []
    form = Form(OSCAR, begun.append, version="5.11.0")
    filled = {"ACCOUNT": "a1", "NODES": 4, "GPU": False, "QUEUE": "debug"}
    for name, value in filled.items():
        fields(form)[name].value = value
    form._button.click()

    (settled,) = begun
    assert {name: settled.variables[name] for name in ("ACCOUNT", "NODES", "GPU", "QUEUE", "PV_VERSION")} == {
        "ACCOUNT": "a1",
        "NODES": "4",
        "GPU": "",
        "QUEUE": "debug",
        "PV_VERSION": "5.11",
    }
    # What was seen is what is used.
    assert settled.address.server.port == fields(form)["PV_SERVER_PORT"].value
    assert "Connected to Oscar (csrc://login.oscar.example.org:" in form.said


def test_a_connect_id_is_in_no_widget() -> None:
    begun: list[Settled] = []
    drawn, given = (
        Form(OSCAR, begun.append, version="5.11.0"),
        Form(OSCAR, begun.append, version="5.11.0", given={"PV_CONNECT_ID": 1234567890}),
    )
    drawn.press()
    given.press()

    assert begun[1].connect_id == 1234567890
    assert begun[0].connect_id is not None
    for form, settled in zip((drawn, given), begun, strict=True):
        assert str(settled.connect_id) not in shown(form)
        assert "PV_CONNECT_ID" not in shown(form)


def test_the_button_waits_while_it_connects() -> None:
    seen: list[tuple[bool, str]] = []
    form = Form(server(), lambda _: seen.append((form._button.disabled, form.said)))
    form.press()

    assert seen[0][0] is True
    assert "Connecting" in seen[0][1]
    assert form._button.disabled is False


def test_one_press_at_a_time() -> None:
    pressed: list[int] = []

    def again(_: Settled) -> None:
        pressed.append(1)
        form.press()

    form = Form(server(), again)
    form.press()

    assert pressed == [1]


def test_an_error_is_its_sentence_and_the_button_is_back() -> None:
    def fail(_: Settled) -> None:
        raise ServerError("node17 answered <nothing> for 10 s.")

    form = Form(server(), fail)
    form.press()

    assert "node17 answered &lt;nothing&gt; for 10 s." in form.said
    assert "error-color" in form.said
    assert not form._button.disabled


def test_a_value_that_is_not_right_is_said_before_anything_is_started() -> None:
    begun: list[Settled] = []
    form = Form(server(Option("A", String())), begun.append)
    fields(form)["A"].value = "a\nb"
    form.press()

    assert "has a line break" in form.said
    assert begun == []


def test_what_nobody_expected_is_said_and_raised() -> None:
    def fail(_: Settled) -> None:
        raise ZeroDivisionError("by zero")

    form = Form(server(), fail)
    with pytest.raises(ZeroDivisionError):
        form.press()

    assert "Not connected: ZeroDivisionError. by zero" in form.said
    assert not form._button.disabled


def test_where_the_user_starts_the_server_it_says_what_while_it_waits() -> None:
    said: list[str] = []
    form = Form(Configuration("s", parse("amber:2000"), Manual()), lambda _: said.append(form.said))
    form.press()

    assert "pvserver --server-port=2000    (on amber)" in said[0]
    assert "Connected to s (cs://amber:2000)." in form.said


def test_a_file_that_wants_a_password_is_explained_at_once() -> None:
    form = Form(server(Option("SECRET", Password())), nothing)

    assert "ssh-agent" in form.said
    assert form._button.disabled
    assert fields(form) == {}


def test_what_is_given_must_be_there() -> None:
    with pytest.raises(OptionError, match="'s' has no option 'A'"):
        Form(server(), nothing, given={"A": 1})


def test_it_shows_itself_in_a_cell() -> None:
    bundle = Form(server(), nothing)._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle

    assert "application/vnd.jupyter.widget-view+json" in data


def test_answers_are_there_the_next_time(home: Path) -> None:
    first = Form(OSCAR, nothing, version="5.11.0")
    fields(first)["ACCOUNT"].value = "a1"
    fields(first)["GPU"].value = False
    fields(first)["PV_SERVER_PORT"].value = 12345
    first.press()
    found = fields(Form(OSCAR, nothing, version="5.11.0"))

    assert (found["ACCOUNT"].value, found["GPU"].value) == ("a1", False)
    assert set(json.loads(home.read_text())["Oscar"]) == {"ACCOUNT", "NODES", "HOURS", "KEY", "GPU", "QUEUE"}
    assert stat.S_IMODE(home.stat().st_mode) == 0o600
    assert "12345" not in home.read_text()


def test_nothing_is_kept_of_what_did_not_connect(home: Path) -> None:
    def fail(_: Settled) -> None:
        raise ServerError("no")

    Form(OSCAR, fail).press()

    assert not home.exists()


def test_an_answer_that_is_not_right_any_more_is_forgotten(home: Path) -> None:
    Form(server(Option("A", Range(1, 99, default=50))), nothing).press()

    assert fields(Form(server(Option("A", Range(1, 9, default=5))), nothing))["A"].value == 5
    assert fields(Form(server(Option("A", Range(1, 60))), nothing))["A"].value == 50
    assert fields(Form(server(Option("A", Range(1, 99, default=7)), name="other"), nothing))["A"].value == 7
    assert fields(Form(server(Option("A", Range(1, 99, default=7), save=False)), nothing))["A"].value == 7


@pytest.mark.parametrize("content", ["", "{", "[]", '{"s": 5}', '{"s": {"A": 5}}', "\xff"])
def test_a_file_that_is_broken_is_none(home: Path, content: str) -> None:
    home.parent.mkdir(parents=True)
    home.write_bytes(content.encode("latin-1"))
    form = Form(server(Option("A", String("x"))), nothing)
    form.press()

    assert fields(form)["A"].value == "x"
    assert json.loads(home.read_text())["s"] == {"A": "x"}


def test_a_home_that_keeps_nothing_does_not_keep_one_from_connecting(home: Path) -> None:
    home.parent.parent.mkdir(exist_ok=True)
    home.parent.write_text("no folder")
    form = Form(server(Option("A", String("x"))), nothing)
    form.press()

    assert "Connected to s" in form.said


def test_of_very_many_servers_the_oldest_are_forgotten(home: Path) -> None:
    for number in range(remembered.MOST + 2):
        remembered.remember(f"s{number}", {"A": "x"})
    remembered.remember("s2", {"A": "y"})

    names = list(json.loads(home.read_text()))
    assert len(names) == remembered.MOST
    assert names[0] == "s3"
    assert names[-1] == "s2"
