"""What a job asks for, from what its user says and what the site has."""

from __future__ import annotations

from typing import Any

import pytest

from pvlink.errors import OptionError
from pvlink.launchers import order, site

PRICED = """
[slurm]
partitions = ["gpu", "gpu-he"]
account = "geo"
gpus = "gpu"
memory = "45G"
longest = "12:00:00"
nodes = 2
extra = ["--nice=10"]
[rule]
per = "45G"
gpus = 1
most = 4
[paraview]
setup = ["module purge"]
[paraview.versions."5.11"]
setup = ["module load paraview/5.11"]
mpi = "srun"
"""


@pytest.fixture
def priced() -> site.Site:
    """GPUs that memory buys."""
    return site.read(PRICED, "oscar.toml", "oscar")


@pytest.fixture
def plain() -> site.Site:
    """No rule: what is asked for."""
    return site.read("[slurm]\nmemory = '4G'\nnodes = 8\n[paraview]\nmpi = 'none'", "plain.toml", "plain")


@pytest.mark.parametrize(
    ("asked", "memory", "cores", "gpus"),
    [
        ({}, 45, 1, 1),
        ({"memory": "90G"}, 90, 2, 2),
        ({"memory": "45M"}, 45, 1, 1),
        ({"memory": "120G"}, 135, 3, 3),
        ({"memory": "180G"}, 180, 4, 4),
        # More ranks or GPUs are paid for with the memory that brings them.
        ({"ranks": 3}, 135, 3, 3),
        ({"gpus": 2}, 90, 2, 2),
        ({"memory": "90G", "gpus": 0}, 90, 2, 0),
        # Of each node.
        ({"memory": "270G", "nodes": 2}, 135, 3, 3),
    ],
)
def test_memory_buys_cores_and_gpus(
    priced: site.Site, asked: dict[str, Any], memory: int, cores: int, gpus: int
) -> None:
    found = order.settle(priced, **asked)
    each = found.ranks // found.nodes
    assert (found.memory, found.cores * each, found.gpus) == (memory << 10, cores, gpus)


def test_what_nobody_says_is_as_the_site_has_it(priced: site.Site) -> None:
    found = order.settle(priced)
    assert (found.partition, found.account, found.seconds, found.ranks, found.grace) == ("gpu", "geo", 3600, 1, 600)
    assert found.extra == ("--nice=10",)
    assert found.words == "45 GB, 1 core and 1 GPU for 1 h in gpu"


def test_what_its_user_says_comes_first(priced: site.Site) -> None:
    found = order.settle(
        priced, partition="gpu-he", time="1:30:00", account="mine", extra=["--licenses=x:1"], exclusive=True, grace="1h"
    )
    assert (found.partition, found.seconds, found.account, found.grace) == ("gpu-he", 5400, "mine", 3600)
    assert found.extra == ("--nice=10", "--licenses=x:1")
    assert found.exclusive


def test_without_a_rule_it_is_what_was_asked_for(plain: site.Site) -> None:
    found = order.settle(plain, memory="6G", ranks=8, nodes=4)
    assert (found.memory, found.ranks, found.nodes, found.cores, found.gpus) == (1536, 8, 4, 1, 0)
    assert found.words == "1.5 GB and 2 cores on each of 4 nodes for 1 h"


def test_a_version_brings_its_own_lines_after_those_for_all(priced: site.Site) -> None:
    for version in ("5.11", "5.11.0"):
        program = order.settle(priced, version=version).program
        assert program.setup == ("module purge", "module load paraview/5.11")
        assert (program.mpi, program.mpiexec, program.pvserver) == ("srun", ("mpiexec",), "pvserver")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"memroy": "90G"}, "launch() has no option 'memroy'. It takes: memory, time,"),
        (
            {"memory": "200G"},
            "gives 180 GB on 1 node at most (45 GB with 1 core and 1 GPU, 4 times in a node). On more",
        ),
        (
            {"memory": "2T", "nodes": 2},
            "gives 360 GB on 2 nodes at most (45 GB with 1 core and 1 GPU, 4 times in a node).",
        ),
        ({"ranks": 5}, "asks oscar for 225 GB"),
        ({"nodes": 3}, "nodes=3: it is a whole number from 1 to 2 (oscar gives 2 at most)."),
        ({"nodes": 2, "ranks": 1}, "ranks=1: 2 nodes need a rank each"),
        ({"ranks": 0}, "ranks=0: it is a whole number from 1"),
        ({"ranks": "2"}, "ranks='2'"),
        ({"ranks": True}, "ranks=True"),
        ({"time": "13:00:00"}, "time='13:00:00': that is 13 h; oscar gives 12 h at most."),
        ({"partition": "cpu"}, "partition='cpu': oscar has gpu, gpu-he."),
        ({"account": "a b"}, "account='a b': it is letters"),
        ({"account": "-x"}, "account='-x'"),
        ({"qos": "a\nb"}, "the character '\\n' may not be in it"),
        ({"qos": "a\u202eb"}, "may not be in it"),
        ({"constraint": 5}, "constraint=5: it is text."),
        ({"version": "5.9"}, "version='5.9': oscar has 5.11"),
        ({"version": "newest"}, "version='newest'"),
        ({"exclusive": "yes"}, "exclusive='yes': it is True or False."),
        ({"extra": "--nice=1"}, "extra='--nice=1': it is a list of options"),
        ({"extra": ["--wrap=rm"]}, "extra: '--wrap=rm' is not passed on."),
        ({"extra": ["--nice=1\n--wrap=x"]}, "may not be in it"),
        ({"extra": ["--output=/tmp/x"]}, "is not passed on"),
        ({"extra": ["--uid=0"]}, "is not passed on"),
        ({"extra": ["--export=ALL"]}, "is not passed on"),
        ({"extra": ["nice"]}, "is not passed on"),
        ({"grace": "never"}, "grace='never'"),
    ],
)
def test_what_cannot_be_is_said_with_what_can(priced: site.Site, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError) as wrong:
        order.settle(priced, **asked)
    assert said in str(wrong.value)


def test_gpus_where_there_are_none(plain: site.Site) -> None:
    with pytest.raises(OptionError, match=r"gpus=1: plain has none"):
        order.settle(plain, gpus=1)
    assert order.settle(plain, gpus=0).gpus == 0
