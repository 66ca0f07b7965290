"""A workset's life in a bucket alone, under the guide's names: nobody ever asks DynamoDB."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner
from tests.integration.aws.engines import Endpoint
from tests.integration.aws.worlds import unheard, use_engines

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.system import utc_now
from daylily.bootstrap import bootstrap, connect, own_customer
from daylily.bridge import WorksetIntegration, settings_for
from daylily.config import load
from daylily.domain.errors import IllegalTransitionError
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel
from daylily.entrypoints.cli import cli
from daylily.testing.faults import FaultInjector
from daylily.testing.racing import race

pytestmark = pytest.mark.engine

AFAR: dict[str, Any] = {
    "workset_name": "Trio of May",
    "pipeline_type": "fastq-qc",
    "samples": [{"sample_id": "HG002", "r1": "s3://reads/HG002_R1.fastq.gz"}],
}
ROUNDS = 4


@pytest.fixture(autouse=True)
def _elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3_endpoint: Endpoint, bucket: str
) -> Iterator[None]:
    """Name a prefix of its own in the environment, and no table."""
    for name in ("WORKSET_TABLE_NAME", "CUSTOMER_TABLE_NAME", "DAYLILY_CONFIG", "DAYLILY_URL"):
        monkeypatch.delenv(name, raising=False)
    environ = {
        "AWS_REGION": "us-east-1",
        "S3_BUCKET": bucket,
        "S3_PREFIX": f"{uuid.uuid4().hex[:8]}/",
        "DAYLILY_HOME": str(tmp_path / "home"),
        "XDG_CONFIG_HOME": str(tmp_path),
        "DAYLILY_ENGINE": "memory",
        "DAYLILY_PORT": "0",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with unheard() as address:
        use_engines(monkeypatch, Endpoint(address, "", ""), s3_endpoint)
        yield


def a_bridge(engine: InMemoryCompute) -> WorksetIntegration:
    """Return a bridge to the bucket of the environment, with adapters of its own on a shared engine."""
    settings = settings_for(None, None, None, None)
    app = bootstrap(settings, world=evolve(connect(settings), compute=engine))
    return WorksetIntegration(state_db=None, app=app)


def test_a_life_on_sentinels_alone() -> None:
    """Registered, locked, released, run by a monitor and complete: each is there for all to see."""
    engine = InMemoryCompute(utc_now)
    bridge = a_bridge(engine)
    other = a_bridge(engine)
    sentinels = bridge.app.world.sentinels

    assert bridge.register_workset("ws-001", metadata=AFAR, write_dynamodb=False)
    assert not other.register_workset("ws-001", metadata=AFAR, write_dynamodb=False)
    assert set(sentinels.look("ws-001").sentinels) == {Sentinel.READY}
    (row,) = other.get_ready_worksets()
    assert (row["workset_id"], row["state"]) == ("ws-001", "ready")

    assert bridge.acquire_lock("ws-001", "ada")
    assert not other.acquire_lock("ws-001", "bob")
    assert Sentinel.LOCK in sentinels.look("ws-001").sentinels
    other.app.cycle()
    assert engine.submitted == []
    assert not other.release_lock("ws-001", "bob")
    assert bridge.release_lock("ws-001", "ada")
    assert set(sentinels.look("ws-001").sentinels) == {Sentinel.READY}

    for _ in range(3):
        assert not other.app.cycle().faults
    workset = bridge.app.world.store.get("ws-001")
    assert (workset.state, workset.debts, len(engine.submitted)) == (State.COMPLETE, (), 1)
    assert set(sentinels.look("ws-001").sentinels) == {Sentinel.COMPLETE}
    assert bridge.get_ready_worksets() == []
    with pytest.raises(IllegalTransitionError):
        other.acquire_lock("ws-001", "bob")


def test_a_worker_of_ones_own() -> None:
    """Who runs a workset by other means locks it, and says how it went: to the bucket alone."""
    bridge = a_bridge(InMemoryCompute(utc_now))
    bridge.register_workset("ws-001", metadata=AFAR, write_dynamodb=False)
    assert bridge.acquire_lock("ws-001", "ada")
    for state in ("in_progress", "complete"):
        bridge.update_state("ws-001", state, "by hand", owner_id="ada", write_dynamodb=False)

    assert set(bridge.app.world.sentinels.look("ws-001").sentinels) == {Sentinel.COMPLETE}
    bridge.app.cycle()
    assert bridge.app.world.store.get("ws-001").state is State.COMPLETE


def test_two_monitors_at_once_run_nothing_twice() -> None:
    """Each workset is submitted once, in its first attempt, and ends complete."""
    engine, calls = InMemoryCompute(utc_now), FaultInjector()
    apps = [a_bridge(calls.wrap(engine, "engine")).app for _ in range(2)]
    bridge = WorksetIntegration(state_db=None, app=apps[0])
    names = [f"ws-{number:03}" for number in range(ROUNDS)]
    for name in names:
        assert bridge.register_workset(name, metadata=AFAR, write_dynamodb=False)

    for _ in range(ROUNDS + 2):
        race(lambda runner: apps[runner].cycle(), 2)
        if apps[0].world.store.count([State.COMPLETE]) == ROUNDS:
            break

    assert calls.calls.count("engine.submit") == ROUNDS
    assert sorted(job.key for job in engine.submitted) == [f"{name}/1" for name in names]
    for name in names:
        workset = apps[1].world.store.get(name)
        assert (workset.state, len(workset.attempts)) == (State.COMPLETE, 1)
        shown = apps[1].world.sentinels.look(name).sentinels
        assert set(shown) == {Sentinel.COMPLETE}


def test_commands_without_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """WORKSET_TABLE_NAME=none: init, doctor, iam-policy, list and ledger do with the bucket."""
    monkeypatch.setenv("WORKSET_TABLE_NAME", "none")

    def daylily(*arguments: str) -> Any:
        done = CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    things = {step["thing"].split()[0] for step in daylily("init", "--dry-run")["steps"]}
    assert "customer" in things
    assert "table" not in things
    # No more than the customer: the bucket is that of all tests.
    settings = load({}).settings
    connect(settings).customers.add(own_customer(settings))

    found = {each["check"]: each["verdict"] for each in daylily("doctor")}
    assert (found["records"], found["customers"], found["objects"]) == ("ok", "ok", "ok")
    assert not found.keys() & {"table", "indexes", "writes", "backups", "skew"}
    for role in ("api", "monitor", "admin"):
        assert "dynamodb" not in json.dumps(daylily("iam-policy", "--role", role))

    WorksetIntegration(state_db=None).register_workset("ws-001", metadata=AFAR)
    (shown,) = daylily("list")["worksets"]
    assert shown["workset_id"] == "ws-001"
    daylily("ledger", "check")

    world = connect(settings)
    for key in [info.key for info in world.objects.list(f"{settings.prefix}.daylily/state/").items]:
        world.objects.delete(key)
    assert daylily("list")["worksets"] == []
    daylily("ledger", "rebuild", "--from", "s3", "--yes")
    (shown,) = daylily("list")["worksets"]
    assert (shown["workset_id"], shown["state"]) == ("ws-001", "ready")
