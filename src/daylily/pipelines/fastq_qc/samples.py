"""
Which files belong to which sample: ``stage_samples.tsv``, read without leaving the workset directory.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from attrs import frozen

from daylily.pipelines.fastq_qc.faults import SheetError, quoted

SHEET: Final = "stage_samples.tsv"
REQUIRED: Final = ("SAMPLE_ID", "R1_FQ")
ABSENT: Final = frozenset({"", "na", "NA"})


@frozen
class Fastq:
    """One file: as the sheet spells it, and where it really is."""

    name: str
    path: Path


@frozen
class Lane:
    """One row of the sheet."""

    lane: str
    r1: Fastq
    r2: Fastq | None


@frozen
class Sample:
    """All lanes of one sample, in the order of the sheet."""

    sample_id: str
    lanes: tuple[Lane, ...]

    @property
    def paired(self) -> bool:
        """Whether there is an R2 (the sheet's reader lets no sample be half paired)."""
        return self.lanes[0].r2 is not None


def read_samples(workset: Path) -> tuple[Sample, ...]:
    """
    Read the samples of the workset in directory *workset*, in the order of their first rows.

    Whether a file exists is not asked here: a missing one costs its own sample, not the others.

    Raises:
        SheetError: The sheet is absent, or some row of it cannot be used. Every fault is named.
    """
    root = workset.resolve()
    faults: list[str] = []
    lanes: dict[str, list[Lane]] = {}
    seen: dict[Path, int] = {}
    for line, row in _rows(root / SHEET):
        sample_id = row["SAMPLE_ID"]
        if not sample_id or not sample_id.isprintable():
            faults.append(
                f"{SHEET}: line {line}, column SAMPLE_ID: give a name without control characters"
            )
        files: dict[str, Fastq] = {}
        for column in ("R1_FQ", "R2_FQ"):
            cell = row.get(column, "")
            if cell in ABSENT and column == "R2_FQ":
                continue
            try:
                file = Fastq(cell, _inside(root, cell))
            except ValueError as error:
                faults.append(f"{SHEET}: line {line}, column {column}: {error}")
                continue
            if file.path in seen:
                faults.append(
                    f"{SHEET}: line {line}, column {column}: {quoted(cell)} is already used on "
                    f"line {seen[file.path]}: each file holds one mate of one lane"
                )
            seen.setdefault(file.path, line)
            files[column] = file
        if "R1_FQ" in files:
            lane = Lane(row.get("LANE", ""), files["R1_FQ"], files.get("R2_FQ"))
            lanes.setdefault(sample_id, []).append(lane)
    faults += [
        f"{SHEET}: sample {name}: some lanes have an R2_FQ and others have none"
        for name, group in lanes.items()
        if len({lane.r2 is None for lane in group}) > 1
    ]
    if not lanes and not faults:
        faults.append(f"{SHEET}: there is no sample under the header line")
    if faults:
        raise SheetError(tuple(faults))
    return tuple(Sample(name, tuple(group)) for name, group in lanes.items())


def chosen(samples: tuple[Sample, ...], wanted: Sequence[str]) -> tuple[Sample, ...]:
    """
    Return the samples that are wanted; all if none is named.

    Raises:
        SheetError: One that is wanted is not there.
    """
    known = {sample.sample_id for sample in samples}
    if absent := [name for name in wanted if name not in known]:
        raise SheetError(tuple(f"{SHEET}: there is no sample {quoted(name)}" for name in absent))
    return tuple(sample for sample in samples if not wanted or sample.sample_id in wanted)


def _rows(sheet: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells of every row that is not blank."""
    try:
        text = sheet.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SheetError((f"{SHEET} is not in the workset directory",), missing=True) from None
    except OSError as error:
        raise SheetError((f"{SHEET} cannot be read: {error.strerror}",), missing=True) from error
    except UnicodeDecodeError as error:
        raise SheetError((f"{SHEET} is not UTF-8 text (byte {error.start})",)) from None
    # No quoting: a TAB-separated sheet has none, and a stray quote must not swallow the lines below it.
    lines = csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    header = [cell.strip() for cell in next(lines, [])]
    absent = [name for name in REQUIRED if name not in header]
    if absent:
        raise SheetError((f"{SHEET}: the header line lacks the column(s) {', '.join(absent)}",))
    for cells in lines:
        if any(cell.strip() for cell in cells):
            short = [""] * (len(header) - len(cells))
            yield lines.line_num, dict(zip(header, [c.strip() for c in [*cells, *short]], strict=False))


def _inside(root: Path, cell: str) -> Path:
    """
    Return the real place of *cell*, a path relative to the workset.

    Raises:
        ValueError: It is no such path, or leads out of the workset.
    """
    if not cell:
        raise ValueError("give the path of a FASTQ file, relative to the workset directory")
    given = PurePosixPath(cell)
    if (
        "://" in cell
        or given.is_absolute()
        or ".." in given.parts
        or not cell.isprintable()
        or "\\" in cell
    ):
        raise ValueError(
            f"{quoted(cell)} must be a path relative to the workset directory, without '..'"
        )
    try:
        path = (root / given).resolve()
    except (OSError, RuntimeError):  # a loop of symbolic links
        raise ValueError(f"{quoted(cell)} cannot be followed to a file") from None
    if not path.is_relative_to(root):
        raise ValueError(f"{quoted(cell)} leads out of the workset directory")
    return path
