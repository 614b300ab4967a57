"""The public API, known by heart."""

from __future__ import annotations

import inspect
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pvlink
from pvlink import api, errors

SIGNATURES = {
    "attach": "(job: 'str') -> 'Job'",
    "doctor": "() -> 'Report'",
    "fetch": (
        "(source: 'Any', array: 'str | None' = None, *, "
        "at: \"Literal['points', 'cells', 'rows', 'field'] | None\" = None, **unknown: 'Any') -> 'Any'"
    ),
    "jobs": "() -> 'Panel'",
    "launch": ("(site: 'str | os.PathLike[str] | None' = None, *, inside: 'bool' = False, **options: 'Any') -> 'Job'"),
    "put": (
        "(obj: 'Any', *, name: 'str | None' = None, spacing: 'Sequence[float] | None' = None, "
        "origin: 'Sequence[float] | None' = None, vector: 'bool | None' = None, "
        "at: \"Literal['points', 'cells']\" = 'points', **unknown: 'Any') -> 'Any'"
    ),
    "session": "() -> 'Session | Inside | None'",
    "show": "(view: 'Any' = None, **options: 'Any') -> 'View'",
    "start": (
        "(pvpython: 'str | os.PathLike[str] | None' = None, *, on: 'Job | None' = None, display: 'str' = 'auto', "
        "role: 'Role | None' = None, "
        "direct: 'bool | str | None' = None, **unknown: 'Any') -> 'Session'"
    ),
    "stop": "() -> 'None'",
}
METHODS = {
    "Session": {
        "about": None,
        "active_view": "(self) -> 'Any'",
        "alive": None,
        "connect": "(self, where: 'str | os.PathLike[str] | asked.Offers', **options: 'Any') -> 'Server | Form'",
        "disconnect": "(self) -> 'None'",
        "files": None,
        "monitor": "(self, where: 'str | int' = 'localhost:22222') -> 'Simulation'",
        "open": None,
        "reconnect": "(self) -> 'Server'",
        "serve": "(self, ranks: 'int' = 1, **options: 'Any') -> 'Server'",
        "server": None,
        "ask": "(self, op: 'str', **facts: 'Any') -> 'dict[str, Any]'",
        "desk": None,
        "display": None,
        "found": None,
        "id": None,
        "open_door": "(self, wish: 'bool | str') -> 'None'",
        # For jobs.
        **dict.fromkeys(("follow", "label")),
        "picture": "(self, view: 'str', patience: 'float', since: 'float' = 0.0) -> 'bytes'",
        "restart": "(self) -> 'None'",
        "role": None,
        "save_state": "(self, path: 'str | os.PathLike[str]') -> 'None'",
        "stats": "(self, view: 'str') -> 'dict[str, Any]'",
        "stopped": None,
        "stop": "(self) -> 'None'",
        "view_id": "(self, obj: 'Any') -> 'str | None'",
        "watch": "(self, proxy: 'Any', width: 'int' = 0, height: 'int' = 0) -> 'str'",
    },
    "Job": {
        # For sessions and the command line.
        **dict.fromkeys(("can_extend", "connect_id", "dial", "hopeless", "keep", "left", "origin", "place")),
        **dict.fromkeys(("standing", "taken", "tell")),
        "cancel": "(self) -> 'None'",
        "extend": "(self, time: 'str | datetime.timedelta') -> 'datetime.timedelta | None'",
        "key": None,
        "label": None,
        "log": "(self, lines: 'int' = 40) -> 'str'",
        "nodes": None,
        "number": None,
        "remaining": None,
        "renew": "(self, **changes: 'Any') -> 'Job'",
        "resize": "(self, *, nodes: 'int | None' = None, **changes: 'Any') -> 'Job'",
        "sentence": None,
        "site": None,
        "state": None,
        "wait": "(self, timeout: 'float | None' = None) -> 'Job'",
        "words": None,
    },
    "Share": {
        "of": "(session: 'Session | Inside', view: 'str', **options: 'Any') -> 'Share'",
        "password": None,
        "revoke": "(self) -> 'None'",
    },
    "Server": {
        "address": None,
        "alive": None,
        "compression": None,
        "disconnect": "(self) -> 'None'",
        "memory": "(self) -> 'list[Rank]'",
        "ranks": None,
        "rendering": None,
        "rendering_why": None,
        "safety": None,
        "traffic": None,
    },
    "Simulation": {
        # For the panel, and the session.
        **dict.fromkeys(("begin_anew", "closed", "said")),
        **dict.fromkeys(("declared", "steers", "events", "log", "parameters")),
        **dict.fromkeys(("paused", "sources", "state", "step_number", "time")),
        "add": "(self, kind: 'str', name: 'str', of: 'str', **properties: 'Any') -> 'None'",
        "change": "(self, name: 'str', **properties: 'Any') -> 'None'",
        "close": "(self) -> 'None'",
        "extract": "(self, name: 'str') -> 'Any'",
        "follow": "(self, *quantities: 'str') -> 'None'",
        "forget": "(self, condition: 'int') -> 'None'",
        "history": "(self, text: 'str') -> 'tuple[list[int], list[float], list[float]]'",
        "pause": "(self, *, stays: 'bool' = False) -> 'None'",
        "plot": "(self, *quantities: 'str') -> 'Chart'",
        "resume": "(self) -> 'None'",
        "run_until": (
            "(self, step: 'int | None' = None, time: 'float | None' = None, *, wait: 'bool' = True, "
            "timeout: 'float | None' = None) -> 'int'"
        ),
        "save_log": "(self, path: 'str | os.PathLike[str]') -> 'None'",
        "script": ("(self, path: 'str | os.PathLike[str] | None' = None, *, extracts: 'str' = 'extracts') -> 'str'"),
        "set": ("(self, at: 'int | None' = None, dry: 'bool' = False, /, **values: 'object') -> 'dict[str, Value]'"),
        "step": "(self, steps: 'int' = 1, *, timeout: 'float | None' = 60.0) -> 'int'",
        "view": "(self, name: 'str', **options: 'Any') -> 'View'",
        "when": "(self, condition: 'str', then: 'str' = 'pause') -> 'int'",
    },
    "View": {
        "close": "(self) -> 'None'",
        "pin": "(self, **options: 'Any') -> 'None'",
        "screenshot": "(self, path: 'str | Path | None' = None) -> 'bytes'",
        "share": "(self, **options: 'Any') -> 'Share'",
        "stats": None,
        "watching": None,
    },
}
ERRORS = [
    "DataError",
    "EngineLost",
    "EngineStartError",
    "JobError",
    "OptionError",
    "PvlinkError",
    "PvpythonNotFound",
    "ServerError",
    "ServerLost",
    "ShareError",
    "SimulationError",
    "StreamerLost",
    "ViewError",
]


def test_the_names_are_these() -> None:
    assert sorted(pvlink.__all__) == sorted([*SIGNATURES, *METHODS, *ERRORS, "__version__"])
    assert dir(pvlink) == sorted(pvlink.__all__)


@pytest.mark.parametrize("name", SIGNATURES)
def test_the_functions_take_these(name: str) -> None:
    assert str(inspect.signature(getattr(pvlink, name))) == SIGNATURES[name]
    assert getattr(pvlink, name).__doc__


@pytest.mark.parametrize(
    ("cls", "method"), [(cls, name) for cls, methods in METHODS.items() for name, said in methods.items() if said]
)
def test_the_methods_take_these(cls: str, method: str) -> None:
    function = getattr(getattr(pvlink, cls), method)
    assert str(inspect.signature(function)) == METHODS[cls][method]
    assert function.__doc__


@pytest.mark.parametrize("cls", METHODS)
def test_nothing_else_is_public(cls: str) -> None:
    own = vars(getattr(pvlink, cls))
    found = {name for name in own if not name.startswith("_")}
    traits = {"session", "view", "width", "height", "of"} if cls == "View" else set()
    assert found - traits <= set(METHODS[cls])


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'strat'"):
        _ = pvlink.strat


@pytest.mark.parametrize("order", list(itertools.permutations(["api", "sessions", "checkup", "simple", "view"], 2)))
def test_functions_are_functions_whatever_was_imported_before(order: tuple[str, ...]) -> None:
    imports = "\n".join(f"import pvlink.{module}" for module in order if module != "simple")
    code = (
        f"import pvlink\n{imports}\n"
        "assert all(callable(getattr(pvlink, n)) for n in ('session', 'doctor', 'show', 'start', 'stop'))\n"
        "assert pvlink.session() is None\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_importing_it_is_cheap_and_brings_nothing() -> None:
    heavy = {"numpy", "rpyc", "anywidget", "paraview"}
    code = f"import sys, pvlink; print(sorted({heavy} & {{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2], capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"


def test_the_errors_are_the_tree_in_the_docstring() -> None:
    assert errors.__doc__ is not None
    lines = [line.split() for line in errors.__doc__.splitlines()]
    drawn = ["PvlinkError"] if ["PvlinkError"] in lines else []
    drawn += [words[1] for words in lines if words and words[0][0] in "├└"]
    classes = {
        name: cls for name, cls in vars(errors).items() if inspect.isclass(cls) and cls.__module__ == "pvlink.errors"
    }
    assert drawn[0] == "PvlinkError"
    assert sorted(drawn) == sorted(classes) == ERRORS
    assert all(classes[name].__bases__[0] is errors.PvlinkError for name in drawn[1:])
    assert issubclass(errors.OptionError, TypeError)
    assert issubclass(errors.OptionError, ValueError)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"pvpthon": "x"},
            r"start\(\) has no option 'pvpthon'\. It takes: pvpython, on, display, role, direct\.",
        ),
        ({"direct": "node7:x"}, "direct='node7:x': it is True, or where browsers reach this machine"),
        ({"role": "admin"}, "role='admin': it is 'owner', 'control' or 'view'"),
        ({"display": "yes"}, r"display='yes': it is 'auto', 'own', 'none', or a display .* such as ':0'"),
        ({"display": "far.away:0"}, "a display of this machine"),
    ],
)
def test_an_option_that_does_not_exist_is_named_with_those_that_do(options: dict[str, Any], said: str) -> None:
    with pytest.raises(pvlink.OptionError, match=said):
        pvlink.start(**options)


@pytest.mark.trust
@pytest.mark.parametrize(
    ("found", "role"), [({}, "owner"), ({"VOILA_PREHEAT": "1"}, "view"), ({"VOILA_KERNEL_ID": "x"}, "view")]
)
def test_who_opens_a_dashboard_looks_unless_the_author_says_otherwise(
    found: dict[str, str], role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VOILA_PREHEAT", "VOILA_KERNEL_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    assert api._usual_role() == role


def test_without_a_session_what_needs_one_says_so() -> None:
    assert pvlink.session() is None
    pvlink.stop()
    with pytest.raises(pvlink.PvlinkError, match=r"No session runs\. Call pvlink\.start\(\) first"):
        pvlink.show()
