"""`daylily init`, `doctor` and `iam-policy` on AWS, typed as people do."""

import json
import shlex
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from tests.integration.aws.moto.faulty import answers, refusal

from daylily.adapters.aws.clients import Clients
from daylily.entrypoints.cli import cli
from daylily.entrypoints.cli.session import Session

BUCKET = "acme-worksets"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Say no more than the guide does."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "DAYLILY_URL", "DAYLILY_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("DAYLILY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("S3_BUCKET", BUCKET)
    monkeypatch.setenv("DAYLILY_PORT", "0")


def daylily(*args: str, stdin: str = "") -> Result:
    """Run a command."""
    return CliRunner().invoke(cli, [*args], input=stdin, catch_exceptions=False)


def tables() -> list[str]:
    """Return the tables that there are."""
    found: list[str] = boto3.client("dynamodb", region_name="us-west-2").list_tables()["TableNames"]
    return found


def test_init_shows_its_plan_and_carries_it_out() -> None:
    """The plan comes first; then all is made, and doctor finds nothing wrong with it."""
    first = daylily("init")
    assert first.exit_code == 0
    lines = first.stdout.splitlines()
    assert lines[0].split() == ["WHAT", "NOW", "CHANGE"]
    assert lines[1].split(maxsplit=2)[:2] == ["table", "daylily-worksets"]
    assert "13 changes made" in first.stderr
    assert tables() == [f"daylily-worksets{each}" for each in ("", "-customers", "-documents")]
    location = boto3.client("s3").get_bucket_location(Bucket=BUCKET)["LocationConstraint"]
    assert location == "us-west-2"

    found = daylily("doctor", "--json")
    assert found.exit_code == 0
    verdicts = {each["check"]: each["verdict"] for each in json.loads(found.stdout)}
    assert verdicts["customers"] == verdicts["objects"] == verdicts["sentinels"] == "ok"
    assert daylily("list").exit_code == 0


def test_a_second_init_changes_nothing() -> None:
    """It says so, and programs are told the same."""
    told = json.loads(daylily("init", "--json").stdout)
    assert told["changed"] == len([step for step in told["steps"] if step["change"]]) == 13
    again = daylily("init")
    assert (again.exit_code, "nothing to do" in again.stderr) == (0, True)
    told = json.loads(daylily("init", "--json").stdout)
    assert told["changed"] == 0
    assert {step["change"] for step in told["steps"]} == {""}


def test_a_dry_run_makes_nothing() -> None:
    """What would be made is shown, and is not there afterwards."""
    shown = daylily("init", "--dry-run")
    assert (shown.exit_code, "13 changes would be made" in shown.stderr) == (0, True)
    assert json.loads(daylily("init", "--dry-run", "--json").stdout)["changed"] == 0
    assert tables() == []


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://portal.lab.example", "https://portal.lab.example"),
        ("https://Lab.example:443/portal/", "https://lab.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_the_portal_may_be_named(url: str, origin: str) -> None:
    """Its pages may send files then, as a browser tells who they are; once is enough."""
    told = daylily("init", "--portal", url)
    assert (told.exit_code, "14 changes made" in told.stderr) == (0, True)
    (rule,) = boto3.client("s3").get_bucket_cors(Bucket=BUCKET)["CORSRules"]
    assert rule["AllowedOrigins"] == [origin]
    assert "nothing to do" in daylily("init", "--portal", url).stderr
    assert "nothing to do" in daylily("init").stderr


@pytest.mark.parametrize(
    "url", ["portal.lab.example", "ftp://lab.example", "https://", "https://a:b@c"]
)
def test_what_is_no_address_of_a_portal(url: str) -> None:
    """Is said before anything is made."""
    told = daylily("init", "--portal", url)
    assert (told.exit_code, "is not an address" in told.stderr) == (2, True)
    assert tables() == []


def test_people_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sits at a terminal is asked once, after the plan; no means no, and --yes means yes."""
    monkeypatch.setattr(Session, "interactive", True)
    told = daylily("init", stdin="n\n")
    assert told.exit_code == 1
    assert told.stderr.splitlines()[-1] == "nothing was made"
    assert tables() == []
    assert daylily("init", stdin="y\n").exit_code == 0
    assert len(tables()) == 3
    monkeypatch.setenv("S3_BUCKET", "another")
    assert daylily("init", "--yes").exit_code == 0


def test_a_missing_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not permitted is named, and where the policy is to be had; the exit code says AWS."""
    make = Clients.dynamodb

    def denied(clients: Clients) -> Any:
        client = make(clients)
        reply = refusal(400, "AccessDeniedException", "User: ada is not authorized", json=True)
        answers(client, "dynamodb", "DescribeTable", reply)
        return client

    monkeypatch.setattr(Clients, "dynamodb", denied)
    told = daylily("init")
    assert told.exit_code == 5
    assert "dynamodb:DescribeTable on table daylily-worksets is not permitted" in told.stderr
    assert "daylily iam-policy" in told.stderr


def test_away_with_it() -> None:
    """What the quickstart has people type takes away all that init has made, versions too."""
    page = (Path(__file__).parents[4] / "docs" / "quickstart-aws.md").read_text()
    commands = [line.removeprefix("$ ") for line in page.partition("## Away with it")[2].splitlines()]
    loop = next(line for line in commands if line.startswith("for table in "))
    script = next(shlex.split(line)[2] for line in commands if line.startswith("python -c"))
    assert f"aws s3 rb s3://{BUCKET}" in commands

    daylily("init")
    client = boto3.client("s3", region_name="us-west-2")
    client.put_object(Bucket=BUCKET, Key="worksets/ws-1/daylily.ready", Body=b"")
    client.delete_object(Bucket=BUCKET, Key="worksets/ws-1/daylily.ready")
    with pytest.raises(client.exceptions.ClientError, match="BucketNotEmpty"):
        client.delete_bucket(Bucket=BUCKET)

    exec(script)  # noqa: S102 - our own page
    client.delete_bucket(Bucket=BUCKET)
    assert loop.partition(";")[0].split()[3:] == tables()


def test_doctor_before_init() -> None:
    """What is missing fails, and init is what to run."""
    found = daylily("doctor")
    assert found.exit_code == 1
    assert "FAIL  table       dynamodb:GetItem: there is no table daylily-worksets" in found.stdout
    assert "`daylily init` creates it" in found.stdout


@pytest.mark.parametrize(
    "command", ["list", "monitor --once", "ledger check", "submit --pipeline fastq-qc"]
)
def test_commands_before_init(command: str, tmp_path: Path) -> None:
    """Whoever has not run it is told what to do, whatever the command."""
    reads = tmp_path / "reads"
    reads.mkdir()
    for name in ("NA1_R1.fastq", "NA1_R2.fastq"):
        (reads / name).write_text("@r\nACGT\n+\nIIII\n")
    told = daylily(*command.split(), *([str(reads)] if "submit" in command else []))
    assert told.exit_code == 5
    error = next(line for line in told.stderr.splitlines() if line.startswith("error: "))
    assert "in this account and region" in error
    assert error.endswith("`daylily doctor` says what to do")
    assert "1 uploaded files" not in told.stderr


@pytest.mark.parametrize("role", ["api", "monitor", "admin"])
def test_policies(monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    """The policy is JSON that IAM takes, by the names of the settings; nobody is asked for it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("WORKSET_TABLE_NAME", "lab-table")
    told = daylily("iam-policy", "--role", role)
    assert told.exit_code == 0
    policy = json.loads(told.stdout)
    assert policy["Version"] == "2012-10-17"
    assert "arn:aws:dynamodb:us-west-2:*:table/lab-table" in told.stdout
    assert f"arn:aws:s3:::{BUCKET}/worksets/*" in told.stdout
    boto3.client(
        "iam", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    ).create_policy(PolicyName=role, PolicyDocument=told.stdout)


def test_policies_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without AWS there is none, and a role has to be named."""
    monkeypatch.delenv("S3_BUCKET")
    told = daylily("iam-policy", "--role", "api")
    assert (told.exit_code, "set S3_BUCKET" in told.stderr) == (2, True)
    assert daylily("iam-policy").exit_code == 2
