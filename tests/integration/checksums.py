"""Commands of a lab's own, for whichever engine: what they leave is listed with its checksums."""

import hashlib
import json
from pathlib import Path
from typing import Final

from tests.integration.reads import listed, measured, results

from daylily.bootstrap import bootstrap
from daylily.config import load
from daylily.domain.lifecycle import State

_PLAIN: Final = 'mkdir -p "$1/calls"; printf 1 > "$1/calls/a.vcf"; printf 2 > "$1/log.txt"'
_EACH: Final = 'mkdir -p "$1"; printf "$2" > "$1/$2.vcf"'


def settings_of(home: Path) -> Path:
    """Write settings with a command for a workset and one for each sample; return their file."""
    pipelines = {
        "plain": {"command": ["sh", "-c", _PLAIN, "sh", "{results_dir}"], "memory_gb": 0.1},
        "each": {
            "command": ["sh", "-c", _EACH, "sh", "{results_dir}", "{sample_id}"],
            "per_sample": True,
            "memory_gb": 0.1,
        },
    }
    path = home / "settings.yaml"
    path.write_text(json.dumps({"pipelines": pipelines}))
    return path


def check_lists(home: Path, **environ: str) -> None:
    """Run both on an engine, and assert that each has left one list of all that it made."""
    told = {"DAYLILY_HOME": str(home), "DAYLILY_CONFIG": str(settings_of(home)), **environ}
    app = bootstrap(load({}, told).settings)
    try:
        plain = measured(app, "plain")
        assert plain.state is State.COMPLETE, plain.failure
        assert listed(app, plain) == _sums({"calls/a.vcf": "1", "log.txt": "2"})

        each = measured(app, "each", "ABC")
        assert each.state is State.COMPLETE, each.failure
        assert listed(app, each) == _sums({f"{name}.vcf": name for name in "ABC"})
        assert results(app, each) == {"A.vcf", "B.vcf", "C.vcf", "manifest.sha256"}
    finally:
        app.world.close()


def _sums(contents: dict[str, str]) -> dict[str, str]:
    return {name: hashlib.sha256(said.encode()).hexdigest() for name, said in contents.items()}
