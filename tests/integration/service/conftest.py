from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.service.door import sign_in
from tests.integration.service.service import Service


@pytest.fixture
def service() -> Service:
    return Service.new()


@pytest.fixture
def client(service: Service) -> Iterator[Any]:
    """A client that is signed in as the operator."""
    with service.client() as client:
        yield client


@pytest.fixture
def api(client: Any) -> Any:
    """The same, where it stands beside a browser."""
    return client


@pytest.fixture
def browser(service: Service) -> Iterator[Any]:
    """A client that is signed in to the portal as the operator, and has no token beside."""
    with service.client(None) as client:
        sign_in(client)
        yield client
