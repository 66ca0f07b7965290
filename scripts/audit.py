"""Ask whether anything that daylily pins has a weakness that is publicly known (pip-audit)."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TOOL = ROOT / ".engines" / "tools" / "bin" / "pip-audit"
_AWAY = ("Could not connect", "network may be blocking", "timed out", "Max retries", "Connection")
"""What pip-audit and its libraries say where nobody answers."""


def main() -> int:
    """Return 1 if there is one; where nobody can be asked, say so."""
    if not TOOL.exists():
        print("pip-audit is not installed: `make .venv/.tools` brings it", file=sys.stderr)
        return 1
    pins = ["--requirement", str(ROOT / "constraints.txt"), "--no-deps", "--disable-pip"]
    done = subprocess.run(
        [TOOL, *pins, "--format=json", "--progress-spinner=off"],
        capture_output=True,
        text=True,
        check=False,
    )
    return read(done.stdout, done.stderr)


def read(out: str, complaint: str) -> int:
    """Return what to exit with, given all that pip-audit has said."""
    try:
        told = json.loads(out)["dependencies"]
    except (ValueError, KeyError, TypeError):
        why = (complaint.strip().splitlines() or ["it said nothing"])[-1][:200]
        if any(word in complaint for word in _AWAY):
            print(f"audit: NOTHING WAS CHECKED, the service does not answer: {why}")
            return 0
        # Not the service's fault but ours: to go on would pass over it for ever.
        print(f"audit: pip-audit has failed: {why}", file=sys.stderr)
        return 1
    return judge(told)


def judge(told: list[dict[str, object]]) -> int:
    """Print what pip-audit has told of each dependency; return 1 if one is weak."""
    skipped = [each for each in told if "skip_reason" in each]
    weak = [each for each in told if each.get("vulns")]
    for each in weak:
        for found in each["vulns"]:  # type: ignore[attr-defined]
            fixed = ", ".join(found["fix_versions"]) or "none yet"
            print(f"  {each['name']} {each['version']}: {found['id']}, mended in {fixed}")
    checked = len(told) - len(skipped)
    if not checked:
        print(f"audit: NOTHING WAS CHECKED, the service knows none of {len(told)} packages")
    else:
        print(f"audit: {checked} checked, {len(skipped)} unknown to the service, {len(weak)} weak")
    return 1 if weak else 0


if __name__ == "__main__":
    sys.exit(main())
