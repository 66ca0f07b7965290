"""Worksets for the tests of fastq-qc: a sample sheet and FASTQ files, sound unless asked otherwise."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterable
from pathlib import Path

from attrs import define, field

COLUMNS = (
    "RUN_ID",
    "SAMPLE_ID",
    "EXPERIMENTID",
    "SAMPLE_TYPE",
    "LIB_PREP",
    "SEQ_VENDOR",
    "SEQ_PLATFORM",
    "LANE",
    "SEQBC_ID",
    "PATH_TO_CONCORDANCE_DATA_DIR",
    "R1_FQ",
    "R2_FQ",
    "STAGE_DIRECTIVE",
    "STAGE_TARGET",
    "SUBSAMPLE_PCT",
    "IS_POS_CTRL",
    "IS_NEG_CTRL",
    "N_X",
    "N_Y",
    "EXTERNAL_SAMPLE_ID",
)

Record = tuple[str, str, str]


def fastq(records: Iterable[Record]) -> bytes:
    """Return name, sequence and quality of each record as FASTQ."""
    return "".join(f"@{name}\n{bases}\n+\n{quality}\n" for name, bases, quality in records).encode()


def reads(number: int, *, mate: int = 1, length: int = 30, seed: int = 1) -> list[Record]:
    """Return *number* reads; those of mates 1 and 2 pair up."""
    dice = random.Random(f"{seed}/{mate}")  # noqa: S311
    return [
        (
            f"M1:7:FC:1:{n} {mate}:N:0:1",
            "".join(dice.choices("ACGTN", [30, 20, 20, 29, 1], k=length)),
            "".join(dice.choices("!#,5:FI~", k=length)),
        )
        for n in range(number)
    ]


@define
class Workset:
    """A workset directory that grows sample by sample."""

    path: Path
    rows: list[dict[str, str]] = field(factory=list)
    line_end: str = "\n"

    def sample(
        self, sample_id: str, r1: bytes, r2: bytes | None = None, *, lane: str = "0", gz: bool = True
    ) -> None:
        """Add a row, and its files with the given FASTQ text."""
        names = [self.file(f"{len(self.rows)}_R1", r1, gz=gz)]
        names.append("" if r2 is None else self.file(f"{len(self.rows)}_R2", r2, gz=gz))
        self.row(sample_id, *names, lane=lane)

    def file(self, stem: str, text: bytes, *, gz: bool = True) -> str:
        """Write a file and return its path as the sheet spells it."""
        name = f"sample_data/{stem}.fastq" + (".gz" if gz else "")
        (self.path / "sample_data").mkdir(exist_ok=True)
        (self.path / name).write_bytes(gzip.compress(text, 1, mtime=0) if gz else text)
        return name

    def row(self, sample_id: str, r1: str, r2: str = "", *, lane: str = "0") -> None:
        """Add a row and write the sheet."""
        self.rows.append({"SAMPLE_ID": sample_id, "R1_FQ": r1, "R2_FQ": r2, "LANE": lane})
        lines = ["\t".join(COLUMNS)]
        lines += ["\t".join(row.get(column, "x") for column in COLUMNS) for row in self.rows]
        (self.path / "stage_samples.tsv").write_text(self.line_end.join([*lines, ""]), newline="")
