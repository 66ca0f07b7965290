"""What every run of a pipeline leaves beside its results, as files that others read too."""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import evolve, frozen

from daylily.domain.brief import brief

MANIFEST: Final = "manifest.sha256"
"""The checksums of all files, as ``sha256sum -c`` reads them."""
SAMPLES: Final = "samples.json"
"""What became of each sample."""
SCHEMA: Final = "daylily/samples"
MESSAGE_LENGTH: Final = 200
"""Characters kept of why a sample failed; the log has the rest."""
OUTCOMES_MOST: Final = 1000
"""Samples that the record of a workset tells of; a file has them all."""
MESSAGES_MOST: Final = 100
"""Failed samples of which that record tells why."""


def is_unfinished(key: str) -> bool:
    """
    Tell whether a file is one that a pipeline has yet to finish, and rename to what it will be.

    >>> is_unfinished("qc/.summary.tsv.2f606e08b0ab77b2.part"), is_unfinished("qc/summary.part")
    (True, False)
    """
    name = key.rpartition("/")[2]
    return name.startswith(".") and name.endswith(".part")


@frozen(kw_only=True)
class SampleOutcome:
    """What became of one sample."""

    sample_id: str
    failed: bool = False
    message: str = ""
    """Why it failed, in one line."""

    @classmethod
    def of(cls, sample_id: str, complaint: str | None) -> "SampleOutcome":
        """
        Return the outcome of a sample.

        Args:
            complaint: Why it failed; None if it did not.
        """
        if complaint is None:
            return cls(sample_id=sample_id)
        line = complaint.strip().partition("\n")[0]
        line = "".join(each if each.isprintable() else " " for each in line).strip()
        return cls(sample_id=sample_id, failed=True, message=brief(line, MESSAGE_LENGTH))


def bounded(outcomes: Iterable[SampleOutcome], known: Iterable[str]) -> tuple[SampleOutcome, ...]:
    """
    Return what a workset's record tells of samples, in the order of *known*; others are left out.

    Where there are too many, those that failed are told of first.
    """
    found = {each.sample_id: each for each in outcomes}
    listed = [found[sample_id] for sample_id in known if sample_id in found]
    failed = [each.sample_id for each in listed if each.failed]
    fine = [each.sample_id for each in listed if not each.failed]
    told, explained = {*[*failed, *fine][:OUTCOMES_MOST]}, {*failed[:MESSAGES_MOST]}
    return tuple(
        each if each.sample_id in explained else evolve(each, message="")
        for each in listed
        if each.sample_id in told
    )


def manifest_text(sums: Mapping[str, str]) -> str:
    """
    Return the checksums of files, given by their relative names, in order of these.

    >>> manifest_text({"b": "22", "a": "11"})
    '11  a\\n22  b\\n'
    """
    return "".join(_line(name, sums[name]) for name in sorted(sums))


def _line(name: str, digest: str) -> str:
    # What sha256sum itself does with names that would break its lines.
    plain = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{'' if plain == name else chr(92)}{digest}  {plain}\n"


def samples_text(outcomes: Iterable[SampleOutcome]) -> str:
    """Return what became of samples, for a file."""
    rows = [
        {
            "sample_id": each.sample_id,
            "status": "failed" if each.failed else "ok",
            "message": each.message,
        }
        for each in outcomes
    ]
    return json.dumps({"schema": SCHEMA, "schema_version": 1, "samples": rows}) + "\n"


def read_samples(data: bytes, known: Iterable[str]) -> tuple[SampleOutcome, ...]:
    """
    Return what a file says became of samples, in the order of *known*; others are left out.

    Whoever wrote the file may have been anybody: what makes no sense is nothing.
    """
    try:
        rows = json.loads(data)["samples"]
        found = {
            row["sample_id"]: SampleOutcome.of(
                row["sample_id"], str(row.get("message", "")) if row["status"] == "failed" else None
            )
            for row in rows
            if row["status"] in {"ok", "failed"}
        }
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return ()
    return tuple(found[sample_id] for sample_id in known if sample_id in found)
