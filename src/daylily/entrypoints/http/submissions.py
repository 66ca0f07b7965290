"""Submissions: worksets taken in, or only checked, as JSON or as a form with files."""

from typing import Final

from anyio import to_thread
from litestar import post
from litestar.params import FromPath

from daylily.application.submit_workset import Submission
from daylily.bootstrap import App
from daylily.domain.customers import Principal, Scope
from daylily.domain.errors import InvalidInputError, NotFoundError
from daylily.domain.lifecycle import Priority
from daylily.domain.manifest import Manifest
from daylily.domain.workset import Workset
from daylily.entrypoints.http import examples, parameters
from daylily.entrypoints.http.answers import Answer
from daylily.entrypoints.http.auth import NEEDS
from daylily.entrypoints.http.describing import described
from daylily.entrypoints.http.forms import boundary_of, is_form
from daylily.entrypoints.http.idempotency import claim_form, seed_of
from daylily.entrypoints.http.prefix import path_asked_for
from daylily.entrypoints.http.requests import json_object
from daylily.entrypoints.http.submission import read_submission
from daylily.entrypoints.http.submit_form import SubmittedForm
from daylily.entrypoints.http.uploads import body_within, store_body
from daylily.entrypoints.http.wiring import Call, UseCases, Who
from daylily.entrypoints.http.worksets import ALL, COLLECTION, check_customer, shown
from daylily.entrypoints.views import CheckedView, WorksetView

LARGEST_SUBMISSION: Final = 12 << 20
"""
Bytes: some 30 000 lanes with every field said, three times as many samples as a workset may have.

Ten megabytes of junk are still read, to be told what is wrong with them.
"""


@post(
    COLLECTION,
    status_code=201,
    request_max_body_size=None,  # forms bring files along; of JSON, body_within takes so much
    **described(
        "submitWorkset",
        "worksets",
        body=parameters.SUBMISSION,
        errors=(409,),
        sends=("Location", "ETag"),
        example=examples.WORKSET,
    ),
)
async def create(
    request: Call,
    cid: FromPath[str],
    app: UseCases,
    who: Who,
) -> Answer[WorksetView]:
    """
    Submit a workset; it is ready to run at once.

    Its files are among the customer's own already; a form may bring them along, and a sheet.
    """
    if is_form(request):
        form, boundary = _form(request, cid, app, who), boundary_of(request)
        return await store_body(request, lambda body: _taken(request, app, form.submit(body, boundary)))
    content = await body_within(request, LARGEST_SUBMISSION)
    return await to_thread.run_sync(_create, request, cid, content, app, who)


def _create(request: Call, cid: str, body: bytes, app: App, who: Principal) -> Answer[WorksetView]:
    check_customer(app, who, cid)
    reading = read_submission(json_object(request, body), max_retries=app.settings.max_retries)
    if reading.faults:
        raise reading.told(app.submit.faults(who, cid, reading.submission))
    try:
        workset = app.submit(who, cid, reading.submission, seed=seed_of(request))
    except InvalidInputError as error:
        raise reading.told(error.faults) from None
    return _taken(request, app, workset)


def _taken(request: Call, app: App, workset: Workset) -> Answer[WorksetView]:
    location = f"{path_asked_for(request.scope).rstrip('/')}/{workset.workset_id}"
    return shown(app, workset, location=location)


@post(
    f"{COLLECTION}/validate",
    status_code=200,
    opt={NEEDS: Scope.READ},
    request_max_body_size=None,  # as above
    **described("checkSubmission", "worksets", body=parameters.SUBMISSION, example=examples.CHECKED),
)
async def validate(request: Call, cid: FromPath[str], app: UseCases, who: Who) -> Answer[CheckedView]:
    """
    Check a submission as submitting does, but for its FASTQ files, which need not be there yet.

    A form may bring them along, and they are passed over; a sheet in it is read.
    """
    if is_form(request):
        form, boundary = _form(request, cid, app, who), boundary_of(request)
        checked = await store_body(request, lambda body: form.check(body, boundary))
    else:
        content = await body_within(request, LARGEST_SUBMISSION)
        checked = await to_thread.run_sync(_checked, request, cid, content, app, who)
    submission, manifest, priority = checked
    return Answer(CheckedView.of(submission.name, manifest, priority))


def _form(request: Call, cid: str, app: App, who: Principal) -> SubmittedForm:
    return SubmittedForm(
        app, who, cid, lambda digest: claim_form(request, digest), lambda: seed_of(request)
    )


def _checked(
    request: Call, cid: str, body: bytes, app: App, who: Principal
) -> tuple[Submission, Manifest, Priority]:
    check_customer(app, who, cid)
    if cid == ALL:
        raise NotFoundError(f"there is no customer {cid}")
    reading = read_submission(json_object(request, body), max_retries=app.settings.max_retries)
    try:
        manifest, priority = app.submit.check(reading.submission)
    except InvalidInputError as error:
        raise reading.told(error.faults) from None
    if reading.faults:
        raise reading.told(())
    return reading.submission, manifest, priority
