"""What processes must be permitted for engines that are reached through AWS."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import field, frozen

from daylily.adapters.aws.batch_answers import LOG_GROUP
from daylily.ports.installation import Role

CLUSTER_TAG: Final = "parallelcluster:cluster-name"
NODE_TAG: Final = "parallelcluster:node-type"
HEAD: Final = "HeadNode"
"""How ParallelCluster marks its instances."""

_LOOKS: Final = ("batch:DescribeJobs", "batch:ListJobs")
_CHECKS: Final = ("batch:DescribeJobDefinitions", "batch:DescribeJobQueues")
"""What only `daylily doctor` asks."""


@frozen(kw_only=True)
class BatchNames:
    """A queue of AWS Batch and the definition of the jobs in it, each by name or ARN."""

    queue: str
    definition: str


@frozen(kw_only=True)
class HeadNode:
    """
    The head node of a cluster, reached through Systems Manager.

    Args:
        instance: Its id; None where it is looked for by its cluster.
        cluster: The name of its ParallelCluster, where it is looked for.
    """

    instance: str | None = None
    cluster: str | None = None


@frozen
class Allowed:
    """What one statement of a policy allows."""

    sid: str
    actions: tuple[str, ...]
    resources: list[str]
    tags: Mapping[str, list[str]] = field(factory=dict)
    """Tags that instances have to have, and the values that will do."""

    def statement(self) -> dict[str, Any]:
        """Return it as IAM takes it."""
        told: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": self.resources,
        }
        if self.tags:
            wanted = {f"ssm:resourceTag/{tag}": values for tag, values in self.tags.items()}
            told["Condition"] = {"StringEquals": wanted}
        return told


def engine_statements(
    where: str, role: Role, batches: tuple[BatchNames, ...], heads: tuple[HeadNode, ...]
) -> Iterator[Allowed]:
    """
    Yield what a role is allowed of engines.

    Args:
        where: Partition and region as ARNs have them, ``{}`` for the service.
    """
    if batches:
        if role is not Role.API:
            named = [arn for names in batches for arn in _submitted(where, names)]
            yield Allowed("BatchSubmits", ("batch:SubmitJob",), list(dict.fromkeys(named)))
        yield Allowed("BatchStops", ("batch:TerminateJob",), [_arn(where, "batch", "job/*")])
        # These know no resources.
        yield Allowed("BatchLooks", tuple(sorted(_LOOKS + _CHECKS)), ["*"])
        streams = _arn(where, "logs", f"log-group:{LOG_GROUP}:log-stream:*")
        yield Allowed("BatchLogs", ("logs:GetLogEvents",), [streams])
    if heads:
        yield from _of_head_nodes(where, heads)


def _of_head_nodes(where: str, heads: tuple[HeadNode, ...]) -> Iterator[Allowed]:
    # Whoever may send a script to an instance is root there: so it is to these alone.
    document = where.format("ssm") + "::document/AWS-RunShellScript"
    yield Allowed("HeadNodeScripts", ("ssm:SendCommand",), [document])
    instances = [_arn(where, "ec2", f"instance/{head.instance}") for head in heads if head.instance]
    if instances:
        yield Allowed("HeadNodes", ("ssm:SendCommand",), instances)
    clusters = [head.cluster for head in heads if head.cluster]
    if clusters:
        tags = {CLUSTER_TAG: clusters, NODE_TAG: [HEAD]}
        anyone = [_arn(where, "ec2", "instance/*")]
        yield Allowed("HeadNodesOfClusters", ("ssm:SendCommand",), anyone, tags)
    looks = ("ec2:DescribeInstances",) if clusters else ()
    yield Allowed("HeadNodeAnswers", (*looks, "ssm:GetCommandInvocation"), ["*"])


def _submitted(where: str, names: BatchNames) -> Iterator[str]:
    for kind, name in (("job-queue", names.queue), ("job-definition", names.definition)):
        arn = name if name.startswith("arn:") else _arn(where, "batch", f"{kind}/{name}")
        yield arn
        if kind == "job-definition" and ":" not in arn.rpartition("/")[2]:
            yield f"{arn}:*"


def _arn(where: str, service: str, rest: str) -> str:
    return f"{where.format(service)}:*:{rest}"
