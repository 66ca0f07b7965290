"""The engine batch in the settings: what is looked at beforehand, and what has to be permitted."""

from typing import Any, Final

import pytest
from tests.integration.aws.moto.batch_machines import DEFINITION, QUEUE, a_queue
from tests.integration.aws.worlds import moto_client

from daylily.adapters.aws.batch import BatchCompute
from daylily.adapters.aws.check_batch import BatchChecks
from daylily.adapters.aws.engine_policies import BatchNames, HeadNode, engine_statements
from daylily.adapters.slurm.compute import SlurmCompute
from daylily.adapters.slurm.ssm import HeadNodeOf, SSMRunner
from daylily.bootstrap import bootstrap, installation
from daylily.config import Settings, load
from daylily.ports.installation import Finding, Role

WHERE: Final = "arn:aws:{}:us-west-2"
NAMES: Final = BatchNames(queue=QUEUE, definition=DEFINITION)
FILE: Final = """\
bucket: acme-worksets
table: none
clusters:
  cloud:
    engine: batch
    batch_queue: daylily
    batch_definition: daylily-job:3
"""


@pytest.fixture
def batch() -> Any:
    """Return a client of Batch; there are a queue and a job definition."""
    client = moto_client("batch")
    a_queue(client, moto_client("iam"))
    return client


def findings(client: Any, names: BatchNames) -> dict[str, Finding]:
    """Return what is found, by what was looked at."""
    return {finding.check: finding for finding in BatchChecks(client=client, names=names)()}


def test_all_is_well(batch: Any) -> None:
    """The image is told, as nobody else can see whether Daylily is in it."""
    found = findings(batch, NAMES)

    assert {each.verdict for each in found.values()} == {"ok"}
    assert "registry.test/daylily" in found[f"definition {DEFINITION}"].text


def test_by_arn_and_revision(batch: Any) -> None:
    """Names, revisions and ARNs are all taken."""
    (made,) = batch.describe_job_definitions(jobDefinitionName=DEFINITION)["jobDefinitions"]
    (queue,) = batch.describe_job_queues(jobQueues=[QUEUE])["jobQueues"]
    arns = BatchNames(queue=queue["jobQueueArn"], definition=made["jobDefinitionArn"])
    revision = BatchNames(queue=QUEUE, definition=f"{DEFINITION}:{made['revision']}")
    missing = BatchNames(queue=QUEUE, definition=f"{DEFINITION}:{made['revision'] + 1}")

    assert {each.verdict for each in findings(batch, arns).values()} == {"ok"}
    assert {each.verdict for each in findings(batch, revision).values()} == {"ok"}
    assert [each.verdict for each in findings(batch, missing).values()] == ["ok", "FAIL"]


def test_nothing_is_there() -> None:
    """Each is told with the setting that names it."""
    found = list(findings(moto_client("batch"), NAMES).values())

    assert [each.verdict for each in found] == ["FAIL", "FAIL"]
    assert [each.advice for each in found] == [
        "see DAYLILY_BATCH_QUEUE",
        "see DAYLILY_BATCH_DEFINITION",
    ]


def test_a_queue_that_is_off(batch: Any) -> None:
    """Jobs would wait there for ever."""
    batch.update_job_queue(jobQueue=QUEUE, state="DISABLED")

    found = findings(batch, NAMES)[f"queue {QUEUE}"]

    assert (found.verdict, "DISABLED" in found.text) == ("FAIL", True)


@pytest.fixture
def settings(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return settings of a cluster that is on Batch."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    file = tmp_path / "daylily.yaml"
    file.write_text(FILE)
    return load({}, {"DAYLILY_HOME": str(tmp_path), "AWS_REGION": "us-west-2"}, file).settings


def test_a_cluster_on_batch(settings: Settings) -> None:
    """It has the engine that its settings name, beside the one of this machine."""
    app = bootstrap(settings)

    ((cluster, engine),) = app.world.clusters.items()

    assert cluster.name == "cloud"
    assert isinstance(engine, BatchCompute)
    assert engine.records.location == "s3://acme-worksets/worksets/.daylily/jobs"
    assert app.cycle.start.job.pythons == {"cloud": "python3"}
    app.world.close()


@pytest.mark.parametrize("name", ["i-0123456789abcdef0", "ec2-user@night"])
def test_a_head_node(tmp_path: Any, name: str) -> None:
    """A cluster that is reached through Systems Manager is, by whom and where the settings say."""
    environ = {
        "DAYLILY_HOME": str(tmp_path),
        "DAYLILY_ENGINE": "slurm",
        "DAYLILY_SLURM_FOLDER": "/fsx/daylily",
        "DAYLILY_SLURM_HEAD_NODE": name,
    }
    app = bootstrap(load({}, environ).settings)

    engine = app.world.compute
    assert isinstance(engine, SlurmCompute)
    assert isinstance(engine.runner, SSMRunner)
    assert engine.runner.user == ("ubuntu" if name.startswith("i-") else "ec2-user")
    if name.startswith("i-"):
        assert engine.runner.instance() == name
    else:
        assert isinstance(engine.runner.instance, HeadNodeOf)
        assert engine.runner.instance.cluster == "night"
    app.world.close()


def test_installations_that_share_a_cluster(tmp_path: Any) -> None:
    """Jobs of two buckets are told apart on one cluster, though folder and names be the same."""
    environ = {
        "DAYLILY_HOME": str(tmp_path),
        "DAYLILY_ENGINE": "slurm",
        "DAYLILY_SLURM_FOLDER": "/fsx/daylily/",
        "WORKSET_TABLE_NAME": "none",
    }
    engines = []
    for bucket in ("acme-worksets", "acme-test", "acme-test"):
        app = bootstrap(load({}, {**environ, "S3_BUCKET": bucket}).settings)
        assert isinstance(app.world.compute, SlurmCompute)
        engines.append(app.world.compute)
        app.world.close()

    assert engines[0].folder == "/fsx/daylily/acme-worksets/worksets"
    assert engines[1].namespace == engines[2].namespace
    assert len({(engine.namespace, engine.folder) for engine in engines}) == 2


def actions(settings: Settings, role: Role) -> dict[str, list[str]]:
    """Return what a role may do with what, of what concerns engines."""
    told = installation(settings).policy(role)["Statement"]
    return {
        action: each["Resource"]
        for each in told
        for action in each["Action"]
        if action.split(":")[0] in {"batch", "logs", "ssm", "ec2"}
    }


def test_what_is_permitted(settings: Settings) -> None:
    """Monitors submit, to this queue and by this definition; the API only looks, stops and reads."""
    monitor, api = actions(settings, Role.MONITOR), actions(settings, Role.API)

    batch = WHERE.format("batch") + ":*"
    assert monitor["batch:SubmitJob"] == [
        f"{batch}:job-queue/daylily",
        f"{batch}:job-definition/daylily-job:3",
    ]
    assert monitor["batch:TerminateJob"] == [f"{batch}:job/*"]
    assert monitor["logs:GetLogEvents"] == [
        "arn:aws:logs:us-west-2:*:log-group:/aws/batch/job:log-stream:*"
    ]
    assert set(monitor) - set(api) == {"batch:SubmitJob"}


@pytest.mark.parametrize("role", list(Role))
def test_d_33_clusters_are_never_taken_down(role: Role) -> None:
    """D-33: no cluster is deleted under those who wait for it: nobody asks for the right to do so."""
    told = engine_statements(WHERE, role, (NAMES,), (HeadNode(cluster="night"),))
    asked = {action for each in told for action in each.actions}
    harmless = {"Describe", "List", "Get", "SubmitJob", "TerminateJob", "SendCommand"}
    assert asked
    assert {each for each in asked if not any(word in each for word in harmless)} == set()


def test_what_is_permitted_of_head_nodes() -> None:
    """Who sends a script to an instance is root there: so it is to head nodes that are named, alone."""
    head = HeadNode(instance="i-0123456789abcdef0")
    told = [each.statement() for each in engine_statements(WHERE, Role.API, (), (head,))]
    assert [(each["Sid"], each["Action"], each["Resource"]) for each in told] == [
        (
            "HeadNodeScripts",
            ["ssm:SendCommand"],
            ["arn:aws:ssm:us-west-2::document/AWS-RunShellScript"],
        ),
        (
            "HeadNodes",
            ["ssm:SendCommand"],
            ["arn:aws:ec2:us-west-2:*:instance/i-0123456789abcdef0"],
        ),
        ("HeadNodeAnswers", ["ssm:GetCommandInvocation"], ["*"]),
    ]

    told = [
        each.statement()
        for each in engine_statements(WHERE, Role.API, (), (HeadNode(cluster="night"),))
    ]
    scripts, nodes, answers = told
    assert "Condition" not in scripts
    assert nodes["Condition"] == {
        "StringEquals": {
            "ssm:resourceTag/parallelcluster:cluster-name": ["night"],
            "ssm:resourceTag/parallelcluster:node-type": ["HeadNode"],
        }
    }
    assert answers["Action"] == ["ec2:DescribeInstances", "ssm:GetCommandInvocation"]
