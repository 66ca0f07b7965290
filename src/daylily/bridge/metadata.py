"""What the old signatures say of a workset, in our words."""

import logging
from collections.abc import Mapping
from types import EllipsisType
from typing import Any, Final

import yaml

from daylily.adapters.formats import work_yaml
from daylily.adapters.formats.dump import dump_yaml
from daylily.application.register_workset import Registration
from daylily.config import Settings
from daylily.domain.errors import InvalidInputError
from daylily.domain.lifecycle import State
from daylily.domain.names import is_id

_WORDS: Final = {"in-progress": "in_progress", "lock": "locked", "ignore": "ignored"}
"""What readers and writers of sentinels called states (contract 2.3)."""

_log = logging.getLogger(__name__)


def registration(
    workset_id: str, priority: str, metadata: Mapping[str, Any], settings: Settings, *, user: str
) -> Registration:
    """
    Read metadata as the file that they will be written to (contract 2.7).

    Args:
        user: Who submits it, if they do not say.

    Raises:
        InvalidInputError: Something is wrong with them; every fault at its key path.
    """
    said = {name: value for name, value in metadata.items() if value is not None}
    said["samples"] = _named(said.get("samples", ()))
    submitter = said.pop("submitted_by", None)
    # Rows that name no customer are read so, too (contract 3.2).
    theirs = submitter if isinstance(submitter, str) and is_id(submitter) else None
    customer = said.pop("customer_id", theirs or settings.customer)
    work = work_yaml.parse(_yaml(said), default_name=workset_id)
    if work.ignored:
        _log.warning("%s: not kept of metadata: %s", workset_id, ", ".join(work.ignored))
    return Registration(
        workset_id=workset_id,
        customer_id=str(customer),
        submitted_by=str(submitter or user),
        name=work.name,
        samples=work.samples,
        pipeline=work.pipeline,
        reference_genome=work.reference_genome if "reference_genome" in said else None,
        priority=priority,
        notification_email=work.notification_email,
        max_retries=settings.max_retries if work.max_retries is None else work.max_retries,
        requirements=work.requirements,
    )


def state_of(word: str) -> State:
    """
    Return the state that a word of any version stands for.

    Raises:
        InvalidInputError: None does.
    """
    try:
        return State(_WORDS.get(word, word))
    except ValueError:
        known = ", ".join(State)
        raise InvalidInputError.of("new_state", f"{word[:40]!r} is not one of {known}") from None


def _named(samples: object) -> list[Any]:
    """Return the samples that are named: ``...`` stands for those of the directory."""
    if isinstance(samples, EllipsisType):
        return []
    if not isinstance(samples, list | tuple):
        raise InvalidInputError.of("samples", "is not a list of samples")
    named = [sample for sample in samples if not isinstance(sample, EllipsisType)]
    if named and len(named) < len(samples):
        raise InvalidInputError.of("samples", "names some, and leaves others to the directory (...)")
    return named


def _yaml(metadata: Mapping[str, Any]) -> bytes:
    try:
        return dump_yaml(metadata).encode()
    except yaml.YAMLError as error:
        raise InvalidInputError.of("metadata", f"cannot be written as YAML: {error}") from error
