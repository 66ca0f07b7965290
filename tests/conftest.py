"""What all tests share."""

import pytest


@pytest.hookimpl
def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name cases of bytes by their argument: times inside them differ between test processes."""
    return argname if isinstance(val, bytes) else None
