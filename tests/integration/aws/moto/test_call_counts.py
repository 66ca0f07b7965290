"""What steps cost in calls to AWS: exact numbers, as ``make bench`` prints them."""

from benchmarks.bench_aws_calls import measure


def test_calls_are_what_they_are_said_to_be() -> None:
    """A change that makes a step dearer has to say so here, and in the documentation."""
    found = {story.name: dict(story.calls) for story in measure()}
    assert found == {
        "submit (2 FASTQ files)": {
            "GetItem": 1,  # the customer
            "GetObject": 2,  # the heads of the reads: is this FASTQ?
            "HeadObject": 2,
            "CopyObject": 2,
            "PutItem": 1,
            "PutObject": 4,
            "ListObjectsV2": 1,
            "UpdateItem": 1,  # strikes off the news that was sent
        },
        "read one": {"GetItem": 1},
        "lose a lock": {"UpdateItem": 1},
        "ready to complete": {
            "ListObjectsV2": 2,  # is another system at it? are the files those that were submitted?
            "UpdateItem": 5,
            "PutObject": 3,
            "HeadObject": 3,  # each sentinel is ours, and still the same, when it is removed
            "GetObject": 5,
            "DeleteObject": 3,
        },
        "a cycle with nothing to do": {"Query": 2, "ListObjectsV2": 1},
    }
