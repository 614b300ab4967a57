"""A notebook in a browser, for what is seen of a simulation."""

from __future__ import annotations

from tests.browser.conftest import (
    browser as browser,
    context as context,
    desk as desk,
    jupyter as jupyter,
    keep as keep,
    notebook as notebook,
    page as page,
)
