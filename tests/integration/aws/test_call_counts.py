"""What steps cost in calls to AWS: exact numbers, as ``make bench`` prints them."""

from typing import Final

import pytest
from benchmarks.bench_aws_calls import measure

pytestmark = pytest.mark.engine


RUN: Final = {
    "ListObjectsV2": 2,  # is another system at it? are the files those that were submitted?
    "UpdateItem": 5,  # one of them takes a slot of the customer's
    "GetItem": 1,  # which are taken?
    "PutObject": 3,
    "GetObject": 1,  # is daylily.ready ours? the others we have posted ourselves
    "DeleteObjects": 1,
}


def test_calls_are_what_they_are_said_to_be() -> None:
    """A change that makes a step dearer has to say so here, and in the documentation."""
    found = {story.name: dict(story.calls) for story in measure()}
    assert found == {
        "submit (2 FASTQ files)": {
            "GetItem": 3,  # the customer, what was agreed upon with them, and what they store
            "GetObject": 2,  # the heads of the reads: is this FASTQ, and how large are they?
            "CopyObject": 2,
            "PutItem": 1,
            "PutObject": 4,
            "ListObjectsV2": 1,
            "UpdateItem": 2,  # counts the bytes; strikes off the news that was sent
        },
        "register (reads in another bucket)": {
            "PutItem": 1,
            "PutObject": 5,  # four files of the directory at once, then daylily.ready
            "UpdateItem": 1,  # strikes off what was paid
        },
        "read one": {"GetItem": 1},
        "lose a lock": {"UpdateItem": 1},
        "ready to complete, telling all news": {
            **RUN,
            # The sixth strikes off the news of the start: left standing, it would be told again.
            "UpdateItem": 6,
        },
        "ready to complete, telling the end": RUN,
        "a cycle with nothing to do": {"Query": 2, "ListObjectsV2": 1},
    }
