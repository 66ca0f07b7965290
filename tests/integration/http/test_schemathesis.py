"""The running service against its own document: every operation, sound and unsound, in sequences."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

TOKEN: Final = "a-token-that-only-the-operator-has"
RULES: Final = Path(__file__).with_name("schemathesis.toml")
SEED: Final = 20260504
CASES: Final = int(os.environ.get("DAYLILY_FUZZ_CASES", "8"))
"""Made up for each operation, beside some 3,500 for the bounds of each of its parameters."""
REQUESTS: Final = {8: 5_000, 190: 20_000}
"""That are sent in all, at least."""


@contextmanager
def served() -> Iterator[str]:
    """Yield the address of a service of its own process."""
    command = [sys.executable, "-m", "tests.integration.http.fuzzed", TOKEN]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def fuzz(url: str, folder: Path, cases: int, *options: str) -> None:
    """Let schemathesis loose, with all its checks, in all its phases."""
    program = Path(sys.executable).with_name("st")
    command: list[str | Path] = [
        *(program, "--config-file", RULES, "run", f"{url}/openapi.json", "--no-color"),
        *("--checks", "all", "--max-examples", str(cases), "--seed", str(SEED), "--no-shrink"),
        *("--continue-on-failure", "--suppress-health-check", "all", *options),
    ]
    run = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=3 * 3600, check=False
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]


def answered(url: str) -> dict[str, int]:
    """Return how many requests were answered with each status."""
    figures = httpx.get(f"{url}/metrics", headers={"authorization": f"Bearer {TOKEN}"}, timeout=60)
    found: dict[str, int] = {}
    for status, number in re.findall(
        r'http_answers_total\{.*status="(\d+)"\} ([\d.e+]+)', figures.text
    ):
        found[status] = found.get(status, 0) + int(float(number))
    return found


@pytest.mark.load
@pytest.mark.timeout(3 * 3600)
def test_the_service_is_as_its_document_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No fault of ours, no status or shape that is not described, whoever asks and whatever is sent."""
    with served() as url:
        fuzz(url, tmp_path, CASES, "-H", f"Authorization: Bearer {TOKEN}")
        fuzz(url, tmp_path, max(CASES // 6, 1))
        counts = answered(url)
    with capsys.disabled():
        sys.stdout.write(f"\nschemathesis: {sum(counts.values())} requests, by status {counts}\n")
    assert not [status for status in counts if status.startswith("5")]
    assert sum(counts.values()) >= REQUESTS.get(CASES, 0)
