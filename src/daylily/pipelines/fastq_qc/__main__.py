"""``python -m daylily.pipelines.fastq_qc``: the command line, the log lines and the exit code."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn, TextIO

from attrs import define, field

from daylily.domain.results import MANIFEST, SAMPLES, SampleOutcome, samples_text
from daylily.pipelines.fastq_qc.faults import Fault, Kind, SheetError
from daylily.pipelines.fastq_qc.measure import Result
from daylily.pipelines.fastq_qc.samples import Sample, chosen, read_samples
from daylily.pipelines.fastq_qc.workers import measure_all
from daylily.pipelines.files import sweep, write_manifest, write_whole

# sysexits.h, spelled out because `os` has them on Unix only.
OK, USAGE, DATA, NO_INPUT, SOFTWARE, IO_ERROR = 0, 64, 65, 66, 70, 74
# When samples fail in different ways: what nobody can retry away comes first.
EXIT_CODES: Final = ((Kind.DAMAGED, DATA), (Kind.MISSING, NO_INPUT), (Kind.CRASHED, SOFTWARE))
OUTPUTS: Final = ("summary.tsv", "report.json", "report.html")
MOST_FAULTS: Final = 5
"""Told in the closing line; the report has them all."""


class Terminated(BaseException):
    """
    SIGTERM came. Not an Exception, so that nothing on the way up takes it for a fault of the data.
    """


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a workset and return the exit code."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return _run(options.workset, options.output, options.threads, options.sample)
    except Terminated:
        # Die of the signal, so that whoever sent it sees that it worked.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
        raise
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(
        prog="fastq-qc",
        description="Check the FASTQ files of a workset and report on their quality.",
        epilog="exit codes: 0 all samples are fine, 64 wrong usage, 65 damaged data, "
        "66 a missing input, 70 a fault of this program, 74 the output cannot be written",
    )
    add = parser.add_argument
    add("--workset", type=Path, required=True, metavar="DIR", help="holds stage_samples.tsv")
    add("--output", type=Path, required=True, metavar="DIR", help="made when absent")
    add("--threads", type=_positive, default=1, metavar="N", help="samples at once (default: 1)")
    add(
        "--sample", action="append", default=[], metavar="ID",
        help="measure this sample only; may be repeated (default: all)",
    )  # fmt: skip
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1 is needed")
    return number


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated


def _run(workset: Path, output: Path, threads: int, wanted: Sequence[str]) -> int:
    try:
        samples = chosen(read_samples(workset), wanted)
    except SheetError as error:
        for line in error.faults:
            complain(line)
        return NO_INPUT if error.missing else DATA
    try:
        # Before the hours of work, not after.
        output.mkdir(parents=True, exist_ok=True)
        sweep(output, (*OUTPUTS, SAMPLES, MANIFEST))
    except OSError as error:
        complain(f"{output} cannot be made: {error.strerror}")
        return IO_ERROR
    log = _Log(samples)
    try:
        results = measure_all(samples, threads, log)
    except BaseException:
        # A time limit, say: what was found until then is not found again for nothing.
        _complain_of(log.failed)
        raise
    try:
        _write(output, results)
    except OSError as error:
        complain(f"the results cannot be written to {output}: {error.strerror}")
        return IO_ERROR
    failed = [(result.sample_id, result.fault) for result in results if result.fault]
    fine = f"{len(results) - len(failed)} of {len(results)} samples are fine"
    say(f"done: {fine}; the report is {output / 'report.html'}")
    _complain_of(failed)
    kinds = {fault.kind for _, fault in failed}
    return next((code for kind, code in EXIT_CODES if kind in kinds), OK)


def _complain_of(failed: Sequence[tuple[str, Fault]]) -> None:
    """Tell which samples failed and why, in one line: engines pass on what a job wrote last."""
    told = [f"sample {sample_id}: {fault}" for sample_id, fault in failed[:MOST_FAULTS]]
    if len(failed) > MOST_FAULTS:
        told.append("the report names the others")
    if told:
        head = f"{len(failed)} samples failed: " if len(failed) > 1 else ""
        complain(f"{head}{'; '.join(told)}")


def _write(output: Path, results: tuple[Result, ...]) -> None:
    # Imported late: templates and plots are of no use to a run that is refused at the door.
    from daylily.pipelines.fastq_qc.report import report_html
    from daylily.pipelines.fastq_qc.results import report_json, summary_tsv

    for name, text in zip(
        OUTPUTS, (summary_tsv(results), report_json(results), report_html(results)), strict=True
    ):
        write_whole(output / name, text)
    outcomes = (
        SampleOutcome.of(result.sample_id, str(result.fault) if result.fault else None)
        for result in results
    )
    write_whole(output / SAMPLES, samples_text(outcomes))
    # Last: who finds it finds all that it lists.
    write_manifest(output)


def _progress_file() -> Path | None:
    name = os.environ.get("DAYLILY_PROGRESS")
    return Path(name) if name else None


@define
class _Log:
    """
    Tells people (standard output) and the engine (the file named by DAYLILY_PROGRESS) how far we are.
    """

    samples: Sequence[Sample]
    done: int = 0
    failed: list[tuple[str, Fault]] = field(init=False, factory=list)
    path: Path | None = field(init=False, factory=_progress_file)

    def __call__(self, index: int, news: int | Result) -> None:
        sample_id = self.samples[index].sample_id
        if isinstance(news, Result):
            self.done += 1
            message = f"sample {sample_id}: {news.fault or f'{news.reads} reads'}"
            if news.fault:
                self.failed.append((sample_id, news.fault))
            # Why it failed is told once, at the end of the log, where people look for it.
            outcome = "failed" if news.fault else f"{news.reads} reads"
            say(f"[{self.done}/{len(self.samples)}] sample {sample_id}: {outcome}")
        else:
            message = f"sample {sample_id}: {news} reads so far"
        if self.path is None:
            return
        progress = {"done": self.done, "total": len(self.samples), "message": message}
        try:
            write_whole(self.path, json.dumps(progress) + "\n")
        except OSError as error:
            complain(f"progress is no longer written: {self.path}: {error.strerror}")
            self.path = None


def say(line: str) -> None:
    """Print a line for people, at once; if they have gone, go on without."""
    _write_line(sys.stdout, line)


def complain(line: str) -> None:
    """Print a line to standard error; if nobody reads it, go on without."""
    _write_line(sys.stderr, line)


def _write_line(stream: TextIO, line: str) -> None:
    # What counts are the files: hours of work must not be lost because `| head` has seen enough, or
    # because the disk of the log is full.
    try:
        stream.write(f"{line}\n")
        stream.flush()
    except OSError:
        # The line is still in the buffer, and Python would try it again at the very end.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
