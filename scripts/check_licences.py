"""Check that all that daylily needs when it runs may be used and passed on with it."""

import json
import re
import subprocess
import sys
from pathlib import Path

from dependencies import EXTRAS, closure

TOOL = Path(__file__).parent.parent / ".engines" / "tools" / "bin" / "pip-licenses"
PERMISSIVE = re.compile(
    r"\b(MIT|MIT-0|BSD|0BSD|ISC|Apache|PSF-2\.0|Python Software Foundation|MPL-2\.0"
    r"|Mozilla Public License 2\.0|CC0-1\.0|Unlicense)\b"
)
KNOWN = {
    "sequali": "AGPL: reads FASTQ in a process of its own, in the extra `pipelines` alone",
    "pygal": "LGPL: draws the charts of sequali",
}
"""What is not permissive, and why we need not mind: nothing of it is linked into API or monitor."""


def main() -> int:
    """Print every fault; return 1 if there is one."""
    if not TOOL.exists():
        print("pip-licenses is not installed: `make .venv/.tools` brings it", file=sys.stderr)
        return 1
    names = sorted(closure("daylily", EXTRAS))
    always = set(closure("daylily", ("server", "aws")))
    command = [TOOL, "--python", sys.executable, "--from=mixed", "--format=json", "--packages", *names]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    faults = []
    for each in told:
        name, licence = re.sub(r"[-_.]+", "-", each["Name"]).lower(), each["License"]
        # A text instead of a name is that of the licence: its first lines tell which.
        if PERMISSIVE.search(licence) or "Permission is hereby granted, free of charge" in licence:
            continue
        if name in always or name not in KNOWN:
            faults.append(f"{each['Name']} {each['Version']}: {licence.splitlines()[0]}")
    print(f"licences: {len(told)} looked at, {len(faults)} to see to", *faults, sep="\n  ")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
