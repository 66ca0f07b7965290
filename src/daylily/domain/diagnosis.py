"""
Why an attempt failed, told from what it left behind: a code, a category and what to do.

Codes, names and patterns are those of the old system (contract 8.4). Of several that match the most
specific one counts, which is why the order of the catalogue is part of it.
"""

import re
from typing import Final

from attrs import field, frozen

from daylily.domain.retry import INFRASTRUCTURE, ErrorCategory, Failure, category_of, says_much


def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


@frozen(kw_only=True)
class Diagnosis:
    """One known way to fail."""

    code: str
    name: str
    category: ErrorCategory
    remedy: str
    """What a person can do about it."""
    pattern: re.Pattern[str] = field(converter=_compiled, repr=False)

    def fits(self, text: str) -> bool:
        """Tell whether a message or the end of a log speaks of this."""
        return self.pattern.search(text) is not None


CATALOGUE: Final = (
    Diagnosis(
        code="WS-CLU-001",
        name="NodeFailure",
        category=ErrorCategory.TRANSIENT,
        remedy="A machine of the cluster failed. It is tried again by itself, at no cost in retries.",
        pattern=("NODE_FAIL", "BOOT_FAIL", "PREEMPTED", r"node failure", r"lost contact with node",
                 r"host ec2 .{0,80} terminated", r"spot .{0,40}(interrupt|reclaim)"),
    ),
    Diagnosis(
        code="WS-RES-001",
        name="OutOfMemory",
        category=ErrorCategory.RESOURCE,
        remedy="Give the pipeline more memory (memory_gb in its settings), or fewer threads.",
        pattern=("OUT_OF_MEMORY", r"out of memory", r"oom[-_ ]?kill", r"cannot allocate memory",
                 r"\bMemoryError\b", r"java\.lang\.OutOfMemoryError", r"std::bad_alloc"),
    ),
    Diagnosis(
        code="WS-RES-002",
        name="DiskFull",
        category=ErrorCategory.RESOURCE,
        remedy="Free room on the disk the pipeline writes to, or give it a larger one.",
        pattern=(r"no space left on device", r"\bENOSPC\b", r"disk quota exceeded",
                 r"write error: no space"),
    ),
    Diagnosis(
        code="WS-AWS-001",
        name="AWSThrottling",
        category=ErrorCategory.TRANSIENT,
        remedy="AWS asked to go slower. It is tried again by itself; run fewer worksets at a time.",
        pattern=(r"ThrottlingException", r"rate exceeded", r"\bthrottl(ed|ing)\b",
                 r"TooManyRequestsException", r"\bSlowDown\b"),
    ),
    Diagnosis(
        code="WS-AWS-002",
        name="AccessDenied",
        category=ErrorCategory.CONFIGURATION,
        remedy="The role of the job lacks a permission: `daylily doctor` names it.",
        pattern=(r"access ?denied", r"not authorized", r"UnauthorizedAccess"),
    ),
    Diagnosis(
        code="WS-NET-001",
        name="S3Timeout",
        category=ErrorCategory.TRANSIENT,
        remedy="S3 or the network was slow. It is tried again by itself.",
        pattern=(r"\bs3\b.{0,200}timed? ?out", r"connect(ion)? timed? ?out", r"read timed? ?out"),
    ),
    Diagnosis(
        code="WS-NET-002",
        name="ConnectionRefused",
        category=ErrorCategory.TRANSIENT,
        remedy="A service did not answer. It is tried again by itself; check the service if it recurs.",
        pattern=(r"connection refused", r"\bECONNREFUSED\b", r"(unable to|could not) connect"),
    ),
    Diagnosis(
        code="WS-RES-003",
        name="TimeLimit",
        category=ErrorCategory.RESOURCE,
        remedy="Give the pipeline more time (time_limit in its settings), or split the workset.",
        pattern=(r"time limit", r"Slurm: (TIMEOUT|DEADLINE)", r"DUE TO TIME"),
    ),
    Diagnosis(
        code="WS-DAT-001",
        name="InvalidFASTQ",
        category=ErrorCategory.DATA,
        remedy="Replace the file that the message names by a sound copy, and submit again.",
        pattern=(r"truncated quality string", r"fastq.{0,80}(corrupt|truncated|damaged)",
                 r"invalid fastq", r"unexpected end of.{0,40}(fastq|file)", r"not in gzip format",
                 r"end of the compressed data is missing"),
    ),
    Diagnosis(
        code="WS-DAT-003",
        name="InvalidReference",
        category=ErrorCategory.DATA,
        remedy="Choose a reference that the pipeline has, or install its index.",
        pattern=(r"reference .{0,80}not found", r"index .{0,80}missing", r"invalid reference",
                 r"reference mismatch"),
    ),
    Diagnosis(
        code="WS-PIP-001",
        name="BWAError",
        category=ErrorCategory.TRANSIENT,
        remedy="Read the aligner's own message in the log; if it recurs, check reads and index.",
        pattern=(r"\[bwa.{0,200}error", r"bwa[ -]mem.{0,200}(failed|error)"),
    ),
    Diagnosis(
        code="WS-PIP-002",
        name="GATKError",
        category=ErrorCategory.TRANSIENT,
        remedy="Read GATK's own message in the log; a user error will recur until it is mended.",
        pattern=(r"GATK.{0,200}error", r"HaplotypeCaller.{0,200}failed", r"\bUserException\b",
                 r"A USER ERROR has occurred"),
    ),
    Diagnosis(
        code="WS-DAT-002",
        name="MissingInput",
        category=ErrorCategory.DATA,
        remedy="Put the file that the message names where the workset says it is, and submit again.",
        pattern=(r"file not found", r"no such file or directory", r"input file.{0,200}missing",
                 r"cannot find input"),
    ),
    Diagnosis(
        code="WS-CLU-002",
        name="SlurmError",
        category=ErrorCategory.TRANSIENT,
        remedy="Slurm reported an error of its own: see the log, and `sinfo` on the cluster.",
        pattern=(r"slurmstepd.{0,200}error", r"sbatch.{0,200}error", r"job submit failure"),
    ),
)  # fmt: skip

REMEDIES: Final = {
    ErrorCategory.TRANSIENT: "Try it again: what failed may have passed.",
    ErrorCategory.RESOURCE: "Give the pipeline more memory, time or disk, then try it again.",
    ErrorCategory.CONFIGURATION: "Mend the settings or the pipeline's command, then try it again.",
    ErrorCategory.DATA: "Trying again cannot help: mend the files that the message names, and submit "
    "them as a new workset.",
    ErrorCategory.PERMANENT: "Read the log; try it again once the cause is mended.",
}
"""What to do where no entry of the catalogue fits."""

_BY_CODE: Final = {each.code: each for each in CATALOGUE}


def diagnose(text: str) -> Diagnosis | None:
    """Return the most specific entry of the catalogue that a message speaks of."""
    return next((each for each in CATALOGUE if each.fits(text)), None)


def failure_of(exit_code: int | None, message: str) -> Failure:
    """
    Return how an attempt failed.

    An exit code that says what is wrong (sysexits.h) counts more than words that a log happens to hold.

    Args:
        exit_code: None where the engine lost the job.
        message: The engine's reason and the end of the log.
    """
    found = diagnose(message)
    code = found.code if found else None
    if exit_code is None:
        return Failure(ErrorCategory.TRANSIENT, message, code=code, lost=True)
    category = found.category if found and not says_much(exit_code) else category_of(exit_code)
    # A remedy for another kind of trouble would mislead.
    fits = found is not None and found.category is category
    lost = exit_code == INFRASTRUCTURE
    return Failure(category, message, exit_code, code=code if fits else None, lost=lost)


def remedy_of(failure: Failure) -> str:
    """Return what a person can do about a failure."""
    known = _BY_CODE.get(failure.code or "")
    return known.remedy if known else REMEDIES[failure.category]
