"""Three audits and one table: our Python (bandit), what it needs (pip-audit), what the viewer needs (npm audit).

A finding fails, unless tools/audit.toml excepts it: with a reason, and until a day. What could not be checked (no
network, a registry without advisories, a tool that is not installed) is said loudly and does not fail: the machine
is to blame then, not the code.
"""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
EXCEPTIONS = ROOT / "tools" / "audit.toml"
CODE = ("pvlink", "tools")
AUDITS = ("bandit", "pip-audit", "npm")
FIELDS = {"audit", "id", "package", "reason", "until"}
# A service that has not answered by then is a service that cannot be reached.
PATIENCE = 60.0
# Beyond that a list of names is noise.
NAMED = 5


@dataclass(frozen=True)
class Finding:
    audit: str
    # GHSA-..., PYSEC-..., CVE-...; bandit's B108; "broken" for an audit that fell over.
    ids: tuple[str, ...]
    # The package, or the file of ours.
    package: str
    text: str


@dataclass(frozen=True)
class Report:
    """What one audit brought."""

    audit: str
    looked_at: str = ""
    findings: tuple[Finding, ...] = ()
    # Why it, or a part of it, is not known.
    unchecked: str = ""


@dataclass(frozen=True)
class Excepted:
    """One finding that is known and accepted for a while."""

    audit: str
    id: str
    package: str
    reason: str
    # The last day it counts.
    until: datetime.date

    def covers(self, finding: Finding) -> bool:
        return (self.audit, self.package) == (finding.audit, finding.package) and self.id in finding.ids


@dataclass(frozen=True)
class Verdict:
    rows: list[tuple[str, str, str]]
    # What fails the build, then what one should know.
    failures: list[str]
    notes: list[str]


def judge(reports: Iterable[Report], exceptions: list[Excepted], today: datetime.date) -> Verdict:
    verdict = Verdict([], [], [])
    used: set[Excepted] = set()
    complete = set()
    for report in reports:
        bad = 0
        for finding in report.findings:
            cover = next((one for one in exceptions if one.covers(finding)), None)
            if cover is None:
                bad += 1
                verdict.failures.append(f"{finding.audit}: {finding.package}: {'/'.join(finding.ids)}: {finding.text}")
            else:
                used.add(cover)
                verdict.notes.append(f"excepted until {cover.until}: {cover.package} {cover.id}: {cover.reason}")
        words = [f"{bad} FOUND" if bad else ("clean" if report.looked_at else "")]
        if len(report.findings) > bad:
            words.append(f"{len(report.findings) - bad} excepted")
        if report.unchecked:
            words.append(f"NOT CHECKED: {report.unchecked}")
        else:
            complete.add(report.audit)
        verdict.rows.append((report.audit, report.looked_at or "nothing", ", ".join(filter(None, words))))
    for one in exceptions:
        name = f"the exception for {one.package} {one.id}"
        if one.until < today:
            verdict.failures.append(
                f"tools/audit.toml: {name} ran out on {one.until}: look again, then mend or renew it"
            )
        elif one not in used and one.audit in complete:
            verdict.notes.append(f"tools/audit.toml: {name} is no longer needed")
    return verdict


def read_exceptions(text: str) -> list[Excepted]:
    """ValueError for one that lacks its reason, or anything else."""
    found = []
    said = tomllib.loads(text)
    for entry in said.pop("exception", []):
        name = f"the exception {entry.get('id', '?')}"
        if entry.keys() != FIELDS:
            raise ValueError(f"tools/audit.toml: {name} has {', '.join(entry)}; it needs {', '.join(sorted(FIELDS))}")
        if entry["audit"] not in AUDITS:
            raise ValueError(f"tools/audit.toml: {name}: audit is one of {', '.join(AUDITS)}")
        if type(entry["until"]) is not datetime.date:
            raise ValueError(f"tools/audit.toml: {name}: until is a day, such as 2027-01-31, without quotes")
        if len(str(entry["reason"]).split()) < 3:
            raise ValueError(f"tools/audit.toml: {name}: say the reason in a sentence")
        found.append(Excepted(**entry))
    if said:
        raise ValueError(f"tools/audit.toml: there is no {', '.join(said)}; valid is [[exception]]")
    return found


def broken(audit: str, output: str) -> Report:
    """An audit that fell over for our own fault: it must not look like a clean one."""
    return Report(audit, findings=(Finding(audit, ("broken",), audit, last_line(output)),))


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"


def as_json(text: str) -> Any:
    """What a tool printed; an empty dict if that was no JSON object."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


# bandit: our own code. Its settings, with what is switched off for all and why, are in pyproject.toml.


def from_bandit(code: int, out: str, err: str, source: Callable[[str], list[str]]) -> Report:
    """`source`: the lines of a file."""
    said = as_json(out)
    if "results" not in said or code not in (0, 1):
        return broken("bandit", err or out)
    findings = [Finding("bandit", ("broken",), one["filename"], one["reason"]) for one in said["errors"]]
    for one in said["results"]:
        lines = source(one["filename"])
        # Lines are counted from 1, and a statement may have several.
        if not any(explained(one["test_id"], lines[number - 1]) for number in one["line_range"]):
            text = f"line {one['line_number']}: {one['issue_text']}"
            findings.append(Finding("bandit", (one["test_id"],), one["filename"], text))
    return Report("bandit", f"{len(said['metrics']) - 1} files", tuple(findings))


def explained(test: str, line: str) -> bool:
    """Whether a line says why it is right: `# noqa: S108 - why` (ruff has the same numbers) or `# nosec B108 - why`."""
    _, _, comment = line.partition("  #")
    number = test.removeprefix("B")
    if not re.search(rf"noqa:[A-Z0-9, ]*\bS{number}\b|nosec B{number}\b", comment):
        return False
    return len(re.findall(r"\w+", re.sub(r"noqa:[A-Z0-9, ]*|nosec (B\d+)?", "", comment))) >= 3


def bandit() -> Report:
    # A bare `# nosec` silences everything on its line, and says nothing.
    options = ("-q", "-r", "--ignore-nosec", "-f", "json", "-c", "pyproject.toml")
    done = run(sys.executable, "-m", "bandit", *options, *CODE)
    return from_bandit(*done, lambda name: (ROOT / name).read_text().splitlines())


# pip-audit: every package that comes with pvlink, in the version installed here.


def runtime(dependencies: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Name and version of these and of all they need, as installed; and those that are not."""
    versions: dict[str, str] = {}
    missing: list[str] = []
    todo = [Requirement(line) for line in dependencies]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        if (name, frozenset(wanted.extras)) in seen:
            continue
        seen.add((name, frozenset(wanted.extras)))
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        versions[name] = found.version
        for needs in map(Requirement, found.requires or []):
            extras = {"", *wanted.extras}
            if needs.marker is None or any(needs.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append(needs)
    return versions, missing


def from_pip_audit(code: int, out: str, err: str, missing: list[str]) -> Report:
    said = as_json(out)
    if "dependencies" not in said:
        # 2 is argparse's: we call it wrongly.
        return broken("pip-audit", err) if code == 2 else Report("pip-audit", unchecked=last_line(err))
    checked = [one for one in said["dependencies"] if "skip_reason" not in one]
    # With a mirror that has no advisories, pip-audit skips all and says "No known vulnerabilities found", exit 0.
    skipped = [(one["name"], one["skip_reason"]) for one in said["dependencies"] if "skip_reason" in one]
    skipped += [(name, "not installed") for name in missing]
    findings = [
        Finding(
            "pip-audit",
            (found["id"], *found.get("aliases", [])),
            one["name"],
            f"{one['version']}, mended in {', '.join(found['fix_versions']) or 'no version yet'}",
        )
        for one in checked
        for found in one["vulns"]
    ]
    unchecked = ""
    if skipped:
        names = ", ".join(name for name, _ in skipped[:NAMED]) + (", ..." if len(skipped) > NAMED else "")
        some = f"{len(skipped)} packages" if checked else f"none of {len(skipped)} packages"
        unchecked = f"{some} ({names}): {skipped[0][1]}"
    return Report("pip-audit", f"{len(checked)} packages" if checked else "", tuple(findings), unchecked)


def pip_audit() -> Report:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    versions, missing = runtime(project["dependencies"])
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pins:
        pins.write("".join(f"{name}=={version}\n" for name, version in sorted(versions.items())))
        pins.flush()
        options = ("--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "10")
        done = run(sys.executable, "-m", "pip_audit", *options, "-r", pins.name)
    return from_pip_audit(*done, missing)


# npm: what esbuild puts into the viewer.


def from_npm(code: int, out: str, err: str) -> Report:
    said = as_json(out)
    if "auditReportVersion" not in said:
        error = said.get("error") or {}
        if error.get("code") in {"ENOLOCK", "EUSAGE"}:
            return broken("npm", error.get("summary") or err)
        return Report("npm", unchecked=last_line(said.get("message") or error.get("summary") or err))
    findings = [
        Finding(
            "npm", (via["url"].rsplit("/", 1)[-1],), via["name"], f"{via['range']}, {via['severity']}: {via['title']}"
        )
        for package in said["vulnerabilities"].values()
        for via in package["via"]
        # A string names another package of this list, which tells the story.
        if isinstance(via, dict)
    ]
    # Two ways to one package tell it twice. npm counts the viewer itself among its packages.
    return Report("npm", f"{said['metadata']['dependencies']['prod'] - 1} packages", tuple(dict.fromkeys(findings)))


def npm() -> Report:
    options = ("--omit=dev", "--package-lock-only", "--json", "--fetch-retries=0", "--fetch-timeout=10000")
    return from_npm(*run("npm", "audit", *options, cwd=ROOT / "js"))


class NotRun(Exception):
    """A tool is not there, or did not end; the message says which."""


def run(*command: str, cwd: Path = ROOT) -> tuple[int, str, str]:
    name = command[2] if command[1] == "-m" else command[0]
    try:
        done = subprocess.run(
            command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except FileNotFoundError as error:
        raise NotRun(f"{name} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise NotRun(f"{name} got no answer within {PATIENCE:.0f} s") from error
    if f"No module named {name}" in done.stderr:
        raise NotRun(f"{name} is not installed (make check installs it)")
    return done.returncode, done.stdout, done.stderr


def attempt(audit: tuple[str, Callable[[], Report]]) -> Report:
    name, function = audit
    try:
        return function()
    except NotRun as error:
        return Report(name, unchecked=str(error))


def main() -> int:
    try:
        exceptions = read_exceptions(EXCEPTIONS.read_text())
    except ValueError as error:
        print(f"pvlink: {error}")
        return 1
    # At the same time: two of them mostly wait for the network.
    with ThreadPoolExecutor() as pool:
        reports = list(pool.map(attempt, zip(AUDITS, (bandit, pip_audit, npm), strict=True)))
    verdict = judge(reports, exceptions, datetime.datetime.now(datetime.UTC).date())
    for row in (("audit", "looked at", "verdict"), *verdict.rows):
        print(f"{row[0]:<10}  {row[1]:<12}  {row[2]}")
    for line in (*verdict.notes, *verdict.failures):
        print(f"pvlink: {line}")
    return 1 if verdict.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
