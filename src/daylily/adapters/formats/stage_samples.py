"""``stage_samples.tsv``: what staging must know of every FASTQ pair, 20 columns (contract 2.9)."""

from collections.abc import Callable

from daylily.adapters.formats.reading import CONTROL
from daylily.adapters.formats.stage_sheet import COLUMNS, parse, read
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.workset import Workset

__all__ = ["COLUMNS", "parse", "read", "render"]


def _as_it_is(key: str) -> str:
    return key


def render(workset: Workset, locate: Callable[[str], str] = _as_it_is) -> str:
    """
    Return the sheet that the staging step reads, one row a FASTQ pair, with LF line ends.

    Args:
        locate: Says where staging finds the file of a key relative to the workset; ``s3://`` keys
            are nobody's to locate.

    Raises:
        InvalidInputError: A value holds a TAB or a line end, which this format cannot carry.
    """
    rows: list[tuple[str, ...]] = [COLUMNS]
    for sample in workset.manifest.samples:
        rows += [_row(workset.workset_id, sample, pair, locate) for pair in sample.pairs]
    faults = [
        Fault(f"row {number}, {column}", f"{cell[:80]!r} holds a control character")
        for number, row in enumerate(rows, start=1)
        for column, cell in zip(COLUMNS, row, strict=True)
        if CONTROL.search(cell)
    ]
    if faults:
        raise InvalidInputError(faults)
    return "".join("\t".join(row) + "\n" for row in rows)


def _row(
    workset_id: str, sample: Sample, pair: FastqPair, locate: Callable[[str], str]
) -> tuple[str, ...]:
    def place(key: str) -> str:
        return key if key.startswith("s3://") else locate(key)

    return (
        sample.run_id or workset_id,
        sample.sample_id,
        sample.experiment_id or sample.sample_id,
        sample.sample_type,
        sample.library_prep,
        sample.vendor.value,
        sample.platform,
        pair.lane,
        sample.barcode,
        sample.concordance_dir or "",
        place(pair.r1),
        place(pair.r2) if pair.r2 is not None else "",
        "stage_data",
        "/fsx/staged_sample_data/",
        _or_na(sample.subsample),
        str(sample.positive_control).lower(),
        str(sample.negative_control).lower(),
        _or_na(sample.n_x),
        _or_na(sample.n_y),
        sample.external_id or "na",
    )


def _or_na(value: float | None) -> str:
    return "na" if value is None else str(value)
