"""`Connect`, `ReverseConnect` and `Disconnect` of `paraview.simple`, as scripts have them: by way of the session.

ParaView's own would go past the relay: they wait a minute for nothing and return None, and a server that dies answers
with zeros.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pvlink.servers.connected import Connected

# ParaView's -1: for ever.
FOR_EVER = 86400.0
# ParaView's 0: one try.
ONE_TRY = 1.0


def stand_ins(session: Callable[[], Connected], active: Callable[[], Any]) -> dict[str, Callable[..., Any]]:
    """By their names. `active`: ParaView's active connection, which these return."""

    def connect(
        ds_host: str | None = None,
        ds_port: int = 11111,
        rs_host: str | None = None,
        rs_port: int = 11111,
        timeout: float = 60,
    ) -> Any:
        if ds_host is None:
            session().disconnect()
            return active()
        where = f"cs://{_place(ds_host, ds_port)}"
        if rs_host is not None:
            where = f"cdsrs://{_place(ds_host, ds_port)}//{_place(rs_host, rs_port)}"
        session().connect(where, timeout=FOR_EVER if timeout < 0 else max(ONE_TRY, float(timeout)))
        return active()

    def reverse(port: int | str = 11111) -> Any:
        session().connect(f"csrc://:{port}")
        return active()

    def disconnect(ns: Any = None, force: bool = True) -> None:
        # Not forced: ParaView's own Connect() asks for it, also the one that this session has called.
        if force:
            session().disconnect()

    return {"Connect": connect, "ReverseConnect": reverse, "Disconnect": disconnect}


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
