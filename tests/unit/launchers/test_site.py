"""A site's file: read, refused, written."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.errors import OptionError
from pvlink.launchers import site, sitefile

OSCAR = """
title = "Oscar"
[slurm]
partitions = ["gpu", "gpu-he"]
account = "geo"
gpus = "gpu:a100"
time = "2:00:00"
longest = "2-00:00:00"
memory = "45G"
nodes = 4
extra = ["--nice=100"]
[rule]
per = "45G"
gpus = 1
most = 4
[paraview]
setup = ["module purge", "module load paraview"]
mpi = "srun"
[paraview.versions."5.11"]
setup = ["module load paraview/5.11.0"]
pvserver = "/opt/paraview/bin/pvserver"
"""


def test_a_site_says_what_it_says_and_the_rest_is_as_usual() -> None:
    found = site.read(OSCAR, "oscar.toml", "oscar")
    assert (found.name, found.title, found.scheduler) == ("oscar", "Oscar", "slurm")
    assert found.slurm.partitions == ("gpu", "gpu-he")
    assert found.rule == site.Rule("45G", cores=1, gpus=1, most=4)
    assert found.paraview.versions["5.11"].setup == ("module load paraview/5.11.0",)
    assert (found.files.scratch, found.end.grace) == ("/tmp", "10m")


def test_a_site_is_written_as_it_is_read() -> None:
    found = site.read(OSCAR, "oscar.toml", "oscar")
    assert site.read(sitefile.written(found), "again", "oscar") == found
    # What is as usual is not said.
    assert "grace" not in sitefile.written(found)


def test_nothing_is_a_site_too() -> None:
    assert site.read("", "here.toml", "here") == site.Site(name="here")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "walltime = 3",
            "no key 'walltime'. It has: title, scheduler, ssh, slurm, rule, paraview, engine, files, end, mail.",
        ),
        ("[slurm]\npartition = 'gpu'", "slurm has no key 'partition'. It has: partitions, account,"),
        ('[paraview.versions."5.11"]\nmodule = "x"', "paraview.versions.\"5.11\" has no key 'module'. It has: setup,"),
        ("[paraview.versions.newest]", "'newest' is no version"),
        ("scheduler = 'pbs'", "scheduler: 'pbs' is none of 'slurm', 'none'."),
        ("[paraview]\nmpi = 'aprun'", "paraview.mpi: 'aprun' is none of 'mpiexec', 'srun', 'none'."),
        ("slurm = 3", "slurm: expected table, got int."),
        ("[slurm]\npartitions = 'gpu'", "slurm.partitions: expected list, got str."),
        ("[slurm]\nnodes = 0", "slurm.nodes: expected int >= 1."),
        ("[rule]\ncores = 1", "missing required field per"),
        ("[rule]\nper = '45'", "rule.per='45': it is a number and its unit, such as \"90G\""),
        ("[rule]\nper = '45G'\ngpus = 1", "rule.gpus: how Slurm calls them is not said"),
        ("[slurm]\ntime = 'long'", "slurm.time='long'"),
        ("[slurm]\ntime = '2h'\nlongest = '1h'", "slurm.longest='1h': it is shorter than slurm.time, '2h'."),
        ('[slurm]\naccount = "a\\nb"', "slurm.account='a\\nb': the character '\\n' may not be in it."),
        ("[slurm]\nqos = '--wrap=x'", "slurm.qos='--wrap=x'"),
        ('[paraview]\nsetup = ["module load x\\u0007"]', "paraview.setup="),
        ("[paraview]\npvserver = '-rf'", "paraview.pvserver='-rf'"),
        ("[files]\nscratch = '~root/x'", "files.scratch='~root/x'"),
        ("[end]\ngrace = 'never'", "grace='never'"),
        ("[ssh]\nuser = 'ann'", "missing required field host"),
        ("[ssh]\nhost = '-oProxyCommand=x'", "ssh: '-oProxyCommand=x' is no name of a host or user"),
        ("[ssh]\nhost = 'a'\nways = ['telnet']", "ssh.ways[0]: 'telnet' is none of 'direct', 'socket', 'jump'."),
        ("[ssh]\nhost = 'a'\nways = []", "ssh: it names a host and at least one way."),
        ("name = 'other'", "a site is called as its file is: oscar."),
        ("title = ", "this is not TOML"),
        ("a = " + "[" * 3000, "this is not TOML"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(OptionError) as wrong:
        site.read(text, "sites/oscar.toml", "oscar")
    assert str(wrong.value).startswith("sites/oscar.toml: ")
    assert said in str(wrong.value)


@pytest.mark.parametrize("name", ["", "a b", "-x", "../x", "x" * 65, "a\n"])
def test_a_site_has_a_name_for_a_file(name: str) -> None:
    with pytest.raises(OptionError, match="is no name for a site"):
        site.read("", "x.toml", name)


def test_all_keys_can_be_looked_up() -> None:
    found = site.schema()
    tables = ["", "ssh", "slurm", "rule", "paraview", 'paraview.versions."5.11"', "engine", "files", "end", "mail"]
    assert list(found) == tables
    assert found["end"] == ["grace", "warning"]


KEYS = st.sampled_from(
    ["title", "slurm", "rule", "paraview", "files", "end", "scheduler", "account", "per", "setup", "x"]
)
VALUES = st.recursive(
    st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.floats(allow_nan=False)),
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(KEYS, below, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_whatever_a_file_holds_it_is_a_site_or_refused(found: dict[str, Any]) -> None:
    lines: list[str] = []
    sitefile._write(lines, found, "")
    text = "\n".join(lines)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    try:
        read = site.read(text, "x.toml", "x")
    except OptionError:
        return
    assert site.read(sitefile.written(read), "again", "x") == read
