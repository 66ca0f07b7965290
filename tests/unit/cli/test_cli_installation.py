"""Settings, health, tokens and completion."""

import json
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from tests.unit.cli.desk import Desk

from daylily.adapters.local.compute import SubprocessCompute
from daylily.domain.errors import ConflictError, InvalidInputError
from daylily.entrypoints.cli import cli
from daylily.entrypoints.cli.base import Common
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.service import (
    ensure_admin_token,
    is_loopback,
    listen,
    read_admin_token,
)
from daylily.ports.installation import Finding


def test_config_show_masks_secrets(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting is told with its origin, but not the token."""
    monkeypatch.setenv("DAYLILY_TOKEN", "do-not-tell-this")
    monkeypatch.setenv("DAYLILY_MAX_CONCURRENT", "7")
    shown = desk.ok("config", "show")
    assert "do-not-tell-this" not in shown
    told = desk.json("config", "show")
    assert told["max_concurrent"] == {"value": "7", "origin": "$DAYLILY_MAX_CONCURRENT"}
    assert told["home"]["origin"] == "--home"
    assert told["token"]["value"] == "********"


def test_config_lists_every_fault(desk: Desk, tmp_path: Path) -> None:
    """Faults of file and environment are told at once, with exit code 2."""
    file = tmp_path / "site.yaml"
    file.write_text("port: many\nstoer: local\nlock_timeout: 1\n")
    assert len(desk.faults("config", "validate", "--config", file)) == 3


def test_a_misspelt_variable_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks like a setting and is none is named, with what was meant, and stops nothing."""
    monkeypatch.setenv("DAYLILY_MAX_CONCURENT", "7")
    monkeypatch.setenv("DAYLILY_XYZZY", "7")
    monkeypatch.setenv("DAYLILY_BUKET", "reads")
    monkeypatch.setenv("DAYLILY_PROGRESS", "given-to-jobs")
    monkeypatch.setenv("DAYLILY_PORT", "0")
    for command in (("config", "show"), ("config", "validate")):
        result = desk.run(*command)
        assert result.exit_code == 0
        assert (
            "DAYLILY_MAX_CONCURENT is no setting of daylily: did you mean DAYLILY_MAX_C"
            in result.stderr
        )
        assert "DAYLILY_XYZZY is no setting of daylily: unset it" in result.stderr
        assert "DAYLILY_BUKET is no setting of daylily: did you mean S3_BUCKET?" in result.stderr
        assert "DAYLILY_PROGRESS" not in result.stderr
    assert len(desk.json("config", "validate")["warnings"]) == 3
    told = desk.json("doctor")
    assert [each["check"] for each in told if each["verdict"] == "warn"][:3] == ["settings"] * 3


def test_config_path(desk: Desk, tmp_path: Path) -> None:
    """The path of the settings' file is told, whether it is there or not."""
    told = desk.json("config", "path", "--config", tmp_path / "x.yaml")
    assert told == {"path": str(tmp_path / "x.yaml"), "exists": False}


def test_options_stand_before_or_after_the_command(desk: Desk) -> None:
    """Shared options are taken in both places; what stands after the command wins."""
    told = json.loads(
        desk.run("--json", "--customer", "one", "config", "show", "--customer", "two").stdout
    )
    assert told["customer"]["value"] == "two"


def test_doctor(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is well on a sound machine; nothing is left behind in the home."""
    monkeypatch.setenv("DAYLILY_PORT", "0")
    found = {each["check"]: each["verdict"] for each in desk.json("doctor")}
    assert {"python", "settings", "clock", "home", "database", "engine", "tools"} <= found.keys()
    assert "FAIL" not in found.values()
    assert not desk.home.exists()


@pytest.mark.parametrize(("told", "coloured"), [("", True), ("1", False)])
def test_no_color(desk: Desk, monkeypatch: pytest.MonkeyPatch, told: str, coloured: bool) -> None:
    """Whoever sets NO_COLOR sees none, on a terminal either."""
    monkeypatch.setenv("NO_COLOR", told)
    monkeypatch.setattr("daylily.entrypoints.cli.doctor._all", lambda _: [Finding("disk", "ok", "")])
    common = Common(Session(world=desk.world))
    # The runner's own argument stands for a terminal.
    with CliRunner().isolation(color=True) as (out, _, _):
        cli.main(["doctor"], obj=common, standalone_mode=False)
        assert (b"\x1b[" in out.getvalue()) is coloured


def test_doctor_fails(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged database is a FAIL, with what to do, and exit code 1."""
    monkeypatch.setenv("DAYLILY_PORT", "0")

    def never(*_: object) -> str:
        raise ConflictError("no jobs today")

    monkeypatch.setattr(SubprocessCompute, "submit", never)
    desk.home.mkdir()
    (desk.home / "state.db").write_bytes(b"junk" * 1000)
    result = desk.run("doctor")
    assert result.exit_code == 1
    assert "FAIL  database" in result.stdout
    assert "restore a backup" in result.stdout
    assert "no jobs today" in result.stdout


def test_init(desk: Desk) -> None:
    """A home is made, and said to be; a second run changes nothing, and a dry run neither."""
    assert "1 change would be made" in desk.run("init", "--dry-run").stderr
    assert not desk.home.exists()
    told = desk.json("init")
    thing = f"folder {desk.home}"
    assert told == {"steps": [{"thing": thing, "now": "missing", "change": "create it"}], "changed": 1}
    assert desk.home.is_dir()
    assert "nothing to do" in desk.run("init").stderr


def test_init_of_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory needs nothing, and there is no policy for it."""
    monkeypatch.setenv("DAYLILY_STORE", "memory")
    assert desk.json("init") == {"steps": [], "changed": 0}
    assert "needs no policy" in desk.faults("iam-policy", "--role", "api")["store"]


def test_token(desk: Desk) -> None:
    """Before there is a token, it is not found; then it is printed."""
    assert desk.run("token", "show").exit_code == 3
    made = ensure_admin_token(desk.home)
    assert desk.ok("token", "show") == f"{made}\n"
    assert len(made) >= 43


@pytest.mark.parametrize(("shell", "said"), [("zsh", "compdef"), ("fish", "complete")])
def test_completion(desk: Desk, shell: str, said: str) -> None:
    """The script of each shell is printed."""
    result = desk.run("completion", shell)
    assert result.exit_code == 0
    assert said in result.stdout


def completed(*words: str) -> list[str]:
    """Return what a shell would offer for the last of *words*."""
    shell = ShellComplete(cli, {}, "daylily", "_DAYLILY_COMPLETE")
    return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]


def test_what_is_completed(tmp_path: Path, pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands, options, ids and the words of options; settings that are wrong offer nothing."""
    monkeypatch.setenv("DAYLILY_HOME", str(tmp_path / "home"))
    assert completed("show", "") == []
    submitted = CliRunner().invoke(cli, ["submit", str(pair), "-p", "fastq-qc"]).stdout.strip()
    assert completed("su") == ["submit"]
    assert completed("list", "--st") == ["--state"]
    assert completed("show", submitted[:3]) == [submitted]
    assert completed("submit", "x", "-p", "") == ["fastq-qc"]
    assert completed("estimate", "-p", "ger") == ["germline"]
    assert completed("submit", "x", "--reference", "grch") == ["GRCh38", "GRCh37"]
    assert completed("submit", "x", "--priority", "u") == ["urgent"]
    monkeypatch.setenv("DAYLILY_URL", "http://127.0.0.1:1")
    assert completed("show", "") == completed("submit", "x", "-p", "") == []
    monkeypatch.setenv("DAYLILY_PORT", "many")
    assert completed("show", "") == completed("estimate", "-p", "") == []


def test_admin_token_is_made_once(tmp_path: Path) -> None:
    """The token is kept for its owner's eyes, and never replaced."""
    first = ensure_admin_token(tmp_path / "home")
    assert ensure_admin_token(tmp_path / "home") == first
    assert (tmp_path / "home/admin-token").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["admin-token"]


def test_an_empty_token_lets_nobody_in(tmp_path: Path) -> None:
    """An emptied file is a fault, not an open door."""
    (tmp_path / "admin-token").write_text("\n")
    with pytest.raises(InvalidInputError, match="is empty"):
        read_admin_token(tmp_path)


def test_a_taken_port_is_a_conflict() -> None:
    """The second to listen is told so at once; port 0 takes another."""
    first = listen("127.0.0.1", 0)
    try:
        with pytest.raises(ConflictError, match="--port 0"):
            listen("127.0.0.1", first.port)
    finally:
        first.socket.close()


@pytest.mark.parametrize(
    ("host", "told"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("lab", False)],  # noqa: S104
)
def test_loopback(host: str, told: bool) -> None:
    """Only this machine reaches loopback."""
    assert is_loopback(host) is told


@pytest.mark.parametrize("command", ["up", "serve"])
def test_no_open_door_beyond_loopback(desk: Desk, command: str) -> None:
    """--insecure on the network is refused unless it is said in so many words."""
    told = desk.faults(command, "--insecure", "--host", "0.0.0.0", "--port", 0)  # noqa: S104
    assert "--anyone-on-the-network" in told["--insecure"]
    assert not desk.home.exists()


@pytest.mark.parametrize("command", ["up", "serve", "monitor", "init"])
def test_what_runs_here_takes_no_server(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A --url would be passed over without a word: it is refused, wherever it was said."""
    told = desk.faults(command, "--url", "http://127.0.0.1:8000")
    assert "leave it out" in told["--url"]
    monkeypatch.setenv("DAYLILY_URL", "http://127.0.0.1:8000")
    assert f"daylily {command} works on" in desk.faults(command)["$DAYLILY_URL"]
    assert not desk.home.exists()


def test_a_command_is_named_whole(desk: Desk) -> None:
    """What takes no server is named as it was typed, the group included."""
    told = desk.faults("--url", "http://127.0.0.1:9", "customer", "list")
    assert "daylily customer list works on" in told["--url"]


def test_doctor_without_an_extra(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wants no fastq-qc has left out what it needs; that is no failure, and what to do is said."""
    found_here = "daylily.entrypoints.cli.doctor.find_spec"
    monkeypatch.setattr(found_here, lambda name: None if name == "sequali" else name)
    [found] = [each for each in desk.json("doctor") if each["check"] == "tools"]
    assert found["verdict"] == "warn"
    assert "sequali" in found["text"]
    assert "daylily[pipelines]" in found["advice"]
