"""What Jupyter's settings files say of pvlink in this environment: the server extension and JupyterLab's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pvlink.checkup.bounds import program
from pvlink.checkup.findings import Facts, Finding
from pvlink.version import __version__

SERVER = "pvlink.server"
LAB = "pvlink"
PATHS_PATIENCE = 10.0
_ANEW = "`{python} -m pip install --force-reinstall --no-deps pvlink`, then restart Jupyter."


def paths(python: str) -> dict[str, list[Path]]:
    """Jupyter's folders ("config", "data", "runtime"), the most important first, in its own words."""
    said = program([python, "-m", "jupyter", "--paths", "--json"], PATHS_PATIENCE)
    if said.code != 0:
        return {}
    return {kind: [Path(one) for one in folders] for kind, folders in json.loads(said.out).items()}


def server_extension(config: Sequence[Path]) -> bool | None:
    """Whether the relay is on; none where no file speaks of it."""
    answer = merged(config, "jupyter_server_config").get("ServerApp", {}).get("jpserver_extensions", {}).get(SERVER)
    return answer if isinstance(answer, bool) else None


def lab_extension_disabled(config: Sequence[Path], data: Sequence[Path]) -> bool:
    """By JupyterLab's page settings, where a name may be the extension's or one of its plugins'."""
    folders = [*(one / "labconfig" for one in config), *(one / "lab" / "settings" for one in data)]
    disabled = merged(folders, "page_config").get("disabledExtensions", {})
    if isinstance(disabled, list):
        disabled = dict.fromkeys(disabled, True)
    return any(off and str(name).partition(":")[0] == LAB for name, off in disabled.items())


def merged(folders: Sequence[Path], section: str) -> dict[str, Any]:
    """One section of the settings as Jupyter reads it: name.d/*.json, then name.json, the first folder's last."""
    found: dict[str, Any] = {}
    for folder in reversed(folders):
        for file in [*sorted((folder / f"{section}.d").glob("*.json")), folder / f"{section}.json"]:
            try:
                said = json.loads(file.read_text())
            except (OSError, ValueError):
                # Jupyter passes over what it cannot read, too.
                continue
            if isinstance(said, dict):
                _update(found, said)
    return found


def _update(target: dict[str, Any], news: dict[str, Any]) -> None:
    for key, value in news.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _update(target[key], value)
        else:
            target[key] = value


def settings(folders: dict[str, list[Path]], python: str) -> Iterator[Finding]:
    """Both extensions, as far as files tell."""
    if not folders:
        yield Finding(
            "jupyter",
            "note",
            "Jupyter does not say where its settings are in this environment",
            "If Jupyter runs in another environment, install pvlink there, too, and run `pvlink doctor` there.",
        )
        return
    yield _server(folders["config"], python)
    yield _lab(folders, python)


def _server(config: Sequence[Path], python: str) -> Finding:
    state = server_extension(config)
    facts: Facts = {"enabled": bool(state), "config": [str(one) for one in config]}
    if state:
        return Finding("extension", "ok", f"The relay is enabled for the Jupyter of {python}", facts=facts)
    how = "is switched off" if state is False else "is not known"
    return Finding(
        "extension",
        "problem",
        f"The relay, by which pictures reach the browser, {how} in the Jupyter of {python}",
        f"`{python} -m jupyter server extension enable {SERVER} --sys-prefix`, then restart Jupyter (not only "
        "the kernel).",
        facts,
    )


def _lab(folders: dict[str, list[Path]], python: str) -> Finding:
    anew = _ANEW.format(python=python)
    found = next(
        (one for data in folders["data"] if (one := data / "labextensions" / LAB / "package.json").is_file()), None
    )
    if found is None:
        return Finding("labextension", "problem", "pvlink's extension of JupyterLab is not installed", anew)
    try:
        its = str(json.loads(found.read_text())["version"])
    except (OSError, ValueError, KeyError) as error:
        return Finding(
            "labextension", "problem", f"pvlink's extension of JupyterLab is damaged: {found}: {error}", anew
        )
    facts: Facts = {"folder": str(found.parent), "version": its}
    if lab_extension_disabled(folders["config"], folders["data"]):
        return Finding(
            "labextension",
            "problem",
            "pvlink's extension of JupyterLab is switched off: cells show a plain picture, or the object's name",
            f"`jupyter labextension enable {LAB}`, then reload the page in the browser.",
            facts,
        )
    if its != __version__:
        return Finding(
            "labextension",
            "problem",
            f"pvlink's extension of JupyterLab is of version {its}, pvlink itself of {__version__}",
            f"{anew} A copy in {found.parent.parent} that was not installed by pip must be removed.",
            facts,
        )
    return Finding("labextension", "ok", f"pvlink's extension of JupyterLab is installed ({found.parent})", facts=facts)
