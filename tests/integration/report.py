"""`python report.py SCRIPT [mirror]`: run a script as a user does, then write down what it has made.

Runs in plain pvpython and in a kernel alike, in the folder for the results: `report.json`, a picture of each view.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def arrays(attributes: Any) -> dict[str, Any]:
    return {array.Name: [array.GetRange(c) for c in range(array.GetNumberOfComponents())] for array in attributes}


def of_sources(simple: Any) -> dict[str, Any]:
    report = {}
    for (name, _), source in simple.GetSources().items():
        source.UpdatePipeline()
        information = source.GetDataInformation()
        report[name] = {
            "kind": information.GetDataSetTypeAsString(),
            "cells": information.GetNumberOfCells(),
            "points": information.GetNumberOfPoints(),
            "bounds": information.GetBounds(),
            "point data": arrays(source.PointData),
            "cell data": arrays(source.CellData),
        }
    return report


def of_views(simple: Any) -> dict[str, Any]:
    report = {}
    for (name, _), view in simple.servermanager.ProxyManager().GetProxiesInGroup("views").items():
        names = ("CameraPosition", "CameraFocalPoint", "CameraViewUp", "CameraParallelScale", "ViewSize")
        values = {name: view.GetPropertyValue(name) for name in names if view.GetProperty(name) is not None}
        report[name] = {key: list(value) if hasattr(value, "__len__") else value for key, value in values.items()}
        simple.SaveScreenshot(f"{name}.png", view, ImageResolution=report[name]["ViewSize"])
    return report


def main(script: str, mirrored: bool) -> None:
    if mirrored:
        import pvlink

        pvlink.start()
    exec(compile(Path(script).read_text(), script, "exec"), {"__name__": "__main__"})  # noqa: S102 - what it is for

    from paraview import simple

    Path("report.json").write_text(json.dumps({"sources": of_sources(simple), "views": of_views(simple)}))


main(sys.argv[1], sys.argv[2:] == ["mirror"])
