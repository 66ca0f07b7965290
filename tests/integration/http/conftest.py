from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.http.live import Live, serving


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A server with a token, on SQLite and a directory."""
    with serving(tmp_path / "home") as live:
        yield live
