"""Fixtures of the demo's tests."""

from tests.support import api_server

__all__ = ["api_server"]
