"""Which word was probably meant."""

import pytest

from daylily.domain.spelling import meant

KNOWN = ("name", "priority", "max_retries", "reference_genome", "fastq_r2", "day-clone")


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("priorty", "priority"),
        ("Priority", "priority"),
        ("max-retries", "max_retries"),
        ("retries", "max_retries"),
        ("genome", "reference_genome"),
        ("fastq r2", "fastq_r2"),
        ("fastqr2", "fastq_r2"),
        ("day_clone", "day-clone"),
    ],
)
def test_near(written: str, known: str) -> None:
    """Missing letters, case, dashes and parts of a word do not hide what was meant."""
    assert meant(written, KNOWN) == known


@pytest.mark.parametrize("written", ["", "budget", "mate", "of", "x" * 41, "gene", "\ud800", "project"])
def test_far(written: str) -> None:
    """What is like nothing that is known is not guessed at, nor is anything very long."""
    assert meant(written, KNOWN) is None
