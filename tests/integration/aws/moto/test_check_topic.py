"""Whether the topic is there, before anything begins."""

import boto3
import pytest
from botocore.stub import Stubber

from daylily.adapters.aws.check_topic import check_topic
from daylily.bootstrap import installation
from daylily.config import Settings

REGION = "us-west-2"


def test_a_topic_that_is_there() -> None:
    """It is looked at, and not told anything."""
    client = boto3.client("sns", region_name=REGION)
    arn = client.create_topic(Name="workset-notifications")["TopicArn"]
    found = check_topic(client, arn)
    assert (found.verdict, found.text) == ("ok", "workset-notifications is there")


def test_d_63_a_topic_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings are wrong, and whoever starts a monitor is told so and what to do."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    missing = f"arn:aws:sns:{REGION}:123456789012:workset-misspelt"
    here = Settings(store="aws", bucket="genomes", region=REGION, sns_topic_arn=missing)
    (found,) = (each for each in installation(here).check() if each.check == "topic")
    assert (found.verdict, found.text) == ("FAIL", f"there is no topic {missing}")
    assert "SNS_TOPIC_ARN" in found.advice


@pytest.mark.parametrize(("word", "verdict"), [("AuthorizationError", "ok"), ("InternalError", "FAIL")])
def test_who_may_not_look(word: str, verdict: str) -> None:
    """To publish does not need it, so that is no fault; an outage is one."""
    client = boto3.client("sns", region_name=REGION)
    with Stubber(client) as stub:
        stub.add_client_error("get_topic_attributes", word)
        assert check_topic(client, f"arn:aws:sns:{REGION}:1:t").verdict == verdict
