"""One Slurm, and one sshd to reach it, for all tests of a process."""

import uuid
from collections.abc import Iterator

import pytest
from attrs import evolve
from tests.integration.slurm.cluster import Cluster, cluster
from tests.integration.slurm.sshd import Server, sshd

from daylily.adapters.slurm.compute import SlurmCompute
from daylily.adapters.slurm.runner import LocalRunner


@pytest.fixture(scope="session")
def slurm() -> Iterator[Cluster]:
    """Return a running Slurm of one node."""
    with cluster() as running:
        yield running


@pytest.fixture
def engine(slurm: Cluster) -> Iterator[SlurmCompute]:
    """Return an engine that knows no job; none of its jobs is left running."""
    name = uuid.uuid4().hex[:8]
    runner = LocalRunner(environment=slurm.environment)
    yield SlurmCompute(runner=runner, folder=slurm.home / name, namespace=f"{name}:")
    runner.run(["scancel", "--me"])


@pytest.fixture(scope="session")
def server(slurm: Cluster) -> Iterator[Server]:
    """Return a running sshd, from which the cluster is reached."""
    with sshd(slurm) as running:
        yield running


@pytest.fixture
def far(engine: SlurmCompute, server: Server) -> SlurmCompute:
    """Return an engine whose commands go over ssh."""
    return evolve(engine, runner=server.runner())
