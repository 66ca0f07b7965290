"""The columns of the report, as the old system had them, and as programs like them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from daylily.domain.reporting import Contents, ReportRow
from daylily.entrypoints.cli.failures import plain

Text = Callable[[ReportRow], str]


def _gb(size: Callable[[Contents], int | None]) -> Text:
    def text(row: ReportRow) -> str:
        count = size(row.contents) if row.contents else None
        return "" if count is None else f"{count / (1 << 30):.2f} GB"

    return text


def _counted(number: Callable[[Contents], int]) -> Text:
    return lambda row: str(number(row.contents)) if row.contents else ""


def _either(costs: Callable[[ReportRow], tuple[Decimal, Decimal] | None]) -> Text:
    def text(row: ReportRow) -> str:
        pair = costs(row)
        return f"{_usd(pair[0])} / {_usd(pair[1])}" if pair else ""

    return text


def _usd(amount: Decimal | None) -> str:
    return "" if amount is None else f"${amount:.2f}"


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else ""


def _span(span: timedelta | None) -> str:
    """
    Return a span as H:MM:SS, however many hours there are.

    >>> _span(timedelta(days=1, seconds=62))
    '24:01:02'
    """
    if span is None:
        return ""
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _yes(value: bool | None) -> str:
    return "" if value is None else ("yes" if value else "no")


COLUMNS: Final[dict[str, Text]] = {
    "Workset": lambda row: row.workset,
    "State": lambda row: row.state,
    "StartDT": lambda row: _moment(row.started_at),
    "EndDT": lambda row: _moment(row.ended_at),
    "RunTime": lambda row: _span(row.run_time),
    "Valid": lambda row: _yes(row.valid),
    "Cluster": lambda row: _text(row.cluster),
    "RegionAZ": lambda row: _text(row.zone),
    "Budget": lambda row: _text(row.budget),
    "PipelineCmd": lambda row: _text(row.pipeline_command),
    "CloneCmd": lambda row: _text(row.clone_command),
    "NumSamps": lambda row: _text(row.samples),
    "NumSampLibs": lambda row: _text(row.libraries),
    "NumFASTQs": lambda row: _text(row.fastqs),
    "FASTQSize": _gb(lambda found: found.fastq_bytes),
    "NumCRAMs": _counted(lambda found: found.crams),
    "CRAMSize": _gb(lambda found: found.cram_bytes),
    "NumVCFs": _counted(lambda found: found.vcfs),
    "VCFSize": _gb(lambda found: found.vcf_bytes),
    "ResultsSize": _gb(lambda found: found.results_bytes),
    "S3DailyCost": lambda row: _usd(row.daily_usd),
    "CRAMTransferCost": _either(lambda row: row.cram_transfer_usd),
    "VCFTransferCost": _either(lambda row: row.vcf_transfer_usd),
    "EC2Cost": lambda row: _usd(row.compute_usd),
    "Detail": lambda row: row.detail,
}
MINIMAL: Final = ("Workset", "State", "StartDT", "Valid", "Detail")


def titles(*, minimal: bool) -> list[str]:
    """Return the titles of columns, in their order."""
    return list(MINIMAL if minimal else COLUMNS)


def cells(row: ReportRow, wanted: list[str]) -> list[str]:
    """Return the texts of a row: one line each, and nothing in them that steers a terminal."""
    return [plain(" ".join(COLUMNS[title](row).split())) for title in wanted]


def facts(row: ReportRow, *, minimal: bool) -> dict[str, Any]:
    """Return a row for programs: numbers in plain units, and null for what is not known."""
    found: dict[str, Any] = {
        "workset_id": row.workset,
        "state": row.state,
        "started_at": _moment(row.started_at) or None,
        "valid": row.valid,
        "detail": row.detail,
    }
    if minimal:
        return found
    contents = row.contents
    return found | {
        "ended_at": _moment(row.ended_at) or None,
        "runtime_seconds": row.run_time.total_seconds() if row.run_time is not None else None,
        "cluster": row.cluster,
        "availability_zone": row.zone,
        "budget": row.budget,
        "pipeline_command": row.pipeline_command,
        "clone_command": row.clone_command,
        "samples": row.samples,
        "libraries": row.libraries,
        "fastqs": row.fastqs,
        "fastq_bytes": contents.fastq_bytes if contents else None,
        "crams": contents.crams if contents else None,
        "cram_bytes": contents.cram_bytes if contents else None,
        "vcfs": contents.vcfs if contents else None,
        "vcf_bytes": contents.vcf_bytes if contents else None,
        "results_bytes": contents.results_bytes if contents else None,
        "s3_daily_usd": _number(row.daily_usd),
        "cram_transfer_usd": _pair(row.cram_transfer_usd),
        "vcf_transfer_usd": _pair(row.vcf_transfer_usd),
        "ec2_usd": _number(row.compute_usd),
    }


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _pair(costs: tuple[Decimal, Decimal] | None) -> dict[str, float] | None:
    if costs is None:
        return None
    return {"cross_region": float(costs[0]), "internet": float(costs[1])}
