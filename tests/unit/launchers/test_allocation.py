"""The job of Slurm's that a kernel is in, by what Slurm leaves in its environment."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.errors import OptionError
from pvlink.launchers import allocation, site
from pvlink.launchers.batch import plan, script
from pvlink.launchers.order import settle

pytestmark = pytest.mark.cluster

SET = {
    "SLURM_JOB_ID": "4711",
    "SLURM_JOB_NUM_NODES": "2",
    "SLURM_NODELIST": "n[0-1]",
    "SLURM_JOB_END_TIME": "100000",
    "SLURM_MEM_PER_NODE": "4096",
}


@pytest.mark.parametrize("set_", [{}, {"SLURM_JOB_ID": ""}, {"SLURM_JOB_ID": "x"}, {"SLURM_JOB_ID": "٣"}])
def test_without_a_number_there_is_none(set_: dict[str, str]) -> None:
    assert allocation.found(set_) is None


def test_it_is_said_for_people() -> None:
    found = allocation.found(SET)
    assert found is not None
    assert found.sentence(100000 - 1815) == "job 4711 (2 nodes, 30 min left)"
    bare = allocation.found({"SLURM_JOBID": "4711"})
    assert bare is not None
    assert bare.sentence(0) == "job 4711 (1 node)"


def test_a_site_inside_is_the_site_without_its_queue() -> None:
    oscar = site.read(
        "[ssh]\nhost = 'x'\n[slurm]\npartitions = ['gpu']\ngpus = 'gpu'\n[rule]\nper = '45G'\n"
        "[paraview]\nsetup = ['module load paraview']\n",
        "oscar.toml",
        "oscar",
    )
    inside = allocation.inside(oscar, allocation.found(SET))
    assert (inside.name, inside.scheduler, inside.ssh, inside.rule, inside.slurm.nodes) == (
        "oscar",
        "none",
        None,
        None,
        2,
    )
    assert inside.paraview.setup[0] == "export SLURM_JOB_ID='4711'"
    assert inside.paraview.setup[-1] == "module load paraview"
    order = settle(inside, ranks=4, nodes=2)
    assert order.memory * 2 >= 4096
    assert allocation.inside(oscar, None).scheduler == "none"


def test_time_is_what_is_left() -> None:
    found = allocation.found(SET)
    assert found is not None
    assert allocation.seconds(found, None, 99000) == 985
    assert allocation.seconds(found, 60, 99000) == 60
    with pytest.raises(OptionError, match=r"(985 s|16 min)"):
        allocation.seconds(found, 7200, 99000)
    with pytest.raises(OptionError):
        allocation.seconds(found, None, 100000)


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=60))
def test_whatever_slurm_has_set_it_stays_one_word(value: str) -> None:
    found = allocation.found({**SET, "SLURM_NODELIST": value})
    assert found is not None
    setup = allocation.inside(None, found).paraview.setup
    if value:
        line = next(line for line in setup if line.startswith("export SLURM_NODELIST="))
        assert shlex.split(line) == ["export", f"SLURM_NODELIST={value}"]


def test_the_script_tells_it_to_what_it_starts() -> None:
    inside = allocation.inside(None, allocation.found(SET))
    order = settle(inside)
    text = script(order, plan(order, "20260101-00000000", "/home/ann"), _parts())
    lines = [line for line in text.splitlines() if line.startswith("export SLURM_")]
    done = subprocess.run(["sh", "-c", "\n".join([*lines, "env"])], capture_output=True, text=True, check=True, env={})
    assert "SLURM_NODELIST=n[0-1]" in done.stdout
    assert "SLURM_OVERLAP=1" in done.stdout


def _parts() -> dict[str, str]:
    from pvlink.launchers.batch import PARTS

    return dict.fromkeys(PARTS, "pass\n")
