"""AWS as moto plays it, in this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws
from tests.integration.deploy.templates import BUCKET, REGION


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Let nothing get out, and say no more than an operator does."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "DAYLILY_URL", "DAYLILY_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("DAYLILY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("S3_BUCKET", BUCKET)
    with mock_aws():
        yield
