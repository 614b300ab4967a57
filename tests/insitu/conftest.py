"""A notebook in a browser, for what is seen of a simulation."""

from __future__ import annotations

from tests.browser.conftest import (
    browser as browser,
)
from tests.browser.conftest import (
    context as context,
)
from tests.browser.conftest import (
    desk as desk,
)
from tests.browser.conftest import (
    jupyter as jupyter,
)
from tests.browser.conftest import (
    keep as keep,
)
from tests.browser.conftest import (
    notebook as notebook,
)
from tests.browser.conftest import (
    page as page,
)
