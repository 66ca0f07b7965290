"""``daylily-workset-monitor``: the guide's flags, variables and file; and what stops it."""

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from click.testing import CliRunner, Result
from tests.unit.cli.desk import Desk
from tests.unit.test_nested_config import WHOLE

from daylily.config import Settings
from daylily.domain.lifecycle import State
from daylily.entrypoints.cli.base import Common
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.cli.workset_monitor import workset_monitor

BUCKET = ("--bucket", "daylily-worksets-bucket")
TOPIC = "arn:aws:sns:us-west-2:123456789:workset-notifications"
VARIABLES = (
    *("S3_BUCKET", "S3_PREFIX", "WORKSET_TABLE_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"),
    *("SNS_TOPIC_ARN", "LINEAR_API_KEY", "LINEAR_TEAM_ID"),
    *("DAYLILY_LOG_LEVEL", "DAYLILY_STORE"),
)


@frozen
class Run:
    """What came of a call, and the settings it had."""

    result: Result
    common: Common

    @property
    def settings(self) -> Settings:
        """The settings; the call must have gone well."""
        assert self.result.exit_code == 0, self.result.output
        return self.common.session.settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the tester's own AWS out."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-profile"))


def run(desk: Desk, *args: str, **env: str) -> Run:
    """Call the monitor on the world of the test, for a single cycle unless *args* say otherwise."""
    common = Common(Session(world=desk.world))
    result = CliRunner().invoke(workset_monitor, [*args, "--home", str(desk.home)], obj=common, env=env)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Run(result, common)


def told(desk: Desk, *args: str, **env: str) -> dict[str, str]:
    """Call the monitor with something that it must refuse, and return the faults by their places."""
    got = run(desk, *args, "--json", **env).result
    assert got.exit_code == 2, got.output
    return {each["place"]: each["message"] for each in json.loads(got.stdout)["faults"]}


def test_the_flags_of_the_guide(desk: Desk) -> None:
    """All eight are settings; the store is AWS, whatever else is said."""
    flags = (
        *BUCKET,
        *("--prefix", "worksets", "--dynamodb-table", "my-table", "--dynamodb-region", "eu-west-1"),
        *("--sns-topic-arn", TOPIC, "--linear-api-key", "lin_x", "--linear-team-id", "team-7"),
        *("--poll-interval", "60", "--once"),
    )
    settings = run(desk, *flags, DAYLILY_STORE="local").settings
    assert (settings.store, settings.bucket, settings.prefix) == ("aws", BUCKET[1], "worksets/")
    assert (settings.table, settings.region) == ("my-table", "eu-west-1")
    assert (settings.sns_topic_arn, settings.linear_team_id) == (TOPIC, "team-7")
    assert settings.linear_api_key is not None
    assert settings.linear_api_key.reveal() == "lin_x"
    assert settings.poll_interval.total_seconds() == 60


def test_the_variables_of_the_guide(desk: Desk) -> None:
    """They say what no flag says."""
    env = {
        "S3_BUCKET": "another-bucket",
        "S3_PREFIX": "elsewhere/",
        "WORKSET_TABLE_NAME": "my-table",
        "AWS_REGION": "eu-west-1",
        "SNS_TOPIC_ARN": TOPIC,
        "LINEAR_API_KEY": "lin_x",
        "LINEAR_TEAM_ID": "team-7",
    }
    settings = run(desk, *BUCKET, "--once", **env).settings
    assert (settings.bucket, settings.prefix) == (BUCKET[1], "elsewhere/")
    assert (settings.table, settings.region) == ("my-table", "eu-west-1")
    assert (settings.sns_topic_arn, settings.linear_team_id) == (TOPIC, "team-7")


def test_the_defaults_of_the_guide(desk: Desk) -> None:
    """Of all but the bucket."""
    settings = run(desk, *BUCKET, "--once").settings
    assert (settings.table, settings.prefix) == ("daylily-worksets", "worksets/")
    assert settings.region == "us-west-2"


def test_the_file_of_the_guide(desk: Desk, tmp_path: Path) -> None:
    """Flat, as it is printed."""
    file = tmp_path / "monitor-config.yaml"
    file.write_text(
        "# monitor-config.yaml\nbucket: daylily-worksets-bucket\nprefix: worksets/\n"
        "dynamodb_table: my-table\npoll_interval: 60\n"
        "sns_topic_arn: arn:aws:sns:us-west-2:123456789:notifications\n"
    )
    settings = run(desk, "--config", str(file), "--once").settings
    assert (settings.bucket, settings.table) == (BUCKET[1], "my-table")
    assert settings.poll_interval.total_seconds() == 60


def test_the_file_of_the_old_monitor(desk: Desk, tmp_path: Path) -> None:
    """Nested: what it says is heeded, one cycle among it; what means nothing here is logged."""
    file = tmp_path / "monitor.yaml"
    file.write_text(WHOLE.replace("reuse_cluster_name: daylily-1", "reuse_cluster_name:"))
    got = run(desk, str(file))  # as of old, without --config
    assert (got.settings.bucket, got.settings.profile) == ("lab-bucket", "lab")
    notes = got.common.session.loaded.notes
    assert got.result.stderr.count(" is not applicable: ") == len(notes) > 10
    named = desk.run("config", "validate", "--config", file)
    assert named.stderr.count(" is not applicable: ") == len(notes)


def test_two_files_are_one_too_many(desk: Desk, tmp_path: Path) -> None:
    """Which of them counts would be a guess."""
    file = str(tmp_path / "monitor.yaml")
    result = run(desk, file, "--config", file).result
    assert result.exit_code == 2
    assert "leave out one" in result.output


def test_without_a_bucket_it_does_not_start(desk: Desk) -> None:
    """And says which variable names it."""
    assert "S3_BUCKET" in told(desk, "--once")["bucket (default)"]


def test_d63_half_a_channel_is_none(desk: Desk) -> None:
    """It is refused rather than left out."""
    assert "linear_team_id" in told(desk, *BUCKET, "--once", "--linear-api-key", "lin_x")
    assert "linear_api_key (default)" in told(desk, *BUCKET, "--linear-team-id", "team-7")
    places = told(desk, *BUCKET, "--once", "--sns-topic-arn", "notifications")
    assert list(places) == ["sns_topic_arn (--sns-topic-arn)"]


@pytest.mark.parametrize("flag", ["--linear-api-key", "--bucket", "--dynamodb-table", "--prefix"])
def test_d63_a_variable_that_is_empty(desk: Desk, flag: str) -> None:
    """``--linear-api-key $LINEAR_API_KEY --linear-team-id ...``: what follows is not the key."""
    for value in ("--linear-team-id", ""):
        result = run(desk, flag, value, "--once").result
        assert result.exit_code == 2
        assert "is the shell's variable empty?" in result.output


def test_a_key_is_shown_to_nobody(desk: Desk) -> None:
    """Neither when all is well nor when something is wrong."""
    for more in ((), ("--linear-team-id", "team-7")):
        got = run(desk, *BUCKET, "--linear-api-key", "lin_x", *more, "--once", "--verbose").result
        assert "lin_x" not in got.output


def test_a_cycle(desk: Desk, submitted: str) -> None:
    """``--once`` launches what waits."""
    moved = json.loads(run(desk, *BUCKET, "--once", "--json").result.stdout)["moved"]
    assert moved == [{"workset_id": submitted, "state": "in_progress"}]


def test_a_dry_run(desk: Desk, submitted: str) -> None:
    """It writes, locks and sends nothing."""
    before = desk.stored()
    assert "launch" in run(desk, *BUCKET, "--dry-run").result.stdout
    assert desk.stored() == before
    assert desk.world.store.get(submitted).state is State.READY


@pytest.mark.parametrize(("level", "shown"), [("DEBUG", True), ("INFO", True), ("WARNING", False)])
def test_how_much_is_logged(desk: Desk, level: str, *, shown: bool, submitted: str) -> None:
    """``DAYLILY_LOG_LEVEL``, as the guide has it."""
    del submitted
    result: Any = run(desk, *BUCKET, "--once", DAYLILY_LOG_LEVEL=level).result
    assert ("workset moved" in result.stderr) is shown


def test_what_a_server_is_asked_by_is_no_option(desk: Desk) -> None:
    """It works on stores of its own."""
    assert run(desk, *BUCKET, "--url", "http://127.0.0.1:8000").result.exit_code == 2
