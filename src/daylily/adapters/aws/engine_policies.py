"""What processes must be permitted for engines that are reached through AWS."""

from collections.abc import Iterator
from typing import Final

from attrs import frozen

from daylily.adapters.aws.batch_answers import LOG_GROUP
from daylily.ports.installation import Role

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
        instance: Its id; None where it is looked for by the name of its ParallelCluster.
    """

    instance: str | None = None


def engine_statements(
    where: str, role: Role, batches: tuple[BatchNames, ...], heads: tuple[HeadNode, ...]
) -> Iterator[tuple[str, tuple[str, ...], list[str]]]:
    """
    Yield name, actions and resources of each statement.

    Args:
        where: Partition and region as ARNs have them, ``{}`` for the service.
    """
    if batches:
        if role is not Role.API:
            named = [arn for names in batches for arn in _submitted(where, names)]
            yield "BatchSubmits", ("batch:SubmitJob",), list(dict.fromkeys(named))
        yield "BatchStops", ("batch:TerminateJob",), [_arn(where, "batch", "job/*")]
        # These know no resources.
        yield "BatchLooks", tuple(sorted(_LOOKS + _CHECKS)), ["*"]
        streams = _arn(where, "logs", f"log-group:{LOG_GROUP}:log-stream:*")
        yield "BatchLogs", ("logs:GetLogEvents",), [streams]
    if heads:
        instances = [_arn(where, "ec2", f"instance/{head.instance or '*'}") for head in heads]
        document = where.format("ssm") + "::document/AWS-RunShellScript"
        yield "HeadNodes", ("ssm:SendCommand",), [document, *dict.fromkeys(instances)]
        answers: tuple[str, ...] = ("ssm:GetCommandInvocation",)
        if any(head.instance is None for head in heads):
            answers = ("ec2:DescribeInstances", *answers)
        yield "HeadNodeAnswers", answers, ["*"]


def _submitted(where: str, names: BatchNames) -> Iterator[str]:
    for kind, name in (("job-queue", names.queue), ("job-definition", names.definition)):
        arn = name if name.startswith("arn:") else _arn(where, "batch", f"{kind}/{name}")
        yield arn
        if kind == "job-definition" and ":" not in arn.rpartition("/")[2]:
            yield f"{arn}:*"


def _arn(where: str, service: str, rest: str) -> str:
    return f"{where.format(service)}:*:{rest}"
