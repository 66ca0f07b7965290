"""``make demo``: the script that a newcomer runs first."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil

EXAMPLES = Path(__file__).parents[3] / "examples"


def demo(folder: Path, *arguments: str) -> str:
    """Run the demonstration in *folder*, to a good end; return what it prints."""
    done = subprocess.run(
        [sys.executable, str(folder / "examples" / "demo.py"), *arguments],
        env={name: text for name, text in os.environ.items() if not name.startswith("DAYLILY_")},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_once_and_again_and_left_up(tmp_path: Path) -> None:
    """
    It tells the states and where the report is, and leaves nothing running.

    A second run works on what the first has left; with ``--keep`` the service answers until it is
    told to stop.
    """
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    first = demo(tmp_path)
    steps = re.findall(
        r"^20[-0-9]+ [:0-9]+  (ready|locked|in_progress|complete)  ", first, re.MULTILINE
    )
    assert steps == ["ready", "locked", "in_progress", "complete"]
    found = re.search(r"^==> Open the report in a browser: (.+)$", first, re.MULTILINE)
    assert found is not None
    assert "<svg" in Path(found[1]).read_text()
    home = tmp_path / ".demo"
    assert not (home / "server.json").exists()

    second = demo(tmp_path, "--keep")
    address = json.loads((home / "server.json").read_text())
    try:
        assert f"==> Still up: {address['url']}/portal" in second
        assert str(home / "admin-token") in second
        with urllib.request.urlopen(f"{address['url']}/health/ready", timeout=30) as answer:
            assert answer.status == 200
    finally:
        os.kill(address["pid"], signal.SIGTERM)
        deadline = time.monotonic() + 60
        while psutil.pid_exists(address["pid"]) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert not (home / "server.json").exists()
