"""One Slurm for all tests of a process."""

import uuid
from collections.abc import Iterator

import pytest
from tests.integration.slurm.cluster import Cluster, cluster

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
