"""The YAML file of settings: ours, flat as the guide has it, or nested as the old monitor had it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import platformdirs
import yaml
from attrs import field, frozen

from daylily.config.nested import is_nested, translated
from daylily.domain.errors import Fault

CONFIG_VARIABLE: Final = "DAYLILY_CONFIG"
_MAX_FILE: Final = 1 << 20
_GUIDE: Final = {"dynamodb_table": "table", "dynamodb_region": "region"}
"""What the guide's files call settings."""


@frozen(kw_only=True)
class Written:
    """What a YAML file says, by setting."""

    file: Path | None = None
    """None where there is none, which is no fault."""
    values: Mapping[str, Any] = field(factory=dict)
    places: Mapping[str, str] = field(factory=dict)
    """For settings that the file calls something else: what."""
    notes: tuple[str, ...] = ()
    """What it says that means nothing here, one line a key."""
    faults: tuple[Fault, ...] = ()

    def place(self, name: str) -> str:
        """Return where a setting stands, for people."""
        return f"{self.file}, {self.places[name]}" if name in self.places else str(self.file)


def read_file(path: Path | None, environ: Mapping[str, str]) -> Written:
    """
    Return what the YAML file says, and what is wrong with it as a whole.

    Args:
        path: None takes ``$DAYLILY_CONFIG``, or the user's own if there is one.
    """
    named = path or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    file = named or Path(platformdirs.user_config_dir("daylily", appauthor=False)) / "config.yaml"
    if named is None and not file.is_file():
        return Written()

    def faulty(message: str) -> Written:
        return Written(file=file, faults=(Fault(str(file), message),))

    try:
        if file.stat().st_size > _MAX_FILE:
            return faulty("is larger than 1 MiB")
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return faulty(f"cannot be read: {error}")
    except yaml.YAMLError as error:
        return faulty(f"is not YAML: {error}")
    if content is None:
        return Written(file=file)
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        return faulty("must be a mapping of settings")
    said = {key.replace("-", "_"): value for key, value in content.items()}
    twice = [name for name in _GUIDE if name in said and _GUIDE[name] in said]
    faults = tuple(
        Fault(f"{name} ({file})", f"is {_GUIDE[name]}, which is there too") for name in twice
    )
    flat = {_GUIDE.get(name, name): value for name, value in said.items()}
    if not is_nested(flat):
        return Written(file=file, values=flat, faults=faults)
    old = translated(flat)
    faults += tuple(Fault(f"{fault.place} ({file})", fault.message) for fault in old.faults)
    return Written(file=file, values=old.values, places=old.places, notes=old.notes, faults=faults)
