"""Run every benchmark, one after the other: ``python -m benchmarks`` (``make bench``)."""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run each ``bench_*`` of this folder in a process of its own; return how many failed."""
    failed = 0
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        print(f"== {path.stem}", flush=True)
        run = subprocess.run([sys.executable, "-m", f"benchmarks.{path.stem}"], check=False)
        failed += run.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
