"""What a job has written, made into a message for people."""

import pytest

from daylily.adapters.local.job_output import verdict

FAULT = "sample S2: sample_data/2_R2.fastq.gz: record 812: quality string has 3 characters"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "exit code 65"),
        ("\n  \n", "exit code 65"),
        ("no such file\n", "exit code 65: no such file"),
        ("reading\nno such file", "exit code 65: no such file\nreading"),
        (f"[1/2] sample S1: 4 reads\n[2/2] {FAULT}\ndone: 1 of 2 samples are fine\n{FAULT}\n",
         f"exit code 65: {FAULT}\n[1/2] sample S1: 4 reads\ndone: 1 of 2 samples are fine"),
        ("a\na day\nhad a bad day", "exit code 65: had a bad day\na\na day"),
    ],
)  # fmt: skip
def test_each_thing_is_told_once(written: str, message: str) -> None:
    """The last line leads, with the reason; nothing that it says stands in the message again."""
    assert verdict("exit code 65", written) == message
