"""Values as people write them, in flags, variables and the YAML file: made into those of Settings."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from enum import EnumMeta
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import attrs
import cattrs
from attrs import frozen
from cattrs import IterableValidationNote

from daylily.config.settings import ChannelSettings, ClusterSettings, Secret, Settings
from daylily.domain.audience import Audience
from daylily.domain.clusters import Cluster
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.events import EventKind
from daylily.domain.lifecycle import Priority, State
from daylily.domain.names import ID_RULE, is_id
from daylily.domain.pipelines import SHIPPED, Pipeline, Resources
from daylily.domain.steps import Per, Step

_T = TypeVar("_T")
_converter = cattrs.Converter(forbid_extra_keys=True)


@_converter.register_structure_hook
def _seconds(value: Any, _: type[timedelta]) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool):
        raise ValueError(value)
    return timedelta(seconds=float(value))


@_converter.register_structure_hook
def _whole(value: Any, _: type[int]) -> int:
    if isinstance(value, bool | float):
        raise ValueError(value)
    return int(value)


@_converter.register_structure_hook
def _yes_or_no(value: Any, _: type[bool]) -> bool:
    # Variables of the environment are texts.
    value = {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


@_converter.register_structure_hook
def _text(value: Any, _: type[str]) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


# The hook for texts would take the words of these for texts.
for _words in (Per, EventKind, State, Priority):
    _converter.register_structure_hook(_words, lambda value, kind: kind(value))


def _is_listed(kind: Any) -> bool:
    made: Any = get_origin(kind)
    return made in {tuple, frozenset}


@_converter.register_structure_hook_factory(_is_listed)
def _listed(kind: Any) -> Callable[[Any, Any], object]:
    """Take lists alone: the letters of a text, or the keys of a mapping, are not what is meant."""
    made: Any = get_origin(kind)
    listed: Any = list[get_args(kind)[0]]  # type: ignore[misc]

    def read(value: Any, _: Any) -> object:
        if not isinstance(value, list):
            raise TypeError(value)
        return made(_converter.structure(value, listed))

    return read


@_converter.register_structure_hook
def _path(value: Any, _: type[Path]) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError(value)
    return Path(value).expanduser().absolute()


@_converter.register_structure_hook
def _secret(value: Any, _: type[Secret]) -> Secret:
    if not isinstance(value, str):
        raise ValueError(value)
    return Secret(value)


@frozen(kw_only=True)
class _WrittenStep:
    """A step as the YAML file has it; what it leaves out is as in the shipped step of that name."""

    name: str
    command: tuple[str, ...] | None = None
    per: Per | None = None
    optional: bool | None = None
    on_cancel: tuple[str, ...] | None = None


@frozen(kw_only=True)
class _WrittenPipeline:
    """A pipeline as the YAML file has it; what it leaves out is as shipped, if it was shipped."""

    command: tuple[str, ...] | None = None
    per_sample: bool | None = None
    sample_option: str | None = None
    steps: tuple[_WrittenStep, ...] | None = None
    description: str | None = None
    cpus: int | None = None
    memory_gb: float | None = None
    time_limit: timedelta | None = None
    vcpu_hours_per_sample: float | None = None
    aliases: tuple[str, ...] | None = None


def structure(name: str, raw: object, kind: Any) -> object:
    """
    Return the value of the setting *name*.

    Args:
        kind: The type of the setting.

    Raises:
        InvalidInputError: Parts of it are wrong; each is named.
        ValueError, TypeError, cattrs.BaseValidationError: It is not of that type.
    """
    if name == "pipelines":
        return _pipelines(raw)
    if name == "clusters":
        return _clusters(raw)
    if name == "channels":
        return _channels(raw)
    if choices := _choices(kind):
        word = str(raw).upper() if name == "log_level" else raw
        if word not in choices:
            raise ValueError(raw)
        return word
    return _converter.structure(raw, kind)


def _choices(kind: object) -> tuple[str, ...]:
    return tuple(choice for choice in get_args(kind) if isinstance(choice, str))


def _read(place: str, body: object, kind: type[_T], faults: list[Fault]) -> Iterator[_T]:
    """Yield *body* as a *kind*, unless something is wrong with it, which is added to *faults*."""
    if not isinstance(body, dict):
        faults.append(Fault(place, "must be a mapping"))
        return
    try:
        yield _converter.structure(body, kind)
    except cattrs.BaseValidationError as error:
        faults += _within(error, place, kind)


def _within(error: BaseException, place: str, kind: object) -> Iterator[Fault]:
    """Yield what is wrong with a *kind* and with its parts, each at its own place."""
    if isinstance(error, cattrs.IterableValidationError | cattrs.ClassValidationError):
        for part, note in error.group_exceptions()[0]:
            inner = f"[{note.index}]" if isinstance(note, IterableValidationNote) else f".{note.name}"
            yield from _within(part, f"{place}{inner}", note.type)
        for whole in error.group_exceptions()[1]:
            yield from _within(whole, place, kind)
    elif isinstance(error, cattrs.ForbiddenExtraKeysError):
        of_engine = filter(_is_of_engine, attrs.fields_dict(Settings))
        keys = [*attrs.fields_dict(error.cl), *(of_engine if error.cl is _WrittenCluster else ())]
        known = ", ".join(keys)
        for name in sorted(map(str, error.extra_fields)):
            yield Fault(f"{place}.{name}", f"is not known here; known: {known}")
    elif isinstance(error, KeyError):
        yield Fault(place, "is missing")
    else:
        yield Fault(place, f"is not {wanted(kind)}")


def _pipelines(raw: object) -> tuple[Pipeline, ...]:
    if not isinstance(raw, dict):
        raise InvalidInputError.of("pipelines", "must be a mapping of names to pipelines")
    found = {pipeline.name: pipeline for pipeline in SHIPPED}
    faults: list[Fault] = []
    for name, body in raw.items():
        place = f"pipelines.{name}"
        if not isinstance(name, str) or not is_id(name) or name != name.lower():
            faults.append(Fault(place, f"the name must be {ID_RULE}, in lower case"))
            continue
        for written in _read(place, body, _WrittenPipeline, faults):
            found[name] = _merged(found.get(name, Pipeline(name=name)), written)
    if faults:
        raise InvalidInputError(faults)
    return tuple(found.values())


@frozen(kw_only=True)
class _WrittenCluster:
    """What a cluster can take, as the YAML file has it."""

    availability_zone: str | None = None
    max_concurrent: int = 3
    max_vcpus: int | None = None
    cost_per_vcpu_hour: float = 0.0


def _clusters(raw: object) -> tuple[ClusterSettings, ...]:
    if not isinstance(raw, dict):
        raise InvalidInputError.of("clusters", "must be a mapping of names to clusters")
    found: list[ClusterSettings] = []
    faults: list[Fault] = []
    for name, body in raw.items():
        place = f"clusters.{name}"
        if not isinstance(name, str) or not is_id(name):
            faults.append(Fault(place, f"the name must be {ID_RULE}"))
        elif not isinstance(body, dict) or not all(isinstance(key, str) for key in body):
            faults.append(Fault(place, "must be a mapping of settings"))
        else:
            found += _cluster(name, body, faults)
    if faults:
        raise InvalidInputError(faults)
    return tuple(found)


def _cluster(name: str, body: Mapping[str, Any], faults: list[Fault]) -> Iterator[ClusterSettings]:
    """Yield the cluster, unless something is wrong with it, which is added to *faults*."""
    place = f"clusters.{name}"
    engine: dict[str, object] = {}
    for attribute in attrs.fields(Settings):
        key = attribute.name
        if key in body and _is_of_engine(key):
            try:
                engine[key] = structure(key, body[key], attribute.type)
            except (ValueError, TypeError, cattrs.BaseValidationError):
                text = f"{body[key]!r:.80} is not {wanted(attribute.type)}"
                faults.append(Fault(f"{place}.{key}", text))
    rest = {key: value for key, value in body.items() if not _is_of_engine(key)}
    for written in _read(place, rest, _WrittenCluster, faults):
        yield ClusterSettings(Cluster(name=name, **attrs.asdict(written)), engine)


@frozen(kw_only=True)
class _WrittenChannel:
    """A channel, as the YAML file has it."""

    url: str | None = None
    secret: Secret | None = None
    kinds: frozenset[EventKind] = frozenset()
    states: frozenset[State] = frozenset()
    priorities: frozenset[Priority] = frozenset()
    customers: frozenset[str] = frozenset()


def _channels(raw: object) -> tuple[ChannelSettings, ...]:
    if not isinstance(raw, dict):
        raise InvalidInputError.of("channels", "must be a mapping of names to what goes to them")
    found: list[ChannelSettings] = []
    faults: list[Fault] = []
    for name, body in raw.items():
        place = f"channels.{name}"
        if not isinstance(name, str) or not is_id(name):
            faults.append(Fault(place, f"the name must be {ID_RULE}"))
            continue
        for written in _read(place, {} if body is None else body, _WrittenChannel, faults):
            wanted = attrs.asdict(written, recurse=False)
            url, secret = wanted.pop("url"), wanted.pop("secret")
            found.append(
                ChannelSettings(name=name, url=url, secret=secret, audience=Audience(**wanted))
            )
    if faults:
        raise InvalidInputError(faults)
    return tuple(found)


def _is_of_engine(name: str) -> bool:
    """Tell whether each cluster may have a setting of its own."""
    return name in attrs.fields_dict(Settings) and name.startswith(("engine", "slurm_", "batch_"))


def _merged(shipped: Pipeline, written: _WrittenPipeline) -> Pipeline:
    changes = _said(written)
    if written.steps is not None:
        changes["steps"] = tuple(_step(shipped, each) for each in written.steps)
    if not {"command", "steps"}.isdisjoint(changes):
        # What was said of the command that is replaced is not true of another.
        blank = {"command": None, "steps": (), "per_sample": False, "sample_option": None}
        changes = blank | changes
    # Who names it has what it needs.
    changes["set_up"] = True
    needs = {name: changes.pop(name) for name in attrs.fields_dict(Resources) if name in changes}
    return attrs.evolve(shipped, resources=attrs.evolve(shipped.resources, **needs), **changes)


def _step(pipeline: Pipeline, written: _WrittenStep) -> Step:
    known = {step.name: step for step in pipeline.steps}
    return attrs.evolve(known.get(written.name, Step(name=written.name, command=())), **_said(written))


def _said(written: Any) -> dict[str, Any]:
    named = attrs.asdict(written, recurse=False)
    return {name: value for name, value in named.items() if value is not None}


def wanted(kind: object) -> str:
    """Return what a setting of that type has to be, in words."""
    kind = next((each for each in get_args(kind) if type(None) in get_args(kind)), kind)
    words: dict[object, str] = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        timedelta: "a number of seconds",
        str: "a text",
        Secret: "a text",
        Path: "a path",
        tuple[str, ...]: "a list of texts, such as [run, --fast]",
    }
    if kind in words:
        return words[kind]
    if _is_listed(kind):
        return "a list"
    if isinstance(kind, type) and attrs.has(kind):
        return "a mapping"
    choices = [*kind] if isinstance(kind, EnumMeta) else _choices(kind)
    return f"one of {', '.join(choices)}" if choices else "a text"
