"""ObjectStateStore and ObjectCustomers on a real S3 engine, held to the contracts of their ports."""

from typing import Final

import pytest

from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.object_customers import ObjectCustomers
from daylily.adapters.object_state_store import ObjectStateStore
from daylily.domain.errors import ConcurrentUpdateError
from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset
from daylily.ports.customers import Customers
from daylily.ports.state_store import StateStore
from daylily.testing.clock import ManualClock
from daylily.testing.contracts.customers import CustomersContract
from daylily.testing.contracts.state_store import StateStoreContract
from daylily.testing.racing import race
from daylily.testing.samples import LOCK_TIMEOUT, NOON, a_workset, locked

pytestmark = pytest.mark.engine

THREADS: Final = 8
ROUNDS: Final = 4


class TestStateInS3(StateStoreContract):
    """The contract, on SeaweedFS or whatever the environment names."""

    @pytest.fixture
    def store(self, objects: S3ObjectStore) -> StateStore:
        """Return an empty store."""
        return ObjectStateStore(objects, ManualClock(), threads=8)


class TestCustomersInS3(CustomersContract):
    """The contract, on SeaweedFS or whatever the environment names."""

    @pytest.fixture
    def customers(self, objects: S3ObjectStore) -> Customers:
        """Return a store of no customers."""
        return ObjectCustomers(objects)


def test_threads_race_for_a_lock_in_s3(objects: S3ObjectStore) -> None:
    """D-02, D-03: Each of 8 threads tries; each next round takes over the last one's expired lock."""
    store = ObjectStateStore(objects, ManualClock())
    workset = store.add(a_workset())
    for turn in range(ROUNDS):
        at = NOON + turn * LOCK_TIMEOUT
        read = store.get("ws-1")
        assert read == workset

        def take(runner: int, read: Workset = read, at: object = at) -> Workset:
            return store.save(locked(read, owner=f"monitor-{runner}", at=at))  # type: ignore[arg-type]

        outcomes = race(take, THREADS)
        (workset,) = [outcome for outcome in outcomes if isinstance(outcome, Workset)]
        assert sum(type(outcome) is ConcurrentUpdateError for outcome in outcomes) == THREADS - 1
        assert workset.fence == turn + 1
    assert store.get("ws-1") == workset
    assert (store.count([State.LOCKED]), store.queue().items) == (1, ())
    assert store.due(NOON + (ROUNDS + 1) * LOCK_TIMEOUT).items == (workset,)
