"""Logs in CloudWatch, read by bytes: answers as recorded, through botocore's Stubber."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from daylily.adapters.aws.batch_logs import CloudWatchLogs, LogStream
from daylily.domain.errors import UnavailableError

GROUP = "/aws/batch/job"
STREAM = LogStream(group=GROUP, name="daylily/default/1", ended=True)
CALL = {"logGroupName": GROUP, "logStreamName": "daylily/default/1"}


@pytest.fixture(scope="module")
def client() -> Any:
    """Return a client; making one takes longer than these tests do."""
    return boto3.client(
        "logs", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    """Return what answers in CloudWatch's place, all of which has to be asked for."""
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def logs(client: Any) -> CloudWatchLogs:
    """Return a reader that remembers nothing yet."""
    return CloudWatchLogs(client)


def page(stub: Stubber, token: str | None, lines: list[str], following: str, **more: Any) -> None:
    """Have one page asked for."""
    asked = CALL | ({"nextToken": token} if token else {}) | {"startFromHead": True} | more
    events = [{"timestamp": 1, "message": line, "ingestionTime": 2} for line in lines]
    answer = {"events": events, "nextForwardToken": following, "nextBackwardToken": "b/0"}
    stub.add_response("get_log_events", answer, asked)


def test_pages(stub: Stubber, logs: CloudWatchLogs) -> None:
    """Pages are read until the token repeats; an empty one in between ends nothing."""
    page(stub, None, ["one", "two"], "f/1")
    page(stub, "f/1", [], "f/2")
    page(stub, "f/2", ["three"], "f/3")
    page(stub, "f/3", [], "f/3")

    assert logs.read("ws-1/1", [STREAM], 0, 100) == (b"one\ntwo\nthree", True)


def test_reading_on(stub: Stubber, logs: CloudWatchLogs) -> None:
    """Who reads on does not begin at the beginning, and gets no byte twice."""
    page(stub, None, ["one", "two"], "f/1")
    data, whole = logs.read("ws-1/1", [STREAM], 0, 5)
    assert (data[:5], whole) == (b"one\nt", False)

    page(stub, None, ["one", "two"], "f/1")
    page(stub, "f/1", ["three"], "f/2")
    page(stub, "f/2", [], "f/2")
    assert logs.read("ws-1/1", [STREAM], 5, 100) == (b"wo\nthree", True)

    page(stub, "f/2", [], "f/2")
    assert logs.read("ws-1/1", [STREAM], 13, 100) == (b"", True)


def test_a_token_that_has_run_out(stub: Stubber, logs: CloudWatchLogs) -> None:
    """CloudWatch forgets tokens after a day: then it is read from the beginning."""
    page(stub, None, ["one"], "f/1")
    page(stub, "f/1", [], "f/1")
    logs.read("ws-1/1", [STREAM], 0, 100)
    stub.add_client_error(
        "get_log_events", "InvalidParameterException", "The specified nextToken is invalid."
    )
    page(stub, None, ["one", "two"], "f/7")
    page(stub, "f/7", [], "f/7")

    assert logs.read("ws-1/1", [STREAM], 4, 100) == (b"two", True)


def test_what_goes_on(stub: Stubber, logs: CloudWatchLogs) -> None:
    """Where a job has not ended there may be more to come, and the streams after it wait."""
    page(stub, None, ["one"], "f/1")
    page(stub, "f/1", [], "f/1")
    running = LogStream(group=GROUP, name="daylily/default/1", prefix="A: ", ended=False)

    assert logs.read("ws-1/1", [running, STREAM], 0, 100) == (b"A: one", False)


def test_nothing_written_yet(stub: Stubber, logs: CloudWatchLogs) -> None:
    """A stream is made with the first line: until then a log is empty, and no error."""
    stub.add_client_error(
        "get_log_events", "ResourceNotFoundException", "The specified log stream does not exist."
    )

    assert logs.read("ws-1/1", [STREAM], 0, 100) == (b"", True)
    assert logs.read("ws-1/1", [LogStream(group=GROUP, name=None, ended=False)], 0, 9) == (b"", False)


def test_the_tail(stub: Stubber, logs: CloudWatchLogs) -> None:
    """The last lines are asked for from the end."""
    page(stub, None, ["nineteen", "twenty"], "f/1", startFromHead=False, limit=20)

    assert logs.tail(STREAM) == "nineteen\ntwenty"


def test_throttled(stub: Stubber, logs: CloudWatchLogs) -> None:
    """A throttled reader is told so: it is no empty log."""
    stub.add_client_error("get_log_events", "ThrottlingException", "Rate exceeded")

    with pytest.raises(UnavailableError, match="Rate exceeded"):
        logs.read("ws-1/1", [STREAM], 0, 100)
