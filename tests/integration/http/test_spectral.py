"""The OpenAPI document under Spectral's rules for OpenAPI."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.integration.service.service import TOKEN, Service

SPECTRAL = Path(__file__).parents[3] / ".engines" / "spectral" / "node_modules" / ".bin" / "spectral"


def test_the_document_is_clean(tmp_path: Path) -> None:
    """Spectral's own rules find nothing to complain of, not even a hint."""
    if not SPECTRAL.exists():
        text = "spectral is not installed: `make engines` brings node, and `make test` the linter"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    with Service.new().client(TOKEN) as client:
        (tmp_path / "openapi.json").write_text(json.dumps(client.get("/openapi.json").json()))
    (tmp_path / "rules.yaml").write_text('extends: ["spectral:oas"]\n')

    run = subprocess.run(
        [SPECTRAL, "lint", "openapi.json", "--ruleset", "rules.yaml", "--fail-severity", "hint"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
