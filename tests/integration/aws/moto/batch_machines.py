"""
What moto's Batch lacks: machines. Here a job runs as a process, where moto would start a container.

moto keeps queue, jobs and logs, and answers the calls. The command of each job is taken from what was
submitted, and done by the same code as in a container.
"""

import contextlib
import io
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import pytest
from attrs import define, field, frozen
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.batch.models import Job as MotoJob
from moto.moto_api import state_manager
from tests.integration.shell_bench import ShellBench

from daylily.adapters.aws.batch import BatchCompute
from daylily.adapters.aws.batch_job import INDEX, JOB, Command, perform
from daylily.adapters.aws.batch_logs import CloudWatchLogs
from daylily.adapters.aws.batch_records import Records
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.domain.errors import UnavailableError
from daylily.domain.pipelines import Resources
from daylily.ports.compute import Compute, Job

QUEUE: Final = "daylily"
DEFINITION: Final = "daylily-job"
MOST_MEMORY: Final = 1 << 20
"""MiB; Batch itself would leave a job that asks for more waiting for ever."""


@define
class Machines:
    """Run the jobs of one queue, as many at once as there are."""

    records: Records
    hold: bool = False
    """Whether jobs wait."""
    lost: set[str] = field(factory=set)
    """Jobs whose machine is taken away."""
    _mutex: Any = field(init=False, factory=threading.Lock)
    _jobs: list[MotoJob] = field(init=False, factory=list)

    def run(self, job: MotoJob) -> None:
        """Run a job to its end, in the thread that moto has for it."""
        self._jobs.append(job)
        parent = job.all_jobs[job.job_id.partition(":")[0]]
        job.status = "RUNNABLE"
        while self.hold and not (job.stop or parent.stop):
            threading.Event().wait(0.005)
        code = None
        if not (job.stop or parent.stop):
            code = self._work(job, parent)
        with self._mutex:
            self._end(job, parent, code)

    def stop(self) -> None:
        """Stop all that runs, and wait for it."""
        for job in self._jobs:
            job.terminate("over")
        for job in self._jobs:
            job.join()

    def _work(self, job: MotoJob, parent: MotoJob) -> int:
        words = job.container_overrides["command"]
        options = dict(zip(words[3::2], words[4::2], strict=True))
        environment = {"PATH": os.environ["PATH"], JOB: job.job_id}
        if "index" in job.array_properties:
            environment[INDEX] = str(job.array_properties["index"])
        output = io.BytesIO()
        command = Command(output)
        codes: list[int] = []

        def work() -> None:
            order = options["--order"]
            codes.append(perform(self.records, options["--key"], order, environment, command))

        job.job_started_at = datetime.now()  # noqa: DTZ005 as moto has it
        job.log_stream_name = job._stream_name
        job._start_attempt()
        job.status = "RUNNING"
        thread = threading.Thread(target=work)
        thread.start()
        while thread.is_alive():
            thread.join(0.005)
            if job.stop or parent.stop or job.job_id in self.lost:
                command.stop()
        self._write(job, output.getvalue())
        return codes[0]

    def _write(self, job: MotoJob, text: bytes) -> None:
        logs, now = job._log_backend, int(datetime.now().timestamp() * 1000)  # noqa: DTZ005
        logs.ensure_log_group(job._log_group)
        logs.create_log_stream(job._log_group, job._stream_name)
        lines = text.decode().removesuffix("\n").split("\n") if text else []
        events = [{"timestamp": now, "message": line} for line in lines]
        logs.put_log_events(job._log_group, job._stream_name, events)

    def _end(self, job: MotoJob, parent: MotoJob, code: int | None) -> None:
        job.exit_code = code
        if job.job_id in self.lost:
            job.job_stopped_reason = "Host EC2 (instance i-0123456789abcdef0) terminated."
            job.exit_code = None
        elif job.stop or parent.stop:
            job.job_stopped_reason = job.job_stopped_reason or parent.job_stopped_reason
        elif code:
            job.job_stopped_reason = "Essential container in task exited"
        job._mark_stopped(success=code == 0)
        if job.latest_attempt and job.exit_code is not None:
            job.latest_attempt["container"]["exitCode"] = job.exit_code
        if parent is job:
            return
        # moto starts children while it still makes others.
        ids = [f"{parent.job_id}:{index}" for index in range(parent.array_properties["size"])]
        children = [job.all_jobs[each] for each in ids if each in job.all_jobs]
        if len(children) == len(ids) and all(child.job_stopped for child in children):
            parent._mark_stopped(success=all(child.status == "SUCCEEDED" for child in children))


@define
class OneAtATime:
    """
    A client whose calls wait for one another, and which can be cut off.

    moto's answers are not made for threads: what is under test is the order of our calls.
    """

    client: Any
    cut: bool = False
    before: Callable[[str, dict[str, Any]], None] = lambda _name, _options: None
    """Called first, with the name of the call."""
    after: Callable[[str], None] = lambda _name: None
    """Called once the answer is there."""
    _mutex: Any = field(init=False, factory=threading.RLock)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self.client, name)

        def in_turn(**options: Any) -> Any:
            if self.cut:
                raise EndpointConnectionError(endpoint_url="https://batch.us-east-1.amazonaws.com")
            self.before(name, options)
            with self._mutex:
                answer = call(**options)
            self.after(name)
            return answer

        return in_turn


def refusing(name: str, options: dict[str, Any]) -> None:
    """Refuse what Batch would refuse at once, which moto takes."""
    if name == "submit_job":
        needs = {
            each["type"]: float(each["value"])
            for each in options["containerOverrides"]["resourceRequirements"]
        }
        if needs["MEMORY"] > MOST_MEMORY:
            said = f"Resource requirement MEMORY must be at most {MOST_MEMORY}"
            raise ClientError({"Error": {"Code": "ClientException", "Message": said}}, "SubmitJob")


@define
class CutStore(InMemoryObjectStore):
    """A bucket that can be cut off."""

    cut: bool = False

    def put(self, *args: Any, **options: Any) -> Any:
        self._check()
        return super().put(*args, **options)

    def open(self, *args: Any, **options: Any) -> Any:
        self._check()
        return super().open(*args, **options)

    def _check(self) -> None:
        if self.cut:
            raise UnavailableError("s3 does not answer")


@frozen(kw_only=True)
class BatchSite:
    """A queue, its machines and the engine that uses it."""

    batch: OneAtATime
    logs: OneAtATime
    objects: CutStore
    records: Records
    machines: Machines

    def engine(self) -> BatchCompute:
        """Return the engine as a monitor that has just come up sees it."""
        return BatchCompute(
            client=self.batch,  # type: ignore[arg-type]
            logs=CloudWatchLogs(self.logs),  # type: ignore[arg-type]
            records=self.records,
            queue=QUEUE,
            definition=DEFINITION,
        )


def a_queue(client: Any, iam: Any) -> None:
    """Make a queue and a job definition, by clients of Batch and IAM."""
    role = iam.create_role(RoleName="batch", AssumeRolePolicyDocument="{}")
    environment = client.create_compute_environment(
        computeEnvironmentName="daylily",
        type="UNMANAGED",
        state="ENABLED",
        serviceRole=role["Role"]["Arn"],
    )
    client.create_job_queue(
        jobQueueName=QUEUE,
        state="ENABLED",
        priority=1,
        computeEnvironmentOrder=[
            {"order": 1, "computeEnvironment": environment["computeEnvironmentArn"]}
        ],
    )
    client.register_job_definition(
        jobDefinitionName=DEFINITION,
        type="container",
        containerProperties={
            "image": "registry.test/daylily",
            "resourceRequirements": [
                {"type": "VCPU", "value": "1"},
                {"type": "MEMORY", "value": "2048"},
            ],
        },
    )


@contextlib.contextmanager
def batch_site(clients: Mapping[str, Any], patch: pytest.MonkeyPatch) -> Iterator[BatchSite]:
    """
    Yield a queue that has machines.

    Args:
        clients: Of ``batch``, ``iam`` and ``logs``.
    """
    a_queue(clients["batch"], clients["iam"])
    objects = CutStore()
    records = Records(objects, "worksets/.daylily/batch/")
    machines = Machines(records)
    patch.setattr(MotoJob, "run", lambda job: machines.run(job))
    # Jobs move on as machines say, and not as often as they are looked at.
    state_manager.set_transition("batch::job", {"progression": "manual", "times": 1 << 30})
    try:
        yield BatchSite(
            batch=OneAtATime(clients["batch"], before=refusing),
            logs=OneAtATime(clients["logs"]),
            objects=objects,
            records=records,
            machines=machines,
        )
    finally:
        machines.stop()
        state_manager.unset_transition("batch::job")


@frozen(kw_only=True)
class BatchBench(ShellBench):
    """Shell commands for Batch."""

    site: BatchSite

    def impossible(self, key: str) -> Job:
        return self.shell(key, ":", needs=Resources(memory_gb=1e6))

    def another(self) -> Compute:
        return self.site.engine()

    @contextlib.contextmanager
    def outage(self) -> Iterator[None]:
        cuts = (self.site.batch, self.site.logs, self.site.objects)
        for each in cuts:
            each.cut = True
        try:
            yield
        finally:
            for each in cuts:
                each.cut = False
