"""Are there a queue and a job definition on AWS Batch, and would jobs run?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from attrs import frozen

from daylily.adapters.aws.engine_policies import BatchNames
from daylily.adapters.aws.errors import reported
from daylily.domain.errors import UnavailableError
from daylily.ports.installation import Finding

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient


@frozen(kw_only=True, eq=False)
class BatchChecks:
    """Looks at a queue and a job definition, and changes nothing."""

    client: "BatchClient"
    names: BatchNames

    def __call__(self) -> Iterator[Finding]:
        """Yield what was found."""
        for kind, name, find in (
            ("queue", self.names.queue, self._queue),
            ("definition", self.names.definition, self._definition),
        ):
            check = f"{kind} {name.rpartition('/')[2]}"
            try:
                yield find(check)
            except UnavailableError as error:
                yield Finding(check, "FAIL", str(error))

    def _queue(self, check: str) -> Finding:
        name = self.names.queue
        with reported("batch", "DescribeJobQueues", f"queue {name}"):
            found = self.client.describe_job_queues(jobQueues=[name])["jobQueues"]
        if not found:
            return Finding(check, "FAIL", f"there is no queue {name}", "see DAYLILY_BATCH_QUEUE")
        state, status = found[0].get("state", ""), found[0].get("status", "")
        if (state, status) != ("ENABLED", "VALID"):
            text = f"{name} is {state} and {status}: {found[0].get('statusReason', '')}".rstrip(": ")
            return Finding(check, "FAIL", text, "jobs would wait there: enable it, or mend it")
        return Finding(check, "ok", f"{name} takes jobs")

    def _definition(self, check: str) -> Finding:
        name = self.names.definition
        whole, _, revision = name.rpartition("/")[2].partition(":")
        with reported("batch", "DescribeJobDefinitions", f"job definition {name}"):
            if name.startswith("arn:"):
                answer = self.client.describe_job_definitions(jobDefinitions=[name])
            else:
                answer = self.client.describe_job_definitions(jobDefinitionName=whole, status="ACTIVE")
        found = [
            each
            for each in answer["jobDefinitions"]
            if each.get("status") == "ACTIVE" and revision in {"", str(each["revision"])}
        ]
        if not found:
            text = f"there is no active job definition {name}"
            return Finding(check, "FAIL", text, "see DAYLILY_BATCH_DEFINITION")
        latest = max(found, key=lambda each: each["revision"])
        if latest["type"] != "container":
            text = f"{name} is of type {latest['type']}"
            return Finding(check, "FAIL", text, "jobs are single containers: take one of that type")
        image = latest.get("containerProperties", {}).get("image", "an image that it does not tell")
        return Finding(check, "ok", f"{name} runs {image}, which has to have Daylily in it")
