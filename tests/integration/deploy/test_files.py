"""The files of deploy/ under the tools that their readers trust."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from tests.integration.deploy.templates import DEPLOY

TOOLS: Final = DEPLOY.parent / ".engines" / "tools" / "bin"
SYSTEMD: Final = Path("/usr/bin/systemd-analyze")
UNITS: Final = ("daylily-api.service", "daylily-monitor@.service")
MOST_EXPOSED: Final = 2.0
"""Of 10, as systemd-analyze has it: below 2 is what few services of Debian come to."""


def tool(program: Path, where_from: str) -> str:
    """Return a program; with CI=true one that is not there is a failure, otherwise a skip."""
    if program.exists():
        return str(program)
    text = f"{program.name} is not installed: {where_from}"
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool, and return all that it said."""
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_cloudformation_is_clean() -> None:
    """cfn-lint has nothing to say, not even a hint."""
    program = tool(Path(sys.executable).with_name("cfn-lint"), "it comes with `make test`")
    done = run(program, "--include-checks", "I", "--", *map(str, DEPLOY.glob("cloudformation/*.yaml")))
    assert done.returncode == 0, done.stdout


def test_the_dockerfile_is_clean() -> None:
    """hadolint has nothing to say."""
    program = tool(TOOLS / "hadolint", "`make .venv/.tools` brings it")
    done = run(program, str(DEPLOY / "docker" / "Dockerfile"))
    assert done.returncode == 0, done.stdout


def test_images_run_as_nobody_in_particular() -> None:
    """What is shipped does not run as root, tells how it is, and has no secret in it."""
    text = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
    parts = [stage.partition("\n") for stage in text.split("\nFROM ")[1:]]
    stages = {first.split()[-1]: rest for first, _, rest in parts}
    assert set(stages) == {"build", "service", "lambda"}
    for name in ("service", "lambda"):
        users = [line for line in stages[name].splitlines() if line.startswith("USER ")]
        assert users[-1] == "USER 10001:10001"
    assert "HEALTHCHECK" in stages["service"]
    assert "TOKEN=" not in text


@pytest.mark.parametrize("unit", UNITS)
def test_units_of_systemd_are_sound(unit: str, tmp_path: Path) -> None:
    """systemd takes them as they are, and finds little that could be done with them."""
    program = tool(SYSTEMD, "it comes with systemd")
    text = (DEPLOY / "systemd" / unit).read_text(encoding="utf-8")
    assert "ExecStart=/opt/daylily/bin/daylily " in text
    # All but what is to be installed first.
    copy = tmp_path / unit
    copy.write_text(text.replace("/opt/daylily/bin/daylily", "/bin/true"), encoding="utf-8")
    verified = run(program, "verify", str(copy).replace("@.", "@one."))
    assert verified.returncode == 0, verified.stderr
    assert unit.partition(".")[0].rstrip("@") not in verified.stderr
    limit = f"--threshold={MOST_EXPOSED * 10:.0f}"
    bounded = run(program, "security", "--offline=true", limit, "--no-pager", str(copy))
    assert bounded.returncode == 0, bounded.stdout


def compose() -> dict[str, Any]:
    """Return the services of docker-compose.yaml."""
    text = (DEPLOY / "docker-compose.yaml").read_text(encoding="utf-8")
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    return services


def test_compose_starts_an_api_and_a_monitor_on_one_home() -> None:
    """Both are of one image and share the home; nothing is published beyond this machine."""
    services = compose()
    assert set(services) == {"api", "monitor"}
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["volumes"] == ["home:/var/lib/daylily"]
        assert service["build"]["dockerfile"] == "deploy/docker/Dockerfile"
        assert service["build"]["target"] == "service"
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).exists()
    (port,) = services["api"]["ports"]
    assert port == "127.0.0.1:8000:8000"


def test_compose_has_no_token_of_its_own() -> None:
    """It does not start until somebody has chosen one."""
    assert compose()["api"]["environment"]["DAYLILY_TOKEN"].startswith("${DAYLILY_TOKEN:?")
