"""Where tests of the command line type their commands."""

import json
from pathlib import Path
from typing import Any

from attrs import define
from click.testing import CliRunner, Result

from daylily.adapters.formats.stage_samples import COLUMNS
from daylily.adapters.memory.compute import InMemoryCompute
from daylily.bootstrap import World
from daylily.entrypoints.cli import cli
from daylily.entrypoints.cli.base import Common
from daylily.entrypoints.cli.session import Session
from daylily.ports.paging import every
from daylily.ports.state_store import Filter

READ = b"@r1\nACGT\n+\nIIII\n"


def sheet(folder: Path, *rows: dict[str, str], name: str = "stage_samples.tsv") -> Path:
    """Write a stage_samples.tsv whose rows differ from a sound one as told."""
    sound = {
        "RUN_ID": "R0", "SAMPLE_ID": "NA1", "EXPERIMENTID": "x1", "SAMPLE_TYPE": "blood",
        "LIB_PREP": "noampwgs", "SEQ_VENDOR": "ILMN", "SEQ_PLATFORM": "NOVASEQX", "LANE": "0",
        "SEQBC_ID": "S1", "R1_FQ": "NA1_R1.fastq.gz", "R2_FQ": "NA1_R2.fastq.gz",
    }  # fmt: skip
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join({**sound, **row}.get(column, "") for column in COLUMNS) for row in rows]
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


@define
class Desk:
    """Where a test types commands."""

    world: World
    home: Path

    @property
    def engine(self) -> InMemoryCompute:
        """The engine, whose jobs end when the test says so."""
        assert isinstance(self.world.compute, InMemoryCompute)
        return self.world.compute

    def run(self, *args: object, stdin: str = "") -> Result:
        """Run a command and return what came of it; a bug raises."""
        result = CliRunner().invoke(
            cli,
            [*map(str, args), "--home", str(self.home)],
            input=stdin,
            obj=Common(Session(world=self.world)),
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def ok(self, *args: object) -> str:
        """Run a command that must go well, and return its standard output."""
        result = self.run(*args)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *args: object) -> Any:
        """Run a command that must go well, and return the JSON it prints."""
        return json.loads(self.ok(*args, "--json"))

    def faults(self, *args: object) -> dict[str, str]:
        """Run a command that must be refused, and return its faults by their places."""
        result = self.run(*args, "--json")
        assert result.exit_code == 2, result.output
        told = json.loads(result.stdout)
        return {each["place"]: each["message"] for each in told["faults"]}

    def stored(self) -> tuple[list[str], list[str], list[str]]:
        """Return all worksets, all objects, and what is in the home."""
        store, objects = self.world.store, self.world.objects
        worksets = every(lambda cursor: store.list(Filter(), cursor=cursor))
        keys = every(lambda cursor: objects.list("", cursor=cursor))
        home = sorted(str(path) for path in self.home.rglob("*")) if self.home.exists() else []
        return [each.workset_id for each in worksets], [each.key for each in keys], home
