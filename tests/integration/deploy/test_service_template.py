"""service.yaml permits what `daylily iam-policy` prints, and tells people when something is amiss."""

import os
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
import yaml
from tests.integration.deploy.templates import BUCKET, DEPLOY, REGION, create, template

from daylily.bootstrap import installation
from daylily.config import Settings, load
from daylily.ports.installation import Role

pytestmark = [
    pytest.mark.usefixtures("aws"),
    pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning"),
]

GUIDE: Final = DEPLOY.parent / "docs" / "INTEGRATION_GUIDE.md"
TOPIC: Final = f"arn:aws:sns:{REGION}:123456789012:workset-notifications"
ENGINES: Final = {
    "batch": {"BatchQueue": "long", "BatchDefinition": "fastq-qc"},
    "slurm": {"HeadNode": "i-0123456789abcdef0", "SlurmFolder": "/fsx/daylily"},
}
OWN: Final = frozenset({"function"})
"""The policy of what the function itself needs of Lambda: its log, and the queue of lost calls."""


def stack(engine: str) -> None:
    """Create the stack, in a network of its own."""
    ec2 = boto3.client("ec2", region_name=REGION)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")
        for n, zone in enumerate("ab")
    ]
    ids = ",".join(each["Subnet"]["SubnetId"] for each in subnets)
    image = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/daylily:lambda"
    acm = boto3.client("acm", region_name=REGION)
    certificate = acm.request_certificate(DomainName="daylily.example.org")["CertificateArn"]
    stores = {"Bucket": BUCKET, "Topic": TOPIC}
    network = {"Vpc": vpc, "PublicSubnets": ids, "PrivateSubnets": ids, "Certificate": certificate}
    people = {"UserPool": f"{REGION}_aBc", "AppClient": "abc"}
    runs = {"MonitorImage": image, "Engine": engine, **ENGINES[engine]}
    create("service.yaml", stores | network | people | runs)


def permitted(role: str) -> dict[str, Any]:
    """Return the statements of a role of the stack, by name."""
    iam = boto3.client("iam", region_name=REGION)
    (name,) = [
        each["RoleName"] for each in iam.list_roles()["Roles"] if f"-{role}-" in each["RoleName"]
    ]
    found: dict[str, Any] = {}
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        if policy not in OWN:
            got: Any = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            # moto answers with values as Python writes them, which YAML reads.
            document = yaml.safe_load(got) if isinstance(got, str) else got
            found |= {each["Sid"]: each for each in document["Statement"]}
    return found


def environment_of_api() -> dict[str, str]:
    """Return what the API is told."""
    ecs = boto3.client("ecs", region_name=REGION)
    (arn,) = ecs.list_task_definitions()["taskDefinitionArns"]
    (container,) = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"][
        "containerDefinitions"
    ]
    assert container["name"] == "daylily-api"
    assert container["image"] == "daylily/api:latest"
    assert container["portMappings"][0]["containerPort"] == 8000
    return {each["name"]: each["value"] for each in container["environment"] if each}


def environment_of_monitor() -> dict[str, str]:
    """Return what the function is told."""
    client = boto3.client("lambda", region_name=REGION)
    (function,) = client.list_functions()["Functions"]
    return {k: v for k, v in function["Environment"]["Variables"].items() if v is not None}


def settings_of(environment: dict[str, str]) -> Settings:
    """Return what a process with that environment takes for its settings."""
    return load({}, {"DAYLILY_CONFIG": os.devnull, "AWS_REGION": REGION, **environment}).settings


@pytest.mark.parametrize("engine", ENGINES)
def test_roles_are_permitted_what_iam_policy_prints(engine: str) -> None:
    """Statement by statement, for the names that the processes are told; nothing more, nothing less."""
    stack(engine)
    told = {Role.API: environment_of_api(), Role.MONITOR: environment_of_monitor()}
    for role, environment in told.items():
        settings = settings_of(environment)
        assert (settings.store, settings.engine, settings.bucket) == ("aws", engine, BUCKET)
        printed = {each["Sid"]: each for each in installation(settings).policy(role)["Statement"]}
        assert permitted(f"{role.capitalize()}Role") == printed
    assert settings_of(told[Role.API]).asks_cognito


def test_each_alarm_tells_the_topic_and_is_explained() -> None:
    """Somebody is told, mostly also when all is well again, and the runbook says what to do."""
    runbook = (DEPLOY.parent / "docs" / "runbook.md").read_text(encoding="utf-8")
    found = template("service.yaml")["Resources"]
    alarms = {k: v["Properties"] for k, v in found.items() if v["Type"] == "AWS::CloudWatch::Alarm"}
    assert len(alarms) == 6
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == [{"Ref": "Topic"}]
        assert alarm.get("OKActions") == (None if name == "NoticesDead" else [{"Ref": "Topic"}])
        assert f"## {name}\n" in runbook


def test_the_task_definition_is_that_of_the_guide() -> None:
    """Whatever the guide prints stands in the file, word for word; the file says more."""
    text = GUIDE.read_text(encoding="utf-8")
    printed = yaml.safe_load(text.partition("# ecs-task-definition.yaml\n")[2].partition("```")[0])
    path = Path(DEPLOY / "ecs" / "ecs-task-definition.yaml")
    (ours,) = yaml.safe_load(path.read_text(encoding="utf-8"))["containerDefinitions"]
    (theirs,) = printed["containerDefinitions"]
    for name, value in theirs.items():
        if isinstance(value, list):
            assert all(each in ours[name] for each in value)
        else:
            assert ours[name] == value
