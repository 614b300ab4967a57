"""The Jupyter Server extension: an authenticated way from the browser to the streamer of a session."""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "pvlink.server"}]


def _load_jupyter_server_extension(server: Any) -> None:
    # Not before it is needed: asking for the extension points must not cost the imports.
    from pvlink.server.routes import handlers

    web = server.web_app
    web.add_handlers(".*$", handlers(web.settings["base_url"]))
