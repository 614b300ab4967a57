"""`from pvlink.simple import *` is `from paraview.simple import *` with pvlink.start() included."""

from __future__ import annotations

import importlib

import pvlink

pvlink.start()
_mirrored = importlib.import_module("paraview.simple")
__doc__ = _mirrored.__doc__ or __doc__
__all__ = list(_mirrored.__all__)


def __getattr__(name: str) -> object:
    return getattr(_mirrored, name)


def __dir__() -> list[str]:
    return dir(_mirrored)
