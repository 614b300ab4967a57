"""What the tests measured by the way, one line each in `build/figures.jsonl`. A test asserts; this informs."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[2] / "build" / "figures.jsonl"


def note(what: str, **figures: Any) -> None:
    FILE.parent.mkdir(exist_ok=True)
    rounded = {name: _rounded(figure) for name, figure in figures.items()}
    load = round(os.getloadavg()[0], 1)
    line = {"what": what, **rounded, "load": load, "at": time.strftime("%Y-%m-%d %H:%M:%S")}
    with FILE.open("a") as file:
        file.write(json.dumps(line) + "\n")


def _rounded(figure: Any) -> Any:
    if isinstance(figure, float):
        return round(figure, 3)
    if isinstance(figure, list):
        return [_rounded(each) for each in figure]
    return figure
