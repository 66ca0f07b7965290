"""One AWS for all tests of the guide, and a site of its own for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.guide.world import Site, moto_server


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """The address of an AWS that other processes can reach."""
    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture
def site(aws: str, tmp_path: Path) -> Site:
    """A machine that is set up for the guide."""
    return Site.new(tmp_path, aws)
