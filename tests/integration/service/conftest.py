from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.service.service import Service


@pytest.fixture
def service() -> Service:
    return Service.new()


@pytest.fixture
def client(service: Service) -> Iterator[Any]:
    """A client that is signed in as the operator."""
    with service.client() as client:
        yield client
