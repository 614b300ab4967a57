"""Slurm's commands, word by word, and what they answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvlink.errors import JobError, OptionError
from pvlink.launchers import order, site, slurm
from pvlink.launchers.order import Order
from pvlink.launchers.site import Site
from pvlink.launchers.states import Report

OSCAR = site.read(
    """
    [slurm]
    partitions = ["gpu"]
    gpus = "gpu:a100"
    account = "geo"
    constraint = "a100&ib"
    nodes = 4
    longest = "2-00:00:00"
    [rule]
    per = "45G"
    gpus = 1
    cores = 2
    most = 4
    """,
    "oscar.toml",
    "oscar",
)


def test_a_job_is_handed_in_by_these_words() -> None:
    asked = order.settle(OSCAR, memory="180G", time="1:30:00", nodes=2, exclusive=True, extra=["--nice=100"], ranks=4)
    assert slurm.submit(asked, "/home/ann/.pvlink/jobs/1") == [
        "sbatch",
        "--parsable",
        "--no-requeue",
        "--job-name=pvlink",
        "--partition=gpu",
        "--account=geo",
        "--constraint=a100&ib",
        "--nodes=2",
        "--ntasks=4",
        "--ntasks-per-node=2",
        "--cpus-per-task=2",
        "--mem=92160M",
        "--time=01:30:00",
        "--gres=gpu:a100:2",
        "--chdir=/home/ann/.pvlink/jobs/1",
        "--output=/home/ann/.pvlink/jobs/1/slurm.log",
        "--exclusive",
        "--nice=100",
    ]


def test_a_plain_one_says_no_more_than_it_must() -> None:
    plain = site.read("[slurm]\nbin = '/opt/slurm/bin'", "plain.toml", "plain")
    assert slurm.submit(order.settle(plain), "/home/ann/j") == [
        "/opt/slurm/bin/sbatch",
        "--parsable",
        "--no-requeue",
        "--job-name=pvlink",
        "--nodes=1",
        "--ntasks=1",
        "--ntasks-per-node=1",
        "--cpus-per-task=1",
        "--mem=4096M",
        "--time=01:00:00",
        "--chdir=/home/ann/j",
        "--output=/home/ann/j/slurm.log",
    ]


def test_all_jobs_are_asked_for_at_once() -> None:
    assert slurm.queue(OSCAR, ["1", "22"]) == [
        "env",
        "SLURM_TIME_FORMAT=%s",
        "squeue",
        "--noheader",
        "--states=all",
        "--jobs=1,22",
        "--format=%i|%T|%S|%e|%N|%P|%r",
    ]
    assert slurm.account(OSCAR, ["1"])[2:] == [
        "sacct",
        "--noheader",
        "--parsable2",
        "--allocations",
        "--jobs=1",
        "--format=JobIDRaw,State,Start,End,NodeList,Partition,ExitCode",
    ]
    assert slurm.cancel(OSCAR, "7") == ["scancel", "7"]
    assert slurm.extend(OSCAR, "7", 5400) == ["scontrol", "update", "JobId=7", "TimeLimit=01:30:00"]


@pytest.mark.parametrize(
    ("said", "job"),
    [("42\n", "42"), ("42;cluster2\n", "42"), ("sbatch: Your project has 90% of its hours left\n42\n", "42")],
)
def test_the_number_of_a_job_is_found(said: str, job: str) -> None:
    assert slurm.submitted(said) == job


@pytest.mark.parametrize("said", ["", "\n", "Submitted batch job", "x42"])
def test_no_number_is_said_so(said: str) -> None:
    with pytest.raises(JobError, match="no job number"):
        slurm.submitted(said)


def test_the_queue_is_read() -> None:
    said = """\
7|RUNNING|1700000000|1700003600|n[0-1]|gpu|None
8|PENDING|N/A|N/A||gpu|Resources
9|PENDING|1700009000|N/A||gpu|ReqNodeNotAvail, UnavailableNodes:n3|4
garbage
10_1|PENDING|N/A|N/A||gpu|Priority
"""
    assert slurm.queued(said) == {
        "7": Report("7", "RUNNING", "None", 1700000000.0, 1700003600.0, "n[0-1]", "gpu"),
        "8": Report("8", "PENDING", "Resources", None, None, "", "gpu"),
        "9": Report("9", "PENDING", "ReqNodeNotAvail, UnavailableNodes:n3|4", 1700009000.0, None, "", "gpu"),
    }


def test_accounts_are_read() -> None:
    said = "7|CANCELLED by 1000|1700000000|1700000060|n0|gpu|0:15\n8|TIMEOUT|Unknown|Unknown|None assigned|gpu|0:0\n"
    found = slurm.accounted(said)
    assert found["7"] == Report("7", "CANCELLED", "", 1700000000.0, 1700000060.0, "n0", "gpu", "0:15")
    assert (found["8"].word, found["8"].start) == ("TIMEOUT", None)


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        (
            "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
            "account=...",
        ),
        ("sbatch: error: invalid partition specified: gpux", "partition=..."),
        ("Unable to contact slurm controller (connect failure)", "part of the cluster?"),
        ("Requested node configuration is not available", "ask for less"),
        ("", "said nothing"),
        ("something new", "something new"),
    ],
)
def test_a_refusal_is_passed_on_with_what_to_do(said: str, hint: str) -> None:
    assert hint in str(slurm.refused("sbatch", said))


def test_a_job_within_a_job_is_no_part_of_it() -> None:
    outer = {
        "SLURM_JOB_ID": "1",
        "SBATCH_PARTITION": "x",
        "OMPI_COMM_WORLD_RANK": "0",
        "SLURM_CONF": "/etc/s",
        "PATH": "/bin",
    }
    assert slurm.environment(outer) == {"SLURM_CONF": "/etc/s", "PATH": "/bin"}


# -- whatever is asked for -------------------------------------------------------------------------------

NASTY = st.text(st.sampled_from("ab0-=,;&|$`'\"\\ \n\r\t\0#(){}<>*?[]~!%:/@.\u2028\x1b\x7f\u202e"), max_size=12)
WORDS = st.one_of(st.sampled_from(["gpu", "geo", "a&b", "4:00", "45G", "90"]), NASTY)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("memory", "time", "partition", "account", "qos", "constraint", "reservation"), WORDS),
        "version": WORDS,
        **{name: st.integers(-2, 20) for name in ("ranks", "nodes", "gpus")},
        "exclusive": st.booleans(),
        "extra": st.lists(
            st.one_of(st.sampled_from(["--nice=1", "--wrap=x", "--hint=multithread"]), NASTY), max_size=3
        ),
    },
)
FIXED = ("--parsable", "--no-requeue", "--exclusive")
NAMED = (
    *("--job-name", "--partition", "--account", "--qos", "--constraint", "--reservation", "--nodes", "--ntasks"),
    *("--ntasks-per-node", "--cpus-per-task", "--mem", "--time", "--gres", "--chdir", "--output"),
)


def _settled(where: Site, asked: dict[str, Any]) -> Order | None:
    try:
        return order.settle(where, **asked)
    except OptionError:
        return None


@settings(max_examples=5000, deadline=None)
@given(OPTIONS)
def test_whatever_is_asked_for_no_other_word_reaches_sbatch(asked: dict[str, Any]) -> None:
    found = _settled(OSCAR, asked)
    given_text = [value for value in asked.values() if isinstance(value, str)] + list(asked.get("extra", []))
    # A time may have blanks around it; it becomes a number.
    hidden = [text for text in given_text if any(not c.isprintable() for c in text.strip())]
    if hidden:
        assert found is None
    if found is None:
        return
    program, *words = slurm.submit(found, "/home/ann/j")
    assert program == "sbatch"
    for word in words:
        name, equals, value = word.partition("=")
        assert word.isprintable()
        assert word in FIXED or (equals and value and (name in NAMED or name in order.EXTRA))
