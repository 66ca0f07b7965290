"""
What moto's CloudFormation passes over, its services do themselves, with the words of the templates.

So no resource is only linted: a name or a value that its service does not take fails here.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import boto3
import pytest
from moto.backends import get_backend
from moto.cloudformation.parsing import clean_json
from tests.integration.deploy.templates import BUCKET, REGION, create, template
from tests.integration.deploy.test_service_template import stack

pytestmark = [
    pytest.mark.usefixtures("aws"),
    pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning"),
]

ACCOUNT: Final = "123456789012"


def _alarm(told: dict[str, Any]) -> None:
    client = boto3.client("cloudwatch", region_name=REGION)
    client.put_metric_alarm(**told)
    [alarm] = client.describe_alarms(AlarmNames=[told["AlarmName"]])["MetricAlarms"]
    assert alarm["AlarmActions"] == told["AlarmActions"]


def _events(told: dict[str, Any]) -> None:
    client = boto3.client("lambda", region_name=REGION)
    client.put_function_event_invoke_config(**told)
    config = client.get_function_event_invoke_config(FunctionName=told["FunctionName"])
    assert config["DestinationConfig"]["OnFailure"] == told["DestinationConfig"]["OnFailure"]


def _bucket(told: dict[str, Any]) -> None:
    client = boto3.client("s3", region_name=REGION)
    client.put_bucket_policy(Bucket=told["Bucket"], Policy=json.dumps(told["PolicyDocument"]))
    text = client.get_bucket_policy(Bucket=told["Bucket"])["Policy"]
    assert json.loads(text) == told["PolicyDocument"]
    assert f"arn:aws:s3:::{BUCKET}/*" in text


def _mail(told: dict[str, Any]) -> None:
    redrive = {"RedrivePolicy": json.dumps(told.pop("RedrivePolicy"))}
    client = boto3.client("sns", region_name=REGION)
    client.subscribe(**told, Attributes=redrive)
    [found] = client.list_subscriptions_by_topic(TopicArn=told["TopicArn"])["Subscriptions"]
    assert found["Endpoint"] == told["Endpoint"]


def _queue(told: dict[str, Any]) -> None:
    client = boto3.client("sqs", region_name=REGION)
    for url in told["Queues"]:
        policy = {"Policy": json.dumps(told["PolicyDocument"])}
        client.set_queue_attributes(QueueUrl=url, Attributes=policy)  # type: ignore[arg-type]
        [statement] = told["PolicyDocument"]["Statement"]
        arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        assert statement["Resource"] == arn["QueueArn"]
        assert statement["Condition"]["ArnEquals"]["aws:SourceArn"].startswith("arn:aws:")


LEFT_OUT: Final[dict[str, Callable[[dict[str, Any]], None]]] = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::Lambda::EventInvokeConfig": _events,
    "AWS::S3::BucketPolicy": _bucket,
    "AWS::SNS::Subscription": _mail,
    "AWS::SQS::QueuePolicy": _queue,
}


def _known(told: Any, resources: Any) -> Any:
    """Return properties with the one attribute in them that moto does not know of."""
    if told == {"Fn::GetAtt": ["Balancer", "LoadBalancerFullName"]}:
        return resources["Balancer"].arn.partition(":loadbalancer/")[2]
    if isinstance(told, dict):
        return {name: _known(each, resources) for name, each in told.items()}
    return [_known(each, resources) for each in told] if isinstance(told, list) else told


def left_out(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield type and properties of what moto has not made, with all that is named in them resolved."""
    [made] = get_backend("cloudformation")[ACCOUNT][REGION].stacks.values()
    for logical, resource in template(name)["Resources"].items():
        if resource["Type"] in LEFT_OUT:
            told = _known(resource["Properties"], made.resource_map)
            yield resource["Type"], clean_json(told, made.resource_map)
        elif "Condition" not in resource:
            assert made.resource_map[logical] is not None, logical


@pytest.mark.parametrize("name", ["stores.yaml", "service.yaml"])
def test_what_is_left_out(name: str) -> None:
    """Each is taken by its service; what it names is there, and what is not left out has been made."""
    if name == "stores.yaml":
        create(name, {"Bucket": BUCKET, "NotifyEmail": "lab@example.org"})
    else:
        stack("batch")
    found = list(left_out(name))
    assert found
    for kind, told in found:
        assert not re.search(r'"(Ref|Fn::\w+)"', json.dumps(told)), told
        LEFT_OUT[kind](told)
