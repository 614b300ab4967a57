"""What the ranks of a server hold between them is fetched whole: as it is where one process holds it all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.interpreter import Kernel
from tests.servers.pvservers import needs_servers

pytestmark = needs_servers

# Each value once, wherever a rank has it; and where each of its points is.
SCENES = {
    "image": "Wavelet()",
    "cells of an image": "PointDatatoCellData(Input=Wavelet())",
    "stretched image": "Wavelet(WholeExtent=[0, 9, 2, 8, -7, 7], Maximum=7)",
    "curved": "Transform(Input=Wavelet())",
    "unstructured": "Clip(Input=PointDatatoCellData(Input=Wavelet()), Crinkleclip=1)",
    "nothing": "Threshold(Input=Wavelet(), LowerThreshold=1e6, UpperThreshold=1e7)",
    "blocks": "GroupDatasets(Input=[Wavelet(), PointDatatoCellData(Input=Wavelet())])",
    "table": "Histogram(Input=Wavelet())",
}
FACTS = """
import numpy as np
def facts(data):
    if isinstance(data, dict):
        return {name: facts(one) for name, one in data.items()}
    if not hasattr(data, 'kind'):
        return data.to_dict('list')
    values = {name: sorted(array.astype(float).ravel().tolist()) for name, array in data.cell_data.items()}
    shape = list(data.dimensions) if data.kind in ('image', 'structured', 'rectilinear') else []
    points = {name: array.astype(float).ravel().tolist() for name, array in data.point_data.items()} if shape else {}
    return [data.kind, shape, values, points, list(data.origin) if data.kind == 'image' else []]
"""


SURFACE = """\
contour = Contour(Input=Wavelet(), ContourBy=["POINTS", "RTData"], Isosurfaces=[157.0])
answer = len(pvlink.fetch(contour).cells["polys_offsets"]) - 1
"""


@pytest.fixture(scope="module")
def there() -> Iterator[tuple[dict[str, Any], Kernel]]:
    """What one process says of each scene; and a session on a server of two."""
    with Kernel.started() as kernel:
        kernel.run(FACTS)
        said = {name: kernel.run(f"answer = facts(pvlink.fetch({code}))") for name, code in SCENES.items()}
        said["surface"] = kernel.run(SURFACE)
        kernel.run("server = session.serve(ranks=2)")
        yield said, kernel


@pytest.mark.parametrize("scene", SCENES)
def test_two_ranks_hold_what_one_process_holds(there: tuple[dict[str, Any], Kernel], scene: str) -> None:
    alone, kernel = there
    assert kernel.run(f"answer = facts(pvlink.fetch({SCENES[scene]}))") == alone[scene]


def test_each_rank_has_its_part(there: tuple[dict[str, Any], Kernel]) -> None:
    _, kernel = there
    kernel.run("parts = pvlink.fetch(ProcessIdScalars(Input=Wavelet()), 'ProcessId')")
    assert kernel.run("answer = list(parts.shape), np.unique(parts).tolist()") == [[21, 21, 21], [0, 1]]


def test_a_surface_has_each_triangle_once(there: tuple[dict[str, Any], Kernel]) -> None:
    """The ranks ask each other for a layer of cells, to give a surface its normals."""
    alone, kernel = there
    assert kernel.run(SURFACE) == alone["surface"]
