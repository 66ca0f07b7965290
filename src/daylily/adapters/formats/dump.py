"""Values as YAML that any YAML 1.1 reader takes for the same values."""

from collections.abc import Mapping
from typing import Final

import yaml

from daylily.domain.errors import InvalidInputError

# The one in C is eight times as fast; wheels of PyYAML have it, a build without libyaml does not.
_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def dump_yaml(fields: Mapping[str, object]) -> str:
    """
    Return *fields*, in their order, as one block-style document.

    Raises:
        InvalidInputError: A text holds half a surrogate pair, which no file can.
    """
    try:
        text: str = yaml.dump(
            dict(fields), Dumper=_DUMPER, sort_keys=False, allow_unicode=True, default_flow_style=False
        )
    except UnicodeEncodeError as error:
        raise InvalidInputError.of("", f"{error.object[:80]!r} is not Unicode text") from error
    return text
