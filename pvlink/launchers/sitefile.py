"""A site as a file: what differs from the usual only. Pure."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from pvlink.launchers.site import Rule, Site, Ssh, Version


def written(site: Site) -> str:
    """Its text."""
    usual = msgspec.to_builtins(Site()) | {"ssh": msgspec.to_builtins(Ssh("")), "rule": msgspec.to_builtins(Rule(""))}
    lines: list[str] = []
    _write(lines, _differing(msgspec.to_builtins(site), usual | {"name": site.name}), "")
    return "\n".join(lines).lstrip("\n") + "\n"


def _differing(facts: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in facts.items():
        if key == "versions":
            nothing = msgspec.to_builtins(Version())
            found |= {key: {version: _differing(said, nothing) for version, said in value.items()}} if value else {}
        elif isinstance(value, dict) and isinstance(usual.get(key), dict):
            if below := _differing(value, usual[key]):
                found[key] = below
        elif value != usual.get(key) and value is not None:
            found[key] = value
    return found


def _write(lines: list[str], facts: dict[str, Any], place: str) -> None:
    lines += [f"{key} = {_value(value)}" for key, value in facts.items() if not isinstance(value, dict)]
    for key, value in facts.items():
        if isinstance(value, dict):
            inner = f"{place}.{_key(key)}" if place else _key(key)
            if any(not isinstance(one, dict) for one in value.values()) or not value:
                lines += ["", f"[{inner}]"]
            _write(lines, value, inner)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f'"{key}"'


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):
        # JSON's strings are TOML's, but for DEL, which no value here may have.
        return msgspec.json.encode(value).decode()
    return str(value)
