"""What runs pipelines, and how it gets at files."""

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import TYPE_CHECKING

from daylily import pipelines
from daylily.adapters.system import utc_now
from daylily.application.jobs import Staging
from daylily.application.places import Places
from daylily.config import Settings
from daylily.domain.errors import InvalidInputError
from daylily.ports.compute import Compute

if TYPE_CHECKING:
    from daylily.adapters.aws.engine_policies import BatchNames, HeadNode
    from daylily.adapters.slurm.runner import Runner


def staging(settings: Settings) -> Staging | None:
    """Return how engines get at files in S3; those with a file system in common need nothing."""
    if settings.store != "aws" or settings.engine == "memory":
        return None
    from daylily.adapters.aws import staged

    return Staging(
        module=staged.__name__,
        inputs=staged.INPUTS,
        outputs=staged.OUTPUTS,
        earlier=staged.EARLIER,
        environment={**staged.passed_on(os.environ), **_own_aws(settings)},
    )


def summing(settings: Settings) -> tuple[str, ...]:
    """Return what lists checksums where files stay with engines: source, as nodes may lack Daylily."""
    if settings.store == "aws" or settings.engine == "memory":
        return ()
    source = resources.files(pipelines).joinpath("summed.py").read_text(encoding="utf-8")
    return ("python3", "-c", source)


def _own_aws(settings: Settings) -> Mapping[str, str]:
    """Return what a job is told of AWS beside what it has from us."""
    told = {"AWS_DEFAULT_REGION": settings.region}
    # Other machines have profiles of their own.
    if settings.profile is not None and settings.engine == "local":
        told["AWS_PROFILE"] = settings.profile
    return told


def engine_settings(settings: Settings) -> Iterator[Settings]:
    """Yield the settings as they are for each engine."""
    yield settings
    for each in settings.clusters:
        yield settings.within(each)


def batches(settings: Settings) -> "Iterator[BatchNames]":
    from daylily.adapters.aws.engine_policies import BatchNames

    for each in engine_settings(settings):
        if each.engine == "batch" and each.batch_queue and each.batch_definition:
            yield BatchNames(queue=each.batch_queue, definition=each.batch_definition)


def head_nodes(settings: Settings) -> "Iterator[HeadNode]":
    from daylily.adapters.aws.engine_policies import HeadNode

    for each in engine_settings(settings):
        if each.engine == "slurm" and each.slurm_head_node is not None:
            node = each.slurm_head_node.rpartition("@")[2]
            yield HeadNode(instance=node) if node.startswith("i-") else HeadNode(cluster=node)


def python_of(settings: Settings) -> str:
    return settings.job_python or sys.executable


def engine_of(settings: Settings) -> Compute:
    if settings.engine == "memory":
        from daylily.adapters.memory.compute import InMemoryCompute

        return InMemoryCompute(utc_now)
    if settings.engine == "slurm":
        return _slurm(settings)
    if settings.engine == "batch":
        return _batch(settings)
    from daylily.adapters.local.compute import SubprocessCompute

    return SubprocessCompute(root=settings.home / "jobs")


def _slurm(settings: Settings) -> Compute:
    from daylily.adapters.slurm.compute import SlurmCompute

    if settings.slurm_folder is None:
        raise InvalidInputError.of("slurm_folder", "is needed for the engine slurm")
    # Of two installations with a bucket each, neither takes the other's jobs for its own.
    own = f"/{settings.bucket}/{settings.prefix}" if settings.store == "aws" else ""
    return SlurmCompute(
        runner=_runner(settings),
        folder=settings.slurm_folder.rstrip("/") + own,
        options=tuple(shlex.split(settings.slurm_options)),
    )


def _runner(settings: Settings) -> "Runner":
    if settings.slurm_head_node is not None:
        return _head_node(settings, settings.slurm_head_node)
    from daylily.adapters.slurm.runner import LocalRunner, SSHRunner

    if settings.slurm_host is None:
        return LocalRunner()
    user, _, address = settings.slurm_host.rpartition("@")
    host, _, port = address.partition(":")
    return SSHRunner(
        host=host, user=user or None, port=int(port or 22), identity=settings.slurm_identity
    )


def _head_node(settings: Settings, name: str) -> "Runner":
    from daylily.adapters.aws.clients import Clients
    from daylily.adapters.slurm.ssm import UBUNTU, HeadNodeOf, SSMRunner

    clients = Clients(region=settings.region, profile=settings.profile)
    user, _, node = name.rpartition("@")
    return SSMRunner(
        client=clients.ssm(),
        instance=(lambda: node)
        if node.startswith("i-")
        else HeadNodeOf(client=clients.ec2(), cluster=node),
        user=user or UBUNTU,
    )


def _batch(settings: Settings) -> Compute:
    from daylily.adapters.aws.batch import BatchCompute
    from daylily.adapters.aws.batch_logs import CloudWatchLogs
    from daylily.adapters.aws.batch_records import Records
    from daylily.adapters.aws.clients import Clients
    from daylily.adapters.aws.s3 import S3ObjectStore

    if settings.bucket is None or settings.batch_queue is None or settings.batch_definition is None:
        raise InvalidInputError.of("engine", "batch needs a bucket, a queue and a job definition")
    clients = Clients(region=settings.region, profile=settings.profile)
    objects = S3ObjectStore(clients.s3(), settings.bucket)
    return BatchCompute(
        client=clients.batch(),
        logs=CloudWatchLogs(clients.logs()),
        records=Records(objects, Places(worksets=settings.prefix).jobs),
        queue=settings.batch_queue,
        definition=settings.batch_definition,
        python=python_of(settings),
    )
