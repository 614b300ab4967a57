"""A browser for the ways in; as in tests/browser, what runs is the pvlink that is installed."""

from tests.browser.conftest import browser, keep, no_complaints

__all__ = ["browser", "keep", "no_complaints"]
