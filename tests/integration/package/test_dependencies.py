"""What daylily is made of: licences, weaknesses, and a bill of materials."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator
from scripts.audit import judge, read

ROOT: Final = Path(__file__).parents[3]
TOOLS: Final = ROOT / ".engines" / "tools" / "bin"


def tool(name: str) -> str:
    """Return a program; with CI=true one that is not there is a failure, otherwise a skip."""
    if not (TOOLS / name).exists():
        text = f"{name} is not installed: `make .venv/.tools` brings it"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    return str(TOOLS / name)


def test_licences_permit_what_we_do() -> None:
    """API and monitor need nothing but permissive licences; what else there is has a reason."""
    tool("pip-licenses")
    script = [sys.executable, str(ROOT / "scripts" / "check_licences.py")]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("told", "code", "said"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], 0, "1 checked, 0 unknown"),
        ([{"name": "a", "version": "1", "skip_reason": "not found"}], 0, "NOTHING WAS CHECKED"),
        (
            [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}],
            1,
            "a 1: PYSEC-1, mended in 2",
        ),
    ],
)
def test_weaknesses_fail_and_silence_is_told(
    told: Any, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A known weakness stops CI; that nobody could be asked does not, and is not passed over."""
    assert judge(told) == code
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("out", "complaint", "code", "said"),
    [
        ("", "ERROR: Could not connect to PyPI's vulnerability feed", 0, "NOTHING WAS CHECKED"),
        ("", "pip-audit: error: unrecognized arguments: --x", 1, "pip-audit has failed"),
        ("", "", 1, "it said nothing"),
        ("[]", "", 1, "pip-audit has failed"),
        ('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', "", 0, "1 checked"),
    ],
)
def test_only_a_service_that_is_away_is_forgiven(
    out: str, complaint: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An audit that fails of itself stops CI, too: it would be passed over for ever."""
    assert read(out, complaint) == code
    assert said in "".join(capsys.readouterr())


def test_the_bill_of_materials(tmp_path: Path) -> None:
    """It is CycloneDX, of this project, and lists what it needs with versions."""
    program = tool("cyclonedx-py")
    out = tmp_path / "sbom.json"
    options = ["--pyproject", str(ROOT / "pyproject.toml"), "--of", "JSON", "-o", str(out)]
    subprocess.run(
        [program, "environment", *options, sys.executable], check=True, capture_output=True, timeout=120
    )
    told = json.loads(out.read_text(encoding="utf-8"))
    Draft7Validator({"required": ["bomFormat", "specVersion", "components", "metadata"]}).validate(told)
    assert (told["bomFormat"], told["metadata"]["component"]["name"]) == ("CycloneDX", "daylily")
    assert {"attrs", "boto3", "litestar"} <= {each["name"] for each in told["components"]}
