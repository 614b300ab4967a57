"""What `make audit` makes of what the three audits say."""

from __future__ import annotations

import datetime
import json
import sys

import pytest

from tools import audit
from tools.audit import Excepted, Finding, Report, from_bandit, from_npm, from_pip_audit, judge, read_exceptions

pytestmark = pytest.mark.trust

TODAY = datetime.date(2026, 11, 20)
TORNADO = Finding("pip-audit", ("PYSEC-2025-1", "CVE-2025-1"), "tornado", "6.4, mended in 6.5")


def excepted(
    audit: str = "pip-audit", name: str = "CVE-2025-1", package: str = "tornado", until: datetime.date = TODAY
) -> Excepted:
    return Excepted(audit, name, package, "not on our way", until)


def pip_audit_said(*vulns: dict[str, object], skip: str = "") -> str:
    entry = {"name": "tornado", "skip_reason": skip} if skip else {"name": "tornado", "version": "6.4", "vulns": vulns}
    return json.dumps({"dependencies": [entry, {"name": "idna", "version": "3.10", "vulns": []}], "fixes": []})


def npm_said(vulnerabilities: dict[str, object]) -> str:
    # npm counts the viewer itself.
    return json.dumps(
        {
            "auditReportVersion": 2,
            "vulnerabilities": vulnerabilities,
            "metadata": {"dependencies": {"prod": 3}},
        }
    )


def test_clean_is_clean() -> None:
    verdict = judge([Report("pip-audit", "57 packages"), Report("npm", "2 packages")], [], TODAY)

    assert verdict.failures == []
    assert verdict.rows == [("pip-audit", "57 packages", "clean"), ("npm", "2 packages", "clean")]


def test_a_finding_fails() -> None:
    verdict = judge([Report("pip-audit", "57 packages", (TORNADO,))], [], TODAY)

    assert verdict.failures == ["pip-audit: tornado: PYSEC-2025-1/CVE-2025-1: 6.4, mended in 6.5"]
    assert verdict.rows == [("pip-audit", "57 packages", "1 FOUND")]


@pytest.mark.parametrize("name", ["PYSEC-2025-1", "CVE-2025-1"])
def test_an_excepted_finding_passes_by_any_of_its_names_and_is_told(name: str) -> None:
    verdict = judge([Report("pip-audit", "57 packages", (TORNADO,))], [excepted(name=name)], TODAY)

    assert verdict.failures == []
    assert verdict.rows[0][2] == "clean, 1 excepted"
    assert "not on our way" in verdict.notes[0]


@pytest.mark.parametrize("other", [excepted(audit="npm"), excepted(name="CVE-2025-2"), excepted(package="torn")])
def test_an_exception_covers_nothing_else(other: Excepted) -> None:
    verdict = judge([Report("pip-audit", "57 packages", (TORNADO,))], [other], TODAY)

    assert len(verdict.failures) == 1


def test_an_exception_that_ran_out_fails_even_where_nothing_can_be_checked() -> None:
    late = excepted(until=TODAY - datetime.timedelta(days=1))

    for report in (Report("pip-audit", "57 packages", (TORNADO,)), Report("pip-audit", unchecked="no network")):
        verdict = judge([report], [late], TODAY)
        assert [line for line in verdict.failures if "ran out on 2026-11-19" in line]


def test_an_exception_is_called_superfluous_only_where_all_was_checked() -> None:
    assert "no longer needed" in judge([Report("pip-audit", "57 packages")], [excepted()], TODAY).notes[0]
    assert judge([Report("pip-audit", unchecked="no network")], [excepted()], TODAY).notes == []


def test_not_checked_is_loud_and_does_not_fail() -> None:
    verdict = judge([Report("npm", unchecked="405 Method Not Allowed")], [], TODAY)

    assert verdict.failures == []
    assert verdict.rows == [("npm", "nothing", "NOT CHECKED: 405 Method Not Allowed")]


def test_what_was_found_counts_though_a_part_was_not_checked() -> None:
    verdict = judge([Report("pip-audit", "56 packages", (TORNADO,), "1 packages (x): gone")], [], TODAY)

    assert len(verdict.failures) == 1
    assert verdict.rows[0][2] == "1 FOUND, NOT CHECKED: 1 packages (x): gone"


GOOD = """
[[exception]]
audit = "npm"
id = "GHSA-0000-0000-0000"
package = "wslink"
reason = "Only its server side is affected."
until = 2027-01-31
"""


def test_exceptions_are_read() -> None:
    (one,) = read_exceptions(GOOD)

    assert one == Excepted(
        "npm", "GHSA-0000-0000-0000", "wslink", "Only its server side is affected.", datetime.date(2027, 1, 31)
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('reason = "Only its server side is affected."\n', ""),
        ("Only its server side is affected.", "later"),
        ("2027-01-31", '"2027-01-31"'),
        ("2027-01-31", "2027-01-31T00:00:00"),
        ("until = 2027-01-31\n", ""),
        ('audit = "npm"', 'audit = "yarn"'),
        ('package = "wslink"', 'packages = "wslink"'),
        ("[[exception]]", "[[exemption]]"),
        ('audit = "npm"', "audit = "),
    ],
)
def test_an_exception_without_all_it_needs_is_refused(old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(ValueError):  # noqa: PT011 - tomllib's own, too
        read_exceptions(GOOD.replace(old, new))


def test_the_exceptions_of_this_checkout_can_be_read() -> None:
    read_exceptions(audit.EXCEPTIONS.read_text())


def test_pip_audit_finds() -> None:
    found: dict[str, object] = {
        "id": "PYSEC-2025-1",
        "fix_versions": ["6.5"],
        "aliases": ["CVE-2025-1"],
        "description": "...",
    }

    report = from_pip_audit(1, pip_audit_said(found), "Found 1 known vulnerability", [])

    assert report == Report("pip-audit", "2 packages", (TORNADO,))


def test_pip_audit_skips_and_calls_it_clean() -> None:
    # What it says, with exit code 0, where the registry has no advisories.
    report = from_pip_audit(
        0, pip_audit_said(skip="Dependency not found on PyPI"), "No known vulnerabilities found", ["isal"]
    )

    assert report.looked_at == "1 packages"
    assert report.unchecked == "2 packages (tornado, isal): Dependency not found on PyPI"


def test_pip_audit_that_skips_all_has_looked_at_nothing() -> None:
    said = {"dependencies": [{"name": name, "skip_reason": "not found"} for name in "abcdefg"]}

    report = from_pip_audit(0, json.dumps(said), "", [])

    assert report == Report("pip-audit", unchecked="none of 7 packages (a, b, c, d, e, ...): not found")


def test_pip_audit_without_network() -> None:
    trace = "Traceback\n  ...\nrequests.exceptions.ConnectionError: Failed to resolve 'pypi.org'\n"

    assert from_pip_audit(1, "", trace, []) == Report("pip-audit", unchecked=trace.splitlines()[-1])


def test_an_audit_that_we_call_wrongly_is_not_a_network_that_is_away() -> None:
    assert from_pip_audit(2, "", "pip-audit: error: unrecognized arguments: --nodeps", []).findings
    assert from_npm(1, json.dumps({"error": {"code": "ENOLOCK", "summary": "needs a lock file"}}), "").findings
    assert from_bandit(2, "", "bandit: error: no such file", lambda _: []).findings


def test_npm_finds_once_what_it_tells_twice() -> None:
    via = {
        "source": 1,
        "name": "@msgpack/msgpack",
        "title": "Prototype pollution",
        "url": "https://github.com/advisories/GHSA-0000-0000-0000",
        "severity": "high",
        "range": "<2.8.1",
    }
    text = npm_said({"@msgpack/msgpack": {"via": [via, via]}, "wslink": {"via": ["@msgpack/msgpack"]}})

    assert from_npm(1, text, "") == Report(
        "npm",
        "2 packages",
        (Finding("npm", ("GHSA-0000-0000-0000",), "@msgpack/msgpack", "<2.8.1, high: Prototype pollution"),),
    )
    assert from_npm(0, npm_said({}), "") == Report("npm", "2 packages")


@pytest.mark.parametrize(
    ("out", "why"),
    [
        ('{"message": "405 Method Not Allowed", "error": {"summary": "", "detail": ""}}', "405 Method Not Allowed"),
        ('{"error": {"code": "ENOTFOUND", "summary": "getaddrinfo ENOTFOUND"}}', "getaddrinfo ENOTFOUND"),
        ("", "npm error audit endpoint returned an error"),
        ("[]", "npm error audit endpoint returned an error"),
    ],
)
def test_npm_without_its_service(out: str, why: str) -> None:
    assert from_npm(1, out, "npm error audit endpoint returned an error\n") == Report("npm", unchecked=why)


def bandit_said(*results: dict[str, object], errors: tuple[dict[str, str], ...] = ()) -> str:
    metrics: dict[str, object] = {"_totals": {}, "pvlink/a.py": {}, "pvlink/b.py": {}}
    return json.dumps({"results": results, "errors": errors, "metrics": metrics})


def bandit_result(*lines: int) -> dict[str, object]:
    where = {"filename": "pvlink/a.py", "line_number": lines[0], "line_range": lines}
    return {"test_id": "B108", "issue_text": "Insecure temporary file", **where}


def test_bandit_finds_and_a_file_it_cannot_read_is_a_finding() -> None:
    said = bandit_said(bandit_result(1), errors=({"filename": "pvlink/b.py", "reason": "syntax error"},))

    report = from_bandit(1, said, "", lambda _: ["x = 1"])

    assert report.looked_at == "2 files"
    assert [(one.ids, one.package) for one in report.findings] == [
        (("broken",), "pvlink/b.py"),
        (("B108",), "pvlink/a.py"),
    ]


@pytest.mark.parametrize(
    ("line", "fine"),
    [
        ("x = 1", False),
        ("x = 1  # noqa: S108 - ours alone, and 0700", True),
        ("x = 1  # noqa: PTH108, S108 - where every X server listens", True),
        ("x = 1  # nosec B108 - ours alone, and 0700", True),
        ("x = 1  # nosec", False),
        ("x = 1  # nosec B108", False),
        ("x = 1  # noqa: S108", False),
        ("x = 1  # noqa: S105 - a public name, no password", False),
        ("x = 1  # it is really ours # nosec", False),
        ("x = 'noqa: S108 - a text is no comment'", False),
    ],
)
def test_a_line_is_right_when_it_says_which_test_and_why(line: str, fine: bool) -> None:
    said = bandit_said(bandit_result(1, 2))

    for lines in ([line, ")"], ["f(", line]):
        assert (from_bandit(1, said, "", lambda _, lines=lines: lines).findings == ()) is fine  # type: ignore[misc]


def test_what_is_audited_is_all_that_comes_along() -> None:
    versions, missing = audit.runtime(["jupyter_server>=2", "no-such-package-of-ours"])

    assert {"jupyter-server", "tornado", "jinja2", "markupsafe"} <= versions.keys()
    assert missing == ["no-such-package-of-ours"]


def test_a_tool_that_is_not_there_is_not_checked() -> None:
    with pytest.raises(audit.NotRun, match="no_such_audit is not installed"):
        audit.run(sys.executable, "-m", "no_such_audit")
    with pytest.raises(audit.NotRun, match="no-such-npm is not installed"):
        audit.run("no-such-npm", "audit")


def test_a_service_that_does_not_answer_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PATIENCE", 0.05)

    def asks() -> Report:
        return from_npm(*audit.run(sys.executable, "-c", "import time; time.sleep(60)"))

    assert "got no answer within" in audit.attempt(("npm", asks)).unchecked
