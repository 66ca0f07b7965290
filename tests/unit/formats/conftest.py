"""Files recorded from the field, and how their faults are asked for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from daylily.domain.errors import InvalidInputError

RECORDED = Path("tests/data/formats")


@pytest.fixture(scope="session")
def recorded(pytestconfig: pytest.Config) -> Callable[[str], bytes]:
    """Read a file from tests/data/formats."""
    return lambda name: (pytestconfig.rootpath / RECORDED / name).read_bytes()


@pytest.fixture(scope="session")
def faults_of() -> Callable[[Callable[[], object]], list[str]]:
    """Call something that must raise InvalidInputError, and list its faults as text."""

    def ask(call: Callable[[], object]) -> list[str]:
        with pytest.raises(InvalidInputError) as caught:
            call()
        return [str(fault) for fault in caught.value.faults]

    return ask
