"""Submit: samples from sheets, files or by hand, every fault in its cell, and one workset of it."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from anyio import to_thread
from attrs import evolve
from litestar import Response, get, post
from litestar.params import FromPath, RawBody
from litestar.response import Redirect

from daylily.application.answer_once import Answer as Kept
from daylily.application.answer_once import Claim
from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import Fault, InvalidInputError, QuotaError
from daylily.domain.manifest import is_fastq
from daylily.domain.workset import Workset
from daylily.entrypoints.http.audit import UNHEARD
from daylily.entrypoints.http.idempotency import in_turn
from daylily.entrypoints.http.requests import json_object
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.portal.context import Person, shown
from daylily.entrypoints.portal.drafts import GENOMES, PRIORITIES, Checked, Draft, check, choices
from daylily.entrypoints.portal.forms import check_csrf
from daylily.entrypoints.portal.look import page
from daylily.entrypoints.portal.sample_table import (
    TITLES,
    CellFault,
    Table,
    lines_of,
    mates_missing,
    paired,
)
from daylily.entrypoints.portal.table_form import LARGEST, SHOWN, TableForm, table_of_sheet, with_blanks
from daylily.entrypoints.portal.uploading import upload_policy
from daylily.entrypoints.views import WorksetView

LISTED: Final = 50
"""Rows that are shown before submitting."""
MOST_PICKED: Final = 5000
"""Files that an address may name; servers take no longer ones."""
MARKED: Final = 2000
"""Cells that are marked at once."""

HALF: Final = "missing mate: Reads 1 is named like one of a pair; leave this empty if there is no other"
"""What is said where a second read may have been forgotten."""

# To look at a form changes nothing, and a script does so with every pause in typing.
_UNHEARD: Final = {UNHEARD: False}
_ONCE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")


@get("/submit", sync_to_thread=True)
def submit_page(request: Person, app: UseCases) -> Response[str]:
    """Show an empty form, or one with the samples that files tell of (``pick``, repeated)."""
    said = parse_qsl(request.scope["query_string"].decode("latin-1"))
    keys = [value for name, value in said if name == "pick" and is_fastq(value)]
    if len(keys) > MOST_PICKED:
        raise InvalidInputError.of(
            "pick", f"{len(keys)} files are chosen; at most {MOST_PICKED} are taken"
        )
    table, faults = paired(keys)
    runnable, _ = choices(app)
    draft = Draft(pipeline=runnable[0].name if len(runnable) == 1 else "", table=table)
    notes = [*map(str, faults)]
    checked = check(app, request.user, draft) if keys else _unchecked(app, draft)
    return _form(request, app, evolve(checked, fields={}), fresh=not keys, notes=notes)


@post("/submit", status_code=200, request_max_body_size=LARGEST, opt=_UNHEARD)
async def look(request: Person, app: UseCases) -> Response[Any]:
    """Check what was written, or show it once more, as the button says that was pressed."""
    form = await TableForm.sent(request)
    return await to_thread.run_sync(_look, request, app, form)


@post("/submitted", status_code=200, request_max_body_size=LARGEST, operation_id="submitWorkset")
async def submit(request: Person, app: UseCases) -> Response[Any]:
    """Submit what was shown once more."""
    form = await TableForm.sent(request)
    once = form.texts.get("once", "")
    if not _ONCE.fullmatch(once):
        raise InvalidInputError.of("", "this form is not one of ours: reload the page")
    who = request.user

    def claim_it() -> Claim | Kept:
        return app.once.claim(who.customer_id, who.name, f"portal {once}", form.fingerprint)

    try:
        claim = await in_turn(claim_it)
    except InvalidInputError:
        # Somebody went back and changed it: what was submitted stays, and this is something else.
        text = "This form was submitted before, with something else in it. Look at it once more."
        return await to_thread.run_sync(_look, request, app, evolve(form, notes=(text,)))
    if isinstance(claim, Kept):
        return Redirect(claim.headers["location"], status_code=303)
    return await to_thread.run_sync(_submit, request, app, form, claim)


@post(
    "/submit/check",
    status_code=200,
    request_max_body_size=LARGEST,
    sync_to_thread=True,
    opt=_UNHEARD,
)
def check_typed(request: Person, body: RawBody, app: UseCases) -> Response[Any]:
    """Say what is wrong with what has been typed so far, and what it will cost; nothing is stored."""
    check_csrf(request)
    said = json_object(request, body)
    table = Table.of_json(json.dumps(said.get("table")))
    checked = check(app, request.user, Draft.of(said, table), whole=False)
    return Response(_told(checked), media_type="application/json")


@post(
    "/submit/sheet",
    status_code=200,
    request_max_body_size=LARGEST,
    sync_to_thread=True,
    opt=_UNHEARD,
)
def read_sheet(request: Person, body: RawBody) -> Response[Any]:
    """Return the cells of a sheet, whatever is wrong with them."""
    check_csrf(request)
    name = unquote(request.headers.get("x-file-name", ""))
    table, notes = table_of_sheet(body, name)
    return Response(_offered(table, notes), media_type="application/json")


@post("/submit/pairs", status_code=200, sync_to_thread=True, opt=_UNHEARD)
def pair(request: Person, body: RawBody) -> Response[Any]:
    """Return the samples that the names of files tell of."""
    check_csrf(request)
    said = json_object(request, body).get("keys")
    keys = [key for key in said if isinstance(key, str)] if isinstance(said, list) else []
    table, faults = paired(keys)
    return Response(_offered(table, [*map(str, faults)]), media_type="application/json")


@get("/submitted/{workset_id:str}", sync_to_thread=True)
def submitted_page(request: Person, workset_id: FromPath[str], app: UseCases) -> Response[str]:
    """Confirm that a workset was taken in."""
    workset = app.read.get(request.user, workset_id)
    return shown(request, "submitted.html", workset=WorksetView.of(workset, app.read))


ROUTES: Final = (submit_page, look, submit, check_typed, read_sheet, pair, submitted_page)


def _look(request: Person, app: App, form: TableForm) -> Response[Any]:
    """Show the form with what is wrong; or all of it once more, if nothing is."""
    step = form.texts.get("step", "check")
    draft = form.draft
    if step == "rows":
        draft = evolve(draft, table=with_blanks(draft.table))
    checked = check(app, request.user, draft)
    if step == "review" and checked.sound and not form.notes:
        columns = draft.table.held.columns
        return shown(
            request, "review.html", checked=checked, draft=draft, once=app.world.chance.token() * 2,
            pipeline=app.settings.registry.get(checked.submission.pipeline), genomes=GENOMES,
            priorities=PRIORITIES, rows=[*lines_of(draft.table)][:LISTED], key_of=draft.key_of(),
            filled=columns, columns=[TITLES[name] for name in columns],
            halves=[*dict.fromkeys(sample for _, sample in mates_missing(draft.table))],
            files=sum(len([*p.files()]) for s in checked.submission.samples for p in s.pairs),
        )  # fmt: skip
    if step == "rows":
        checked = evolve(checked, fields={})
    return _form(request, app, checked, notes=form.notes, status_code=422 if step == "review" else 200)


def _submit(request: Person, app: App, form: TableForm, claim: Claim) -> Response[Any]:
    who = request.user
    kept = False
    try:
        workset = _stored(app, who, form.draft, claim.seed)
        address = f"/portal/submitted/{workset.workset_id}"
        app.once.keep(claim, Kept(status=303, headers={"location": address}, body=b""))
        kept = True
        return Redirect(address, status_code=303)
    except (InvalidInputError, QuotaError) as error:
        checked = check(app, who, form.draft)
        if checked.sound:
            faults = getattr(error, "faults", (Fault("", str(error)),))
            checked = checked.with_faults(map(form.draft.in_their_words, faults))
        return _form(request, app, checked, status_code=422)
    finally:
        if not kept:
            app.once.release(claim)


def _stored(app: App, who: Principal, draft: Draft, seed: str) -> Workset:
    reading = draft.reading(max_retries=app.settings.max_retries)
    if reading.faults:
        raise reading.told(app.submit.faults(who, who.customer_id, reading.submission))
    try:
        return app.submit(who, who.customer_id, reading.submission, seed=seed)
    except InvalidInputError as error:
        raise reading.told(error.faults) from None


def _form(
    request: Person,
    app: App,
    checked: Checked,
    *,
    fresh: bool = False,
    notes: Iterable[str] = (),
    status_code: int = 200,
) -> Response[str]:
    draft = checked.draft
    if not draft.table.rows:
        draft = evolve(draft, table=with_blanks(draft.table, 3))
    runnable, others = choices(app)
    hints = _hints(draft.table)
    answer = shown(
        request, "submit.html", status_code=status_code, checked=checked, draft=draft, fresh=fresh,
        notes=[*notes], titles=TITLES, faults=checked.by_cell(), rows=draft.table.rows[:SHOWN],
        hints=json.dumps(hints), hinted={row: text for row, _, text in hints},
        marks=json.dumps(_marks(checked.cells[:MARKED])), pipelines=runnable, others=others,
        genomes=GENOMES, priorities=PRIORITIES, rates=app.estimate.rates.vcpu_hour,
        folder=f"uploads/{app.world.clock():%Y-%m-%d}-{app.world.chance.token()[:6]}",
    )  # fmt: skip
    answer.headers["Content-Security-Policy"] = upload_policy(app)
    return answer


def _unchecked(app: App, draft: Draft) -> Checked:
    submission = draft.reading(max_retries=app.settings.max_retries).submission
    return Checked(draft=draft, submission=submission)


def _told(checked: Checked) -> Mapping[str, object]:
    """Return what the script shows; what is markup in it has been escaped here."""
    prices = {str(priority): f"${made.total_usd}" for priority, made in checked.prices.items()}
    return {
        "cells": _marks(checked.cells[:MARKED]),
        "hints": _hints(checked.draft.table),
        "fields": dict(checked.fields),
        "others": [*checked.others],
        "count": checked.count,
        "prices": prices,
        "estimate": page("_estimate.html", made=checked.estimate).content,
    }


def _marks(cells: Iterable[CellFault]) -> list[list[object]]:
    return [[each.row, each.column, each.message] for each in cells]


def _hints(table: Table) -> list[tuple[int, str, str]]:
    found = islice(mates_missing(table), MARKED)
    return [(row, "r2_file", HALF) for row, _ in found]


def _offered(table: Table, notes: Sequence[str]) -> Mapping[str, object]:
    return {"columns": table.columns, "rows": table.rows, "notes": notes}
