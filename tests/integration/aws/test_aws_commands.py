"""From nothing to a result on AWS, as the guide types it: real stores, real processes, real reads."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.aws.engines import Endpoint

from daylily.testing.contracts.compute import DEADLINE

pytestmark = pytest.mark.engine

EXAMPLE = Path(__file__).parents[3] / "examples" / "fastq-qc"
PROGRAM = (sys.executable, "-c", "from daylily.entrypoints.cli import main; main()")
Run = Callable[..., str]


@pytest.fixture
def daylily(tmp_path: Path, dynamodb_endpoint: Endpoint, s3_endpoint: Endpoint) -> Run:
    """Return what runs a command that must go well, and returns what it prints."""
    token = uuid.uuid4().hex[:8]
    (tmp_path / "credentials").write_text(
        f"[lab]\naws_access_key_id={s3_endpoint.access_key}\n"
        f"aws_secret_access_key={s3_endpoint.secret_key}\n"
    )
    (tmp_path / "config").write_text("[profile lab]\nregion = eu-central-1\n")
    aws = ("AWS_", "DAYLILY_", "S3_", "WORKSET_", "CUSTOMER_")
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(aws)},
        "AWS_PROFILE": "lab",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_endpoint.url,
        "AWS_ENDPOINT_URL_S3": s3_endpoint.url,
        "S3_BUCKET": f"daylily-{token}",
        "WORKSET_TABLE_NAME": f"daylily-worksets-{token}",
        "DAYLILY_HOME": str(tmp_path / "home"),
        "DAYLILY_CONFIG": os.devnull,
        "DAYLILY_PORT": "0",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*PROGRAM, *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_from_nothing_to_a_result(daylily: Run) -> None:
    """Init, doctor, submit, monitor and list are all that it takes; a second init has nothing to do."""
    daylily("init")
    found = json.loads(daylily("doctor", "--json"))
    sound = {each["check"] for each in found if each["verdict"] == "ok"}
    assert sound >= {"credentials", "table", "skew", "indexes", "writes", "customers", "objects"}
    daylily("submit", str(EXAMPLE))
    end = time.monotonic() + DEADLINE
    while "complete" not in daylily("list"):
        assert time.monotonic() < end
        daylily("monitor", "--once")
    assert json.loads(daylily("init", "--json"))["changed"] == 0
