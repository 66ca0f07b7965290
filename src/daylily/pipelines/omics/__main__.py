"""
``python -m daylily.pipelines.omics``: one subcommand a step, the programs to run given as options.

What stands behind ``--`` are words that a customer has written. They are passed on as arguments, one by
one; no shell of ours reads them (D-35).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NoReturn

import yaml

from daylily.domain.names import is_id
from daylily.pipelines.steps.run import line_to

USAGE, NO_INPUT, UNAVAILABLE, IO_ERROR = 64, 66, 69, 74
NOT_FOUND: Final = 127
EXPORT: Final = "fsx_export.yaml"
FAILED: Final = "daylily.failed_run"
SUCCESSFUL: Final = "daylily.successful_run"
SHEET: Final = "stage_samples.tsv"
PICKED: Final = ("-t", "--tag", "--git-tag")
"""Options of day-clone that customers may choose; what is cloned, and to where, is the operator's."""
GENOMES: Final = {"GRCh38": "hg38", "GRCh37": "b37"}
"""What the pipelines of old call reference genomes."""


class StepError(Exception):
    """A step cannot be done; ``code`` is the exit code that says so."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(message)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do a step; return its exit code."""
    options = _options(arguments)
    try:
        return int(options.act(options))
    except StepError as error:
        return _say(error.code, str(error))
    except OSError as error:
        return _say(IO_ERROR, str(error))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(prog="omics", description="Do a step of a run of the Daylily of old.")
    steps = parser.add_subparsers(required=True, metavar="STEP")
    for name, act in (
        ("stage", _stage),
        ("clone", _clone),
        ("run", _run),
        ("export", _export),
        ("cancel", _cancel),
    ):
        step = steps.add_parser(name)
        step.set_defaults(act=act)
        step.add_argument("--root", type=Path, required=True, help="where runs are, on all nodes")
        step.add_argument("--name", type=_name, required=True, help="of the run's folder there")
        step.add_argument("--repository", default="daylily-omics-analysis", help="folder of a clone")
        step.add_argument("--program", action="append", default=[], help="a word of what is run")
        step.add_argument("--workset", type=Path, help="the workset's files")
        step.add_argument("--output", type=Path, help="the folder of results")
        step.add_argument("--genome", default="GRCh38", help="reference genome")
        step.add_argument("words", nargs="*", help="words of a customer")
    return parser.parse_args(arguments)


def _name(text: str) -> str:
    """Return the name of a run, which never leads out of the folder of runs (D-36)."""
    if not is_id(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no id of a workset")
    return text


def _stage(options: argparse.Namespace) -> int:
    """Put the workset's files where all nodes find them."""
    if not (options.workset / SHEET).is_file():
        raise StepError(NO_INPUT, f"{SHEET} is not in {options.workset}")
    _copy(options.workset, _staged(options))
    return 0


def _clone(options: argparse.Namespace) -> int:
    """Have a clone of the pipeline made for this run alone, and put the staged files into it."""
    if not options.program:
        raise StepError(USAGE, "--program is needed: what makes a clone")
    run = options.root / options.name
    if run.exists():
        # A clone that was cut short is none to go on with; nothing that somebody made is deleted.
        number = sum(1 for _ in options.root.glob(f"{options.name}.before-*")) + 1
        run.rename(options.root / f"{options.name}.before-{number}")
    words = list(_picked(options.words))
    if code := _call([*options.program, "-d", options.name, *words], options.root):
        return code
    clone = _clone_of(options)
    _copy(_staged(options), clone)
    (clone / "config").mkdir(exist_ok=True)
    shutil.copyfile(clone / SHEET, clone / "config" / "analysis_samples.tsv")
    return 0


def _run(options: argparse.Namespace) -> int:
    """Run the pipeline in its clone; what it says of itself counts as well as how it exits."""
    clone = _clone_of(options)
    for flag in (FAILED, SUCCESSFUL):
        (clone / flag).unlink(missing_ok=True)
    genome = GENOMES.get(options.genome, options.genome)
    program = options.program or ["bash", "-l", str(Path(__file__).with_name("day_run.bash"))]
    code = _call([*program, genome, *options.words], clone)
    if code == 0 and (clone / FAILED).exists():
        return _say(1, f"the pipeline has left {FAILED}")
    return code


def _export(options: argparse.Namespace) -> int:
    """Have the results exported; only what this export says of itself counts (D-29)."""
    told = options.output / EXPORT
    told.unlink(missing_ok=True)
    if not options.program:
        raise StepError(USAGE, "--program is needed: what exports")
    if code := _call(options.program, options.output):
        return code
    try:
        found = yaml.safe_load(told.read_text(encoding="utf-8"))["fsx_export"]
        status, where = str(found["status"]), found.get("s3_uri")
    except FileNotFoundError:
        raise StepError(IO_ERROR, f"the export has left no {EXPORT} in {options.output}") from None
    except (yaml.YAMLError, UnicodeDecodeError, LookupError, TypeError, AttributeError) as error:
        raise StepError(IO_ERROR, f"{EXPORT} makes no sense: {error!r}") from error
    if status.lower() != "success":
        raise StepError(IO_ERROR, f"{EXPORT} says {status}: {found.get('message') or 'not why'}")
    _tell(f"exported to {where}")
    return 0


def _cancel(options: argparse.Namespace) -> int:
    """Cancel the Slurm jobs that were submitted from the run's folder."""
    run = (options.root / options.name).resolve()
    question = ["squeue", "--me", "-h", "-o", "%A|%Z"]
    listed = subprocess.run(question, capture_output=True, text=True, check=False)
    if listed.returncode:
        raise StepError(UNAVAILABLE, f"squeue: {listed.stderr.strip()}")
    own = os.environ.get("SLURM_JOB_ID")
    jobs = {
        number
        for number, _, place in (line.partition("|") for line in listed.stdout.splitlines())
        if number != own and Path(place).resolve().is_relative_to(run)
    }
    if not jobs:
        return 0
    _tell(f"canceling {len(jobs)} jobs of {run}")
    order = ["scancel", *sorted(jobs)]
    return subprocess.call(order)


def _clone_of(options: argparse.Namespace) -> Path:
    clone: Path = options.root / options.name / options.repository
    if not clone.is_dir():
        raise StepError(NO_INPUT, f"there is no clone in {clone}")
    return clone


def _staged(options: argparse.Namespace) -> Path:
    folder: Path = options.root / ".staged" / options.name
    return folder


def _picked(words: Sequence[str]) -> Iterator[str]:
    """Yield the words of a customer that say which version is to be cloned."""
    given = iter(words)
    for word in given:
        option, _, value = word.partition("=")
        if option in PICKED:
            value = value or next(given, "")
            if value and not value.startswith("-"):
                yield from (option, value)
        elif word.startswith("-"):
            _tell(f"{word} is not for customers to say: left out")


def _copy(source: Path, target: Path) -> None:
    """Copy the files of a workset, or link them, but for results and what others have no use for."""
    for parent, folders, names in os.walk(source):
        here = target / Path(parent).relative_to(source)
        here.mkdir(parents=True, exist_ok=True)
        if Path(parent) == source:
            folders[:] = [name for name in folders if name not in {"results", "history", "manifests"}]
            names = [name for name in names if not name.startswith(("daylily.", "daylily_", "."))]
        for name in names:
            _copy_file(Path(parent, name), here / name)


def _copy_file(source: Path, target: Path) -> None:
    if target.exists() and target.samefile(source):
        return
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        part = target.with_name(f".{target.name}.part")
        shutil.copy2(source, part)
        part.replace(target)


def _call(words: Sequence[str], directory: Path) -> int:
    _tell(f"runs {words[0]}")
    try:
        code = subprocess.call(words, cwd=directory, stdin=subprocess.DEVNULL)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StepError(NOT_FOUND, f"{words[0]} cannot be started: {error}") from error
    return 128 - code if code < 0 else code


def _say(code: int, text: str) -> int:
    line_to(2)(text)
    return code


def _tell(text: str) -> None:
    line_to(1)(text)


if __name__ == "__main__":
    sys.exit(main())
