"""The guide to adapters does what it says: its files are written out and its test is run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from daylily.domain.events import EventKind
from daylily.testing.contracts.notifier import NotifierContract

GUIDE = Path(__file__).parents[3] / "docs" / "writing-an-adapter.md"
_BLOCK = re.compile(r"```python\n# (?P<name>\w+\.py)\n(?P<code>.*?)```", re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the guide prints."""
    for found in _BLOCK.finditer(GUIDE.read_text(encoding="utf-8")):
        (tmp_path / found["name"]).write_text(found["code"], encoding="utf-8")
    return tmp_path


def said(folder: Path, program: str) -> str:
    """Run a program beside those files, with a home of its own, and return what it says."""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={"HOME": str(folder), "DAYLILY_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_channel_passes_its_suite(folder: Path) -> None:
    """Every test of the suite is run, and passes."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_lab_chat.py"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout
    tests = sum(name.startswith("test_") for name in vars(NotifierContract))
    # One of them is run for each kind, and there is one for a chat that is down.
    assert f"{tests - 1 + len(EventKind) + 1} passed" in ran.stdout


def test_the_policy_is_put_to_use(folder: Path) -> None:
    """The monitor of such an App decides by it: what ended with 3 is tried again, and 4 is not."""
    program = (
        "import lab_policy\n"
        "from daylily.domain.retry import ErrorCategory, Failure\n"
        "policy = lab_policy.app().cycle.poll.policy\n"
        "for code in (3, 4):\n"
        "    failure = Failure(ErrorCategory.PERMANENT, 'it failed', code)\n"
        "    print(policy.retries(failure, 0, 3), policy.delay(0, 1.0))"
    )
    assert said(folder, program) == "True 0:10:00\nFalse 0:10:00\n"


def test_it_is_put_to_use(folder: Path) -> None:
    """An App with the channel in it comes out, beside those that were there."""
    program = "import lab; print(*lab.app().world.channels)"
    assert said(folder, program) == "journal chat\n"
