"""``python -m daylily.pipelines.steps``: the command line, the results folder and the exit code."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from daylily.domain.results import MANIFEST, SAMPLES, samples_text
from daylily.domain.steps import Per, PlannedStep, decoded
from daylily.pipelines.files import sweep, write_manifest, write_whole
from daylily.pipelines.steps import record
from daylily.pipelines.steps.record import BusyError, Record
from daylily.pipelines.steps.run import Runner, line_to

USAGE, IO_ERROR, BUSY = 64, 74, 75


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a plan; return the exit code."""
    options = _options(arguments)
    say, complain = line_to(1), line_to(2)
    results: Path = options.results
    try:
        results.mkdir(parents=True, exist_ok=True)
        sweep(results, (SAMPLES, MANIFEST))
        _take_over(options.resume, results, say)
        opened = Record.open(results)
    except BusyError as error:
        complain(str(error))
        return BUSY
    except OSError as error:
        complain(f"{results} cannot be written: {error}")
        return IO_ERROR
    runner = Runner(
        plan=options.plan,
        values={"workset_dir": str(options.workset), "results_dir": str(results)},
        samples=options.sample,
        record=opened,
        report=_reporter(len(options.plan)),
        say=say,
        complain=complain,
        grace=options.grace,
    )
    try:
        code = runner.run()
        if any(step.per is Per.SAMPLE for step in options.plan):
            write_whole(results / SAMPLES, samples_text(runner.outcomes()))
        write_manifest(results)
    except OSError as error:
        complain(f"{results} cannot be written: {error}")
        return IO_ERROR
    finally:
        opened.close()
    return code


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(prog="steps", description="Run the steps of a pipeline, one after the other.")
    add = parser.add_argument
    add("--workset", type=Path, required=True, metavar="DIR", help="the workset's files")
    add("--results", type=Path, required=True, metavar="DIR", help="made when absent")
    add("--plan", type=_plan, required=True, metavar="JSON", help="what is to be run")
    add("--sample", action="append", default=[], metavar="ID", help="run steps of samples for it")
    add(
        "--resume", type=Path, action="append", default=[], metavar="DIR",
        help="results of an earlier attempt, to go on from; of several, the first that has any",
    )  # fmt: skip
    add("--grace", type=float, default=5.0, metavar="SECONDS", help="for a step to end on TERM")
    return parser.parse_args(arguments)


def _plan(text: str) -> tuple[PlannedStep, ...]:
    return decoded(text)


def _take_over(places: Sequence[Path], results: Path, say: Callable[[str], None]) -> None:
    """Copy what an earlier attempt has left, unless that was done before or there is nothing."""
    earlier = next((place for place in places if (place / record.NAME).is_file()), None)
    if earlier is None or (results / record.NAME).exists():
        return
    say(f"going on from {earlier}")
    for path in sorted(earlier.iterdir()):
        if path.name in {record.NAME, SAMPLES, MANIFEST}:
            continue
        target = results / path.name
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, target, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(path, target, follow_symlinks=False)
    # The record last, and in one step: with it, the rest is known to be there.
    part = results / f".{record.NAME}.part"
    shutil.copyfile(earlier / record.NAME, part)
    part.replace(results / record.NAME)


def _reporter(total: int) -> Callable[[int, str], None]:
    """Return what tells the engine (the file named by DAYLILY_PROGRESS) at which step we are."""
    name = os.environ.get("DAYLILY_PROGRESS")
    path = Path(name) if name else None

    def report(done: int, message: str) -> None:
        if path is not None:
            try:
                told = {"done": done, "total": total, "message": message}
                write_whole(path, json.dumps(told) + "\n")
            except OSError as error:
                line_to(2)(f"progress cannot be written to {path}: {error.strerror}")

    return report


if __name__ == "__main__":
    sys.exit(main())
