"""What Jupyter asks of an extension, without a Jupyter."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

import pvlink.server
from pvlink.server.routes import handlers


def test_the_configuration_enables_the_module_that_exists() -> None:
    config = Path(__file__).parents[3] / "jupyter-config" / "jupyter_server_config.d" / "pvlink.json"
    assert json.loads(config.read_text()) == {"ServerApp": {"jpserver_extensions": {"pvlink.server": True}}}
    assert pvlink.server._jupyter_server_extension_points() == [{"module": "pvlink.server"}]


@pytest.mark.parametrize("base", ["/", "/user/ann/", "/node/c1/8888/"])
def test_the_routes_are_under_the_base_url(base: str) -> None:
    assert [route for route, _ in handlers(base)] == [
        f"{base}pvlink/([0-9A-Za-z_-]{{1,64}})",
        f"{base}pvlink/([0-9A-Za-z_-]{{1,64}})/ticket",
        f"{base}pvlink/([0-9A-Za-z_-]{{1,64}})/ws",
    ]


def test_loading_adds_them() -> None:
    added: list[object] = []
    web = SimpleNamespace(settings={"base_url": "/"}, add_handlers=lambda host, routes: added.extend(routes))
    pvlink.server._load_jupyter_server_extension(SimpleNamespace(web_app=web))
    assert len(added) == 3
