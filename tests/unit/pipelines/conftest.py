from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.pipelines.fastq_workset import Workset


@pytest.fixture
def workset(tmp_path: Path) -> Workset:
    """An empty workset directory."""
    path = tmp_path / "workset"
    path.mkdir()
    return Workset(path)
