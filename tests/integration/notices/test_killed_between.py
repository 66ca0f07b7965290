"""
A process that dies between sending and noting it: told again, under the same id.

Whoever drops repeats by their ids, as Linear and FIFO topics do by themselves, has been told once.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from moto.server import ThreadedMotoServer
from tests.integration.notices.linear_server import DONE, KEY, TEAM, linear_server
from tests.integration.notices.teller import DIED
from tests.integration.notices.webhook_server import webhook_server

SECRET: Final = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"
REGION: Final = "us-west-2"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def killed_and_mended(home: Path, channel: str, story: str) -> None:
    """Let one process die over the news, and another find what it owed."""
    for told, code in ((story, DIED), ("mended", 0)):
        ended = subprocess.run(
            [sys.executable, "-m", "tests.integration.notices.teller", str(home), channel, told],
            cwd=Path(__file__).parents[3],
            check=False,
            timeout=120,
        )
        assert ended.returncode == code


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve SNS and SQS to all processes; return the address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    yield f"http://{host}:{port}"
    server.stop()


@pytest.mark.parametrize(
    ("suffix", "story", "copies"), [("", "complete", 2), ("", "silent", 2), (".fifo", "complete", 1)]
)
def test_sns(
    moto: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    suffix: str,
    story: str,
    copies: int,
) -> None:
    """A queue gets the news twice under one id; from a FIFO topic, once."""
    sns = boto3.client("sns", region_name=REGION, endpoint_url=moto)
    sqs = boto3.client("sqs", region_name=REGION, endpoint_url=moto)
    fifo: Any = {"FifoTopic": "true"} if suffix else {}
    same: Any = {"FifoQueue": "true"} if suffix else {}
    name = f"workset-{story}{suffix}"
    topic = sns.create_topic(Name=name, Attributes=fifo)["TopicArn"]
    queue = sqs.create_queue(QueueName=name, Attributes=same)
    url = queue["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])
    monkeypatch.setenv("SNS_TOPIC_ARN", topic)

    killed_and_mended(tmp_path, "sns", story)

    told: list[str] = []
    while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in got:
            told.append(json.loads(message["Body"])["MessageAttributes"]["event_id"]["Value"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    sns.close()
    sqs.close()
    wanted = "-complete" if story == "complete" else "monitor-lab-7-silent-"
    ids = [each for each in told if wanted in each]
    assert len(ids) == copies
    assert len({*ids}) == 1


@pytest.mark.parametrize("story", ["complete", "silent"])
def test_webhook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, story: str) -> None:
    """The receiver gets it twice, each with a good signature, under one id."""
    with webhook_server(SECRET) as receiver:
        monkeypatch.setenv("DAYLILY_WEBHOOK_URL", receiver.url)
        monkeypatch.setenv("DAYLILY_WEBHOOK_SECRET", SECRET)
        killed_and_mended(tmp_path, "webhook", story)
    kind = "workset.complete" if story == "complete" else "monitor.silent"
    ids = [e.get_id() for e in receiver.events if e.get_type() == f"org.daylily.{kind}"]
    assert len(ids) == 2
    assert len({*ids}) == 1
    assert receiver.forged == 0


def test_linear(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The issue of the error is closed, and commented, once."""
    with linear_server() as linear:
        monkeypatch.setenv("LINEAR_API_KEY", KEY)
        monkeypatch.setenv("LINEAR_TEAM_ID", TEAM)
        monkeypatch.setenv("DAYLILY_LINEAR_URL", linear.url)
        killed_and_mended(tmp_path, "linear", "complete")
    [issue] = linear.issues.values()
    assert issue["state"] == DONE
    assert len(issue["comments"]) == 1
    assert linear.changes == ["issueCreate", "issueUpdate", "commentCreate"]
    asked = [str(each["query"]).split()[1].partition("(")[0] for each in linear.asked]
    assert asked.count("Opened") == 2  # it was told twice
