"""Many monitors want one lock: of any number, exactly one gets it, in every round."""

import multiprocessing
import uuid
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final

import pytest
from tests.integration.aws.engines import Endpoint
from tests.integration.aws.worlds import a_table, dynamodb_client

from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.domain.errors import ConcurrentUpdateError
from daylily.domain.sentinels import Sentinel, SentinelBody
from daylily.domain.workset import Workset
from daylily.testing.racing import race
from daylily.testing.samples import LOCK_TIMEOUT, NOON, a_workset, locked

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = [pytest.mark.engine, pytest.mark.load, pytest.mark.timeout(900)]

THREADS: Final = 32
ROUNDS: Final = 200
PROCESSES: Final = 4
PROCESS_ROUNDS: Final = 200


def test_threads_race_for_a_lock_in_dynamodb(dynamodb: "DynamoDBClient") -> None:
    """D-02, D-03: Each of 32 threads tries; each next round takes over the last one's expired lock."""
    store = DynamoDBStateStore(dynamodb, a_table(dynamodb))
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


def test_processes_race_for_a_lock_in_dynamodb(
    dynamodb: "DynamoDBClient", dynamodb_endpoint: Endpoint
) -> None:
    """Four processes, each with a client of its own: one winner a round, and all agree who."""
    table = a_table(dynamodb)
    store = DynamoDBStateStore(dynamodb, table)
    store.add(a_workset())
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(PROCESSES)
    pipes: list[Connection] = []
    racers = []
    for runner in range(PROCESSES):
        ours, theirs = context.Pipe()
        arguments = (theirs, start, dynamodb_endpoint, table, f"monitor-{runner}")
        racers.append(context.Process(target=_run, args=arguments, daemon=True))
        racers[-1].start()
        pipes.append(ours)
    won = [pipe.recv() for pipe in pipes]
    for racer in racers:
        racer.join()

    assert sorted(turn for turns in won for turn in turns) == list(range(PROCESS_ROUNDS))
    assert store.get("ws-1").fence == PROCESS_ROUNDS


def _run(answer: Connection, start: object, endpoint: Endpoint, table: str, owner: str) -> None:
    """Race in every round; tell the rounds that were won."""
    store = DynamoDBStateStore(dynamodb_client(endpoint), table)
    won = []
    for turn in range(PROCESS_ROUNDS):
        start.wait(60)  # type: ignore[attr-defined]
        read = store.get("ws-1")
        start.wait(60)  # type: ignore[attr-defined]
        try:
            store.save(locked(read, owner=owner, at=NOON + turn * LOCK_TIMEOUT))
        except ConcurrentUpdateError:
            continue
        won.append(turn)
    answer.send(won)


def test_threads_race_for_a_sentinel_in_s3(objects: S3ObjectStore) -> None:
    """D-06: 8 threads, 40 rounds; only whoever's lock sentinel stands is told that it is its own."""
    store = ObjectSentinelStore(objects)
    for _ in range(40):
        workset_id = f"ws-{uuid.uuid4().hex[:8]}"

        def post(runner: int, workset_id: str = workset_id) -> bool:
            body = SentinelBody(NOON, f"locked by monitor-{runner}", 1)
            return store.post(workset_id, Sentinel.LOCK, body)

        outcomes = race(post, 8)
        assert sorted(map(str, outcomes)) == ["False"] * 7 + ["True"]
        winner = outcomes.index(True)
        standing = store.look(workset_id).sentinels[Sentinel.LOCK]
        assert standing.detail == f"locked by monitor-{winner}"
