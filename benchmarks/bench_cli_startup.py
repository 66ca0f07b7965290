"""
How long ``daylily --help`` takes, against an interpreter that does nothing.

    python benchmarks/bench_cli_startup.py [--runs 20] [--most 12.5]

Exits 1 if help takes more than ``--most`` times as long (100 ms where bare Python takes 8).
"""

import argparse
import statistics
import subprocess
import sys
import time

PROGRAM = "from daylily.entrypoints.cli import main; main()"
CASES = {
    "bare python": ("-c", "pass"),
    "import click": ("-c", "import click"),
    "daylily --help": ("-c", PROGRAM, "--help"),
    "daylily list --help": ("-c", PROGRAM, "list", "--help"),
}


def seconds(arguments: tuple[str, ...]) -> float:
    """Return how long one run takes, its start included."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> int:
    """Measure in turns, so that a busy machine is busy for all, and print medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--most", type=float, default=12.5)
    options = parser.parse_args()
    taken: dict[str, list[float]] = {name: [] for name in CASES}
    for arguments in CASES.values():
        seconds(arguments)  # fill the caches
    for _ in range(options.runs):
        for name, arguments in CASES.items():
            taken[name].append(seconds(arguments))
    bare = statistics.median(taken["bare python"])
    for name, values in taken.items():
        middle = statistics.median(values)
        print(f"{name:20} {1000 * middle:7.1f} ms  {middle / bare:5.1f} x bare python")
    return 0 if statistics.median(taken["daylily --help"]) <= options.most * bare else 1


if __name__ == "__main__":
    sys.exit(main())
