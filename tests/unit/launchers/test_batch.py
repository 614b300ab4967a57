"""The script that a job runs, held against golden files; and that it runs, with nothing of ours installed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pvlink
from pvlink.errors import OptionError
from pvlink.launchers import batch, order, site
from tests.unit.launchers.test_order import PRICED

GOLDEN = Path(__file__).with_name("golden")
KEY = "20261128-0a1b2c3d"
SITES: dict[str, tuple[str, dict[str, Any]]] = {
    "srun": (PRICED, {"memory": "90G", "version": "5.11"}),
    "mpiexec": ("[slurm]\nnodes = 2\n[paraview]\nmpiexec = ['mpirun', '--bind-to', 'none']", {"ranks": 4, "nodes": 2}),
    "alone": (
        """
        [paraview]
        mpi = "none"
        display = "none"
        ports = "none"
        pvserver = "~/pv 5/bin/pvserver"
        python = ["~/py/bin/python"]
        setup = ["export GREETING='it is'"]
        [files]
        scratch = "/scratch/$USER"
        """,
        {},
    ),
}


def made(name: str) -> tuple[batch.Plan, str]:
    text, asked = SITES[name]
    settled = order.settle(site.read(text, "x.toml", "oscar"), **asked)
    plan = batch.plan(settled, KEY, "/home/ann")
    return plan, batch.script(settled, plan, {part: f"# {part}\n" for part in batch.PARTS})


@pytest.mark.parametrize("name", SITES)
def test_the_script_is_this_one(name: str) -> None:
    """`PVLINK_GOLDEN=1` writes it anew; read what that changed."""
    _, script = made(name)
    golden = GOLDEN / f"{name}.sh"
    if "PVLINK_GOLDEN" in os.environ:
        golden.write_text(script)
    assert script == golden.read_text()


@pytest.mark.parametrize("name", SITES)
def test_bash_takes_it(name: str) -> None:
    done = subprocess.run(["bash", "-n"], input=made(name)[1], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_more_ranks_than_a_site_can_start_are_refused() -> None:
    settled = order.settle(site.read("[paraview]\nmpi = 'none'", "x.toml", "small"), ranks=2)
    with pytest.raises(OptionError, match=r"ranks=2: small starts one rank only"):
        batch.plan(settled, KEY, "/home/ann")


def test_the_plan_has_no_secret() -> None:
    plan, script = made("srun")
    assert json.loads(plan.json())["launcher"] == ["srun", "--ntasks=2", "--kill-on-bad-exit=1", "--unbuffered"]
    assert "connect" not in plan.json()
    assert "connect-id" not in script


def test_every_part_is_there() -> None:
    for part in batch.PARTS:
        assert (Path(pvlink.__file__).parent / part).read_text()


def run(home: Path, setup: str = "", paraview: str = "") -> dict[str, object]:
    """The job's own word, after its script has run here."""
    lines = json.dumps([setup] if setup else [])
    text = f"[paraview]\nsetup = {lines}\nmpi = 'none'\n{paraview}\n[files]\nscratch = '$PVLINK_PLACE'"
    settled = order.settle(site.read(text, "x.toml", "x"), grace="1s")
    plan = batch.plan(settled, KEY, str(home))
    script = batch.script(settled, plan, {p: (Path(pvlink.__file__).parent / p).read_text() for p in batch.PARTS})
    subprocess.run(
        ["bash"],
        input=script,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": os.environ["PATH"], "PVLINK_PLACE": str(home)},
    )
    found: dict[str, object] = json.loads((Path(plan.place) / "status").read_text())
    return found


def test_it_needs_nothing_but_bash_and_a_python(tmp_path: Path) -> None:
    found = run(tmp_path, paraview="pvserver = '/bin/false'\ndisplay = 'none'")
    assert (found["key"], found["state"], found["why"]) == (KEY, "ended", "server:1")
    # What it took along is gone; what it said is there.
    assert sorted(one.name for one in (tmp_path / ".pvlink" / "jobs" / KEY).iterdir()) == [
        "job.log",
        "plan.json",
        "server.log",
        "status",
    ]
    assert list(tmp_path.glob("pvlink-*")) == []


@pytest.mark.parametrize("quote", ["'", '"', "\\", "$(touch ~/x)", "`id`", "%s%n"])
def test_a_name_is_a_name_whatever_is_in_it(tmp_path: Path, quote: str) -> None:
    program = json.dumps(f"/no{quote}where/pvserver")
    found = run(tmp_path, paraview=f"pvserver = {program}")
    assert (found["state"], found["why"]) == ("ended", "setup")
    assert f"There is no /no{quote}where/pvserver after" in str(found["said"])
    assert not (tmp_path / "x").exists()


@given(st.lists(st.text(max_size=20), max_size=3))
def test_setup_lines_are_lines(lines: list[str]) -> None:
    try:
        made_site = site.read(f"[paraview]\nsetup = {json.dumps(lines)}", "x.toml", "x")
    except OptionError:
        return
    settled = order.settle(made_site)
    script = batch.script(settled, batch.plan(settled, KEY, "/h"), dict.fromkeys(batch.PARTS, "#\n"))
    for line in lines:
        assert line in script.split("\n")
