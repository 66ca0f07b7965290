"""Routes of old for programs that run worksets by other means; for operators (contract 4.1)."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Final

from attrs import evolve
from litestar import delete, get, post, put
from litestar.params import FromPath, RawBody

from daylily.adapters.formats.dump import dump_yaml
from daylily.application.submit_workset import faults_of_words
from daylily.bootstrap import App
from daylily.bridge.metadata import registration, state_of
from daylily.domain.customers import Principal, Scope
from daylily.domain.errors import Fault, InvalidInputError, LockHeldError, NotAllowedError
from daylily.domain.lifecycle import Priority
from daylily.domain.manifest import Manifest, reference_genome
from daylily.domain.names import check_id
from daylily.entrypoints.http import examples, parameters
from daylily.entrypoints.http.answers import Answer
from daylily.entrypoints.http.auth import NEEDS
from daylily.entrypoints.http.describing import described
from daylily.entrypoints.http.prefix import path_asked_for
from daylily.entrypoints.http.requests import Fields, json_object, query, version_in
from daylily.entrypoints.http.submission import SAMPLE_ID, read_submission
from daylily.entrypoints.http.wiring import Call, UseCases, Who
from daylily.entrypoints.http.worksets import shown
from daylily.entrypoints.views import (
    DirectoryView,
    LockView,
    WorksetView,
    YamlView,
)

LOCK_TIMEOUT: Final = timedelta(seconds=3600)
"""How long a lock keeps monitors away, as of old; who has begun says so, and needs none any more."""


def operators_only(who: Principal) -> None:
    """
    Let through an operator.

    Raises:
        NotAllowedError: It is none. Whether there is what was asked for, it does not tell.
    """
    if not who.operator:
        raise NotAllowedError("this is for the operators of the service")


@post(
    "/worksets",
    status_code=201,
    sync_to_thread=True,
    **described(
        "registerWorkset",
        "operators",
        body=parameters.REGISTRATION,
        errors=(409,),
        sends=("Location", "ETag"),
        example=examples.WORKSET,
    ),
)
def register(request: Call, body: RawBody, app: UseCases, who: Who) -> Answer[WorksetView]:
    """
    Register a workset under an id of the caller's own; its files stand in its directory.

    ``bucket`` and ``prefix`` have to be those of the service: nothing is run from anywhere else.
    """
    operators_only(who)
    fields = Fields(json_object(request, body))
    workset_id = fields.required("workset_id")
    place = fields.required("bucket"), fields.required("prefix")
    priority = fields.optional("priority") or "normal"
    metadata = fields.take("metadata")
    if metadata is not None and not isinstance(metadata, Mapping):
        fields.fault("metadata", "must be an object")
    fields.refuse_others()
    fields.raise_faults()
    _check_place(app, workset_id, *place)
    said = metadata if isinstance(metadata, Mapping) else {}
    wanted = registration(workset_id, priority, said, app.settings, user=who.name)
    return shown(app, app.register(wanted), location=f"{path_asked_for(request.scope)}/{workset_id}")


@put(
    "/worksets/{workset_id:str}/state",
    sync_to_thread=True,
    **described(
        "tellState",
        "operators",
        body=parameters.STATE,
        parameters=(parameters.IF_MATCH,),
        errors=(409,),
        sends=("ETag",),
    ),
)
def tell_state(
    request: Call, workset_id: FromPath[str], body: RawBody, app: UseCases, who: Who
) -> Answer[WorksetView]:
    """
    Say what has become of a workset that is run by other means.

    By the steps that the lifecycle has, and no other. ``metrics`` are taken, and not kept.
    """
    operators_only(who)
    version = version_in(request)
    fields = Fields(json_object(request, body))
    word, reason = fields.required("state"), fields.required("reason")
    details, cluster = fields.text("error_details"), fields.text("cluster_name")
    owner = fields.optional("owner_id")
    if not isinstance(fields.take("metrics"), Mapping | None):
        fields.fault("metrics", "must be an object")
    fields.refuse_others()
    fields.raise_faults()
    told = f"{reason}: {details}" if details else reason
    told = f"{told} (cluster {cluster})" if cluster else told
    try:
        state = state_of(word)
    except InvalidInputError as error:
        raise InvalidInputError(Fault("state", each.message) for each in error.faults) from None
    speaker = evolve(who, name=owner) if owner else who
    return shown(app, app.tell(speaker, workset_id, state, told, version=version))


@post(
    "/worksets/{workset_id:str}/lock",
    status_code=200,
    sync_to_thread=True,
    **described(
        "lockWorkset",
        "operators",
        parameters=(parameters.OWNER,),
        errors=(409,),
        example={"status": "locked", "workset_id": "run-7-3f9a1c2b", "owner_id": "node1"},
    ),
)
def lock(request: Call, workset_id: FromPath[str], app: UseCases, who: Who) -> Answer[LockView]:
    """Keep monitors from a workset for an hour; its owner may renew."""
    operators_only(who)
    owner = _owner(request)
    app.lock(workset_id, owner, LOCK_TIMEOUT)
    return Answer(LockView(status="locked", workset_id=workset_id, owner_id=owner))


@delete(
    "/worksets/{workset_id:str}/lock",
    status_code=200,
    sync_to_thread=True,
    **described(
        "unlockWorkset",
        "operators",
        parameters=(parameters.OWNER,),
        errors=(409,),
        example={"status": "unlocked", "workset_id": "run-7-3f9a1c2b", "owner_id": None},
    ),
)
def unlock(request: Call, workset_id: FromPath[str], app: UseCases, who: Who) -> Answer[LockView]:
    """Give a lock back; whoever does not hold it is refused (403)."""
    operators_only(who)
    owner = _owner(request)
    try:
        app.lock.release(workset_id, owner)
    except LockHeldError as error:
        raise NotAllowedError(str(error)) from None
    return Answer(LockView(status="unlocked", workset_id=workset_id))


@get(
    "/worksets/next",
    sync_to_thread=True,
    **described("getNextWorkset", "operators", example=examples.WORKSET),
)
def next_one(app: UseCases, who: Who) -> Answer[WorksetView | None]:
    """Return the workset that is to run next; null if none waits."""
    operators_only(who)
    page = app.world.store.queue(limit=1)
    return Answer(WorksetView.of(page.items[0], app.read) if page.items else None)


@post(
    "/worksets/validate",
    status_code=200,
    sync_to_thread=True,
    opt={NEEDS: Scope.READ},
    **described(
        "checkDirectory",
        "operators",
        parameters=(parameters.BUCKET, parameters.WORKSET_PREFIX, parameters.DRY_RUN),
        example=examples.DIRECTORY,
    ),
)
def check_directory(request: Call, app: UseCases, who: Who) -> Answer[DirectoryView]:
    """
    Check the files of a directory as a monitor would that finds it; nothing is changed.

    ``bucket`` and ``prefix`` have to be those of the service. The estimate is that of
    ``POST /api/estimate-cost``.
    """
    operators_only(who)
    fields = query(request)
    bucket, prefix = fields.required("bucket"), fields.required("prefix")
    dry_run = fields.text("dry_run")
    if dry_run not in {None, *parameters.TRUE_OR_FALSE}:
        fields.fault("dry_run", "is neither true nor false")
    fields.refuse_others()
    fields.raise_faults()
    workset_id = prefix.strip("/").rpartition("/")[2]
    _check_place(app, workset_id, bucket, prefix)
    try:
        dropped = app.world.sentinels.read(check_id(workset_id, "prefix"))
    except InvalidInputError as error:
        return Answer(DirectoryView(is_valid=False, errors=tuple(map(str, error.faults))))
    made = app.estimate.of(dropped.manifest, dropped.priority)
    warnings = () if dropped.for_us else ("no pipeline of this service runs it: an old engine may",)
    if made is None:
        warnings = (*warnings, "what it will cost cannot be said")
        return Answer(DirectoryView(is_valid=True, warnings=warnings))
    return Answer(DirectoryView.of(made, warnings))


@post(
    "/worksets/generate-yaml",
    status_code=200,
    sync_to_thread=True,
    opt={NEEDS: Scope.READ},
    **described("generateYaml", "worksets", body=parameters.GENERATE, example=examples.GENERATED),
)
def generate_yaml(request: Call, body: RawBody, app: UseCases) -> Answer[YamlView]:
    """Return a ``daylily_work.yaml`` that says what is asked for, as every reader of ours takes it."""
    fields = Fields(json_object(request, body))
    submission = {
        "workset_name": "generated",
        "pipeline_type": fields.optional("pipeline") or "germline",
        "reference_genome": fields.required("reference_genome"),
        "priority": fields.text("priority"),
        "max_retries": fields.whole("max_retries"),
        "samples": fields.take("samples"),
    }
    coverage = fields.number("estimated_coverage", 30.0)
    if coverage is not None and not 0 <= coverage <= 10_000:
        fields.fault("estimated_coverage", f"{coverage} is not a number from 0 to 10000")
    fields.refuse_others()
    fields.raise_faults()
    return Answer(made_yaml(app, submission, coverage))


def made_yaml(app: App, submission: dict[str, object], coverage: float | None) -> YamlView:
    """
    Return the file that says what a submission says.

    Args:
        coverage: What is said of the whole of it.

    Raises:
        InvalidInputError: Something is wrong with it; every fault is listed.
    """
    reading = read_submission(_with_numbers(submission), max_retries=3)
    manifest = Manifest(samples=reading.submission.samples, pipeline=reading.submission.pipeline)
    # Which pipelines run here is no matter: the file may be for another installation.
    faults = [*faults_of_words(reading.submission, None), *manifest.faults()]
    try:
        pipeline = app.settings.registry.get(reading.submission.pipeline).name
    except InvalidInputError as error:
        faults += error.faults
    if faults or reading.faults:
        raise reading.told(faults)
    config = {
        "samples": [*_entries(manifest)],
        "reference_genome": reference_genome(reading.submission.reference_genome),
        "pipeline": pipeline,
        "priority": str(Priority(reading.submission.priority)),
        "max_retries": reading.submission.max_retries,
        "estimated_coverage": coverage,
    }
    return YamlView(yaml_content=dump_yaml(config), config=config)


def _with_numbers(submission: dict[str, object]) -> dict[str, object]:
    """Return it with coverages as numbers: clients of old send every value of a sample as text."""
    samples = submission["samples"]
    if not isinstance(samples, list):
        return submission
    made = []
    for sample in samples:
        if isinstance(sample, Mapping) and isinstance(sample.get("coverage"), str):
            with suppress(ValueError):  # the reader says what is wrong with it
                sample = {**sample, "coverage": float(sample["coverage"])}
        made.append(sample)
    return {**submission, "samples": made}


def _entries(manifest: Manifest) -> list[dict[str, object]]:
    made = []
    for sample in manifest.samples:
        for pair in sample.pairs:
            entry: dict[str, object] = {SAMPLE_ID[0]: sample.sample_id, "fastq_r1": pair.r1}
            if pair.lane != "0":
                entry["lane"] = pair.lane
            if pair.r2 is not None:
                entry["fastq_r2"] = pair.r2
            if sample.coverage is not None:
                entry["coverage"] = sample.coverage
            made.append(entry)
    return made


def _owner(request: Call) -> str:
    fields = query(request)
    owner = fields.required("owner_id")
    if not 1 <= len(owner) <= 200 or not owner.isprintable():
        fields.fault("owner_id", "must be 1 to 200 printable characters")
    fields.refuse_others()
    fields.raise_faults()
    return owner


def _check_place(app: App, workset_id: str, bucket: str, prefix: str) -> None:
    """
    Let through the place of a workset of this service.

    Raises:
        InvalidInputError: It is somewhere else.
    """
    own = app.settings.bucket or app.world.objects.location("")
    faults = []
    if bucket not in {own, app.world.objects.location("")}:
        faults.append(Fault("bucket", f"{bucket[:80]!r} is not that of this service"))
    if prefix.strip("/") != f"{app.settings.prefix}{workset_id}":
        wanted = f"{app.settings.prefix}<workset_id>/"
        faults.append(Fault("prefix", f"{prefix[:80]!r} is not {wanted}"))
    if faults:
        raise InvalidInputError(faults)


CORE: Final = (
    register,
    tell_state,
    lock,
    unlock,
    next_one,
    check_directory,
    generate_yaml,
)
