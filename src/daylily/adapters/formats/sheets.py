"""Which of two kinds a sheet is by its columns, and whether what separates them is that kind's."""

from collections.abc import Collection, Sequence
from typing import Final

from attrs import frozen

from daylily.adapters.formats import sample_sheet, stage_samples
from daylily.adapters.formats.reading import KeyOf, Sheet, as_written
from daylily.domain.errors import InvalidInputError
from daylily.domain.manifest import is_fastq

_SEPARATORS: Final = {"\t": "TABs", ",": "commas", ";": "semicolons", "|": "'|'"}
_HEAD_BYTES: Final = 4096


@frozen
class Kind:
    """What a sheet is by its first line."""

    staged: bool
    """Whether it has the columns of ``stage_samples.tsv``, rather than ``sample,fastq_1,fastq_2``."""
    separator: str

    @property
    def is_separated_well(self) -> bool:
        """Whether columns are separated as they are in sheets of this kind."""
        return self.separator == ("\t" if self.staged else ",")

    @property
    def file_columns(self) -> Collection[str]:
        """The columns that name files."""
        return ("R1_FQ", "R2_FQ") if self.staged else sample_sheet.FILE_COLUMNS

    def header(self, first: Sequence[str]) -> list[str]:
        """Return the names of the columns, given the cells of the first row."""
        if self.staged:
            return [cell.upper() for cell in first]
        return (
            [*sample_sheet.UNNAMED] if any(map(is_fastq, first)) else [cell.lower() for cell in first]
        )

    def read(self, data: bytes, *, strict: bool = False, key_of: KeyOf = as_written) -> Sheet:
        """
        Return what the sheet says.

        Raises:
            InvalidInputError: It is separated otherwise than its kind, or see its parser.
        """
        if not self.is_separated_well:
            wanted = "TABs" if self.staged else "commas"
            columns = "RUN_ID, SAMPLE_ID ..." if self.staged else "sample, fastq_1, fastq_2"
            raise InvalidInputError.of(
                "row 1",
                f"columns are separated by {_SEPARATORS[self.separator]}; save the sheet with "
                f"{wanted}, as one with {columns} has",
            )
        read = stage_samples.read if self.staged else sample_sheet.read
        return read(data, strict=strict, key_of=key_of)


def kind_of(data: bytes, *, staged: bool = False) -> Kind:
    """
    Return the kind of a sheet.

    Args:
        staged: It has the columns of ``stage_samples.tsv``, whatever it looks like.
    """
    head = data[:_HEAD_BYTES].decode("utf-8-sig", errors="replace").lstrip("\r\n")
    line = head.splitlines()[0] if head else ""
    tabs = "\t" in line or (staged and "," not in line and ";" not in line)
    best, found = Kind(staged=staged or tabs, separator="\t" if tabs else ","), 0
    for separator in _SEPARATORS:
        cells = [cell.strip().strip('"') for cell in line.split(separator)]
        of_stage = len({cell.upper() for cell in cells} & {*stage_samples.COLUMNS})
        of_sample = len({cell.lower() for cell in cells} & {*sample_sheet.KNOWN})
        files = sum(map(is_fastq, cells))
        if len(cells) > 1 and max(of_stage, of_sample, files) > found:
            found = max(of_stage, of_sample, files)
            # Both have a sample_id and a lane; and only the one may come without a header.
            best = Kind(staged or (of_stage > of_sample), separator)
    return best
