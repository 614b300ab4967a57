"""Hatch build hook: a wheel without the viewer would install, import, and show nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = (
    "pvlink/static/widget.js",
    "pvlink/static/browser.js",
    "pvlink/static/page.js",
    "pvlink/static/page.html",
    "pvlink/labextension/package.json",
)


def missing(root: Path) -> list[str]:
    return [name for name in BUILT if not (root / name).is_file()]


class RequireBuiltJs(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if gone := missing(Path(self.root)):
            raise FileNotFoundError(
                f"{' and '.join(gone)} missing: the JavaScript was not built. Run `make build`, "
                "or `npm install && npm run build` in js/ and try again."
            )
