"""What the doctor has found, and how it is shown: in a cell, in a terminal, to a program."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["ok", "note", "problem"]
Fact = str | int | float | bool | None | list[str]
Facts = dict[str, Fact]
# Variables whose values may be secrets; an error's last words may repeat them.
_SECRET_NAMES = re.compile(r"TOKEN|PASSW|SECRET|COOKIE|CREDENTIAL|API_?KEY|AUTH", re.IGNORECASE)
_SECRET_IN_URL = re.compile(r"((?:token|password|key)=)[^&\s\"']+", re.IGNORECASE)
_LONG_ENOUGH = 8
_WORDS: Mapping[Level, str] = {"ok": "ok", "note": "note", "problem": "PROBLEM"}
# Legible on white and on black, and for those who do not tell red from green: the word is there, too.
_COLOURS: Mapping[Level, str] = {"ok": "#2a9d55", "note": "#b07d00", "problem": "#d63a3a"}


@dataclass(frozen=True)
class Finding:
    """One line of the report. `name` is for programs and stays; the sentence is for people and may change."""

    name: str
    level: Level
    sentence: str
    # What to do about it; a note may need nothing.
    cure: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return self.level != "problem"


class Report:
    """The findings in the order they are read; true where nothing is a problem."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(map(_without_secrets, findings))

    def __bool__(self) -> bool:
        return all(finding.good for finding in self.findings)

    def __getitem__(self, name: str) -> Finding:
        """The worst finding of this name."""
        named = [finding for finding in self.findings if finding.name == name]
        if not named:
            raise KeyError(name)
        return max(named, key=lambda finding: list(_WORDS).index(finding.level))

    def __repr__(self) -> str:
        lines = []
        for finding in self.findings:
            lines += _indented(f"{_WORDS[finding.level]:<9}", finding.sentence)
            if finding.cure:
                lines += _indented(" " * 9 + "-> ", finding.cure)
        return "\n".join([*lines, "", self._summary()])

    def _repr_html_(self) -> str:
        rows = "".join(map(_row, self.findings))
        return (
            '<table style="border-collapse:collapse;font-size:13px;line-height:1.45;margin:4px 0">'
            f"<tbody>{rows}</tbody></table>"
            f'<p style="margin:6px 0 2px 8px"><b>{html.escape(self._summary())}</b></p>'
        )

    def json(self) -> str:
        """The same for programs: name, good, level, sentence, cure, facts."""
        return json.dumps(
            {
                "good": bool(self),
                "findings": [
                    {
                        "name": finding.name,
                        "good": finding.good,
                        "level": finding.level,
                        "sentence": finding.sentence,
                        "cure": finding.cure,
                        "facts": dict(finding.facts),
                    }
                    for finding in self.findings
                ],
            },
            indent=2,
        )

    def _summary(self) -> str:
        bad = sum(not finding.good for finding in self.findings)
        if bad == 0:
            return "All is well."
        return f"{bad} problem{'s' if bad > 1 else ''}: what to do stands below each."


def _indented(head: str, text: str) -> list[str]:
    first, *rest = text.splitlines() or [""]
    return [head + first, *(" " * len(head) + line for line in rest)]


def _row(finding: Finding) -> str:
    cell = "text-align:left;vertical-align:top;padding:3px 8px;white-space:normal;overflow-wrap:anywhere;border:0"
    word = f"{cell};color:{_COLOURS[finding.level]};font-weight:bold;white-space:nowrap"
    cure = f'<div style="opacity:.85">&rarr; {_text(finding.cure)}</div>' if finding.cure else ""
    return (
        f'<tr style="background:none"><td style="{word}">{_WORDS[finding.level]}</td>'
        f'<td style="{cell};max-width:60em">{_text(finding.sentence)}{cure}</td></tr>'
    )


def _text(sentence: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(sentence)).replace("\n", "<br>")


def _without_secrets(finding: Finding) -> Finding:
    """What programs say of themselves may hold what they were given to keep."""
    kept = [value for name, value in os.environ.items() if _SECRET_NAMES.search(name) and len(value) >= _LONG_ENOUGH]

    def clean(text: str) -> str:
        for secret in kept:
            text = text.replace(secret, "***")
        return _SECRET_IN_URL.sub(r"\1***", text)

    facts: Facts = {}
    for key, value in finding.facts.items():
        if isinstance(value, list):
            facts[key] = [clean(one) for one in value]
        else:
            facts[key] = clean(value) if isinstance(value, str) else value
    return Finding(finding.name, finding.level, clean(finding.sentence), clean(finding.cure), facts)
