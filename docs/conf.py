"""Sphinx: the documentation, in Markdown."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pvlink.version import __version__  # noqa: E402  (found through the path set above)

project = "pvlink"
author = "The pvlink authors"
copyright = "2026, The pvlink authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
nitpicky = False

# `start`, not `pvlink.api.start`: users write pvlink.start.
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "description"

html_theme = "furo"
html_title = f"pvlink {version}"
