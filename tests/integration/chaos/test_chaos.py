"""Sixty worksets through real stores and a real Slurm, while processes are killed and engines stop."""

import json
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from tests.integration.aws import engines
from tests.integration.aws.line import Line
from tests.integration.chaos.house import PATIENCE, Fate, House, fate
from tests.integration.slurm.cluster import cluster

from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset

pytestmark = [
    pytest.mark.engine,
    pytest.mark.slurm,
    pytest.mark.load,
    pytest.mark.timeout(900),
]

WORKSETS = 60
SEED = int(os.environ.get("CHAOS_SEED", "20250602"))
"""``CHAOS_SEED=7 make chaos`` breaks other things at other times."""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Three monitors and an API on stores and an engine of their own."""
    if {"DAYLILY_TEST_S3_ENDPOINT", "DAYLILY_TEST_DYNAMODB_ENDPOINT"} & os.environ.keys():
        pytest.skip("stores that others use are not stopped")
    for name in [name for name in os.environ if name.startswith(("AWS_", "DAYLILY_", "S3_"))]:
        monkeypatch.delenv(name)
    folders = [tmp_path / name for name in ("dynamodb", "s3", "home")]
    for folder in folders:
        folder.mkdir()
    with (
        engines.dynamodb(folders[0]) as dynamodb,
        engines.s3_to_stop(folders[1]) as (s3, store),
        cluster() as slurm,
        monkeypatch.context() as patch,
    ):
        chance = Random(SEED)  # noqa: S311 - to be the same each time
        line = Line(s3)
        house = House(folders[2], dynamodb, line, store, slurm, chance, patch)
        try:
            house.start_server()
            for _ in range(3):
                house.start_monitor()
            yield house
        finally:
            house.end()
            line.close()
            shutil.rmtree(folders[1], ignore_errors=True)


def test_sixty_worksets_in_chaos(house: House) -> None:
    """
    All end as their jobs do, each attempt was launched once, and both ledgers agree.

    Whatever was killed or stopped when. One in ten jobs fails for good, and one in ten at its first
    attempt, which is all that may use up a retry. One in twelve is asked to be canceled, and ends so,
    unless its job was faster. Nothing else ends in error: what was away says nothing of a workset.
    """
    submitted: list[str] = []
    asked: set[str] = set()
    failed: list[BaseException] = []

    def submit() -> None:
        try:
            for n in range(WORKSETS):
                submitted.append(house.submit(f"workset {n:02}"))
                if n % 12 == 7:
                    asked.add(submitted[-1])
                    house.cancel(submitted[-1])
        except BaseException as error:  # noqa: BLE001 - raised below, where the test can see it
            failed.append(error)

    customer = threading.Thread(target=submit, daemon=True)
    customer.start()
    # By what has been achieved, not by the clock: a slow machine is broken as often as a fast one.
    breaks = house.breaks()
    moments = sorted(house.chance.sample(range(1, 2 * WORKSETS - 10), len(breaks)))
    for achieved, breaks_it in zip(moments, breaks, strict=True):
        house.await_progress(lambda: len(submitted) + house.ended(), achieved, failed)
        time.sleep(house.chance.uniform(0, 1))  # to find them at something else each time
        breaks_it()
    house.await_progress(house.ended, WORKSETS, failed)
    house.await_progress(house.settled, WORKSETS, failed)
    customer.join()
    ended = house.worksets()

    assert {each.workset_id for each in ended} == set(submitted)
    launched = Counter(house.launches.read_text().split())
    assert set(launched.values()) == {1}, launched.most_common(3)
    known = {f"{e.workset_id}/{a.number}" for e in ended for a in e.attempts if a.ran}
    assert launched.keys() <= known
    through = [each for each in ended if each.state in {State.COMPLETE, State.ERROR}]
    assert {f"{each.workset_id}/{each.attempts[-1].number}" for each in through} <= launched.keys()
    wrong = [each for each in ended if each.state is not _end_of(each, asked)]
    assert not wrong, "\n".join(map(house.told, wrong))
    costly = [each for each in ended if each.retries_used > _retries_of(each)]
    assert not costly, "\n".join(map(house.told, costly))
    for workset in ended:
        for earlier, later in zip(workset.attempts, workset.attempts[1:], strict=False):
            assert earlier.ended_at is not None
            assert earlier.ended_at <= later.started_at
    for monitor in house.monitors:
        monitor.terminate()
        assert monitor.wait(PATIENCE) == 0
    checked = json.loads(house.command("ledger", "check", "--json").stdout)
    assert checked == []


def _end_of(workset: Workset, asked: set[str]) -> State:
    """Return how a workset has to end."""
    if workset.workset_id in asked and workset.state is State.CANCELED:
        return State.CANCELED
    return State.ERROR if fate(workset.workset_id) == Fate.FAILS else State.COMPLETE


def _retries_of(workset: Workset) -> int:
    """Return how many retries the job of a workset may have used up."""
    return 1 if fate(workset.workset_id) == Fate.FAILS_AT_FIRST else 0
