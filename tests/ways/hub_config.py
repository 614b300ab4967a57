"""The settings of the tests' JupyterHub; what differs is in facts.json beside this file."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator  # type: ignore[import-untyped]
from traitlets.config import get_config

HOME = Path(__file__).parent
FACTS: dict[str, Any] = json.loads((HOME / "facts.json").read_text())


class Passwords(Authenticator):  # type: ignore[misc]
    """Each user has a password of their own."""

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        expected = FACTS["passwords"].get(data["username"])
        return data["username"] if expected and hmac.compare_digest(expected, data["password"]) else None


c = get_config()
c.JupyterHub.bind_url = f"http://127.0.0.1:{FACTS['port']}{FACTS['base']}"
c.JupyterHub.hub_port = FACTS["hub_port"]
c.JupyterHub.db_url = f"sqlite:///{HOME}/hub.sqlite"
c.JupyterHub.cookie_secret_file = str(HOME / "cookie_secret")
c.JupyterHub.authenticator_class = Passwords
c.JupyterHub.allow_named_servers = True
# What the hub knows of a server's activity is asked for often, as nobody waits for five minutes here.
c.JupyterHub.last_activity_interval = 1
c.JupyterHub.services = [{"name": "administrator", "api_token": FACTS["token"]}]
c.JupyterHub.load_roles = [
    {"name": "administrator", "scopes": ["admin:users", "admin:servers", "tokens"], "services": ["administrator"]},
    # A user's own token may come to the user's own server.
    {"name": "user", "scopes": ["self", "access:servers!user"]},
]
c.Authenticator.allowed_users = set(FACTS["passwords"])
c.ConfigurableHTTPProxy.command = FACTS["proxy"]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{FACTS['proxy_port']}"
c.ConfigurableHTTPProxy.auth_token = FACTS["proxy_token"]
c.ConfigurableHTTPProxy.pid_file = str(HOME / "proxy.pid")
c.JupyterHub.spawner_class = FACTS["spawner"]
c.SimpleLocalProcessSpawner.home_dir_template = FACTS["homes"]
c.Spawner.cmd = FACTS["server"]
c.Spawner.args = ["--LabApp.expose_app_in_browser=True"]
c.Spawner.http_timeout = c.Spawner.start_timeout = 90
c.Spawner.environment = {"JUPYTERHUB_ACTIVITY_INTERVAL": "1"}
