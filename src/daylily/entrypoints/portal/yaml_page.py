"""YAML: a ``daylily_work.yaml`` made of a form, and a form made of one."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from anyio import to_thread
from attrs import evolve, frozen
from litestar import Response, get, post

from daylily.adapters.formats import work_yaml
from daylily.bootstrap import App
from daylily.domain.customers import Scope
from daylily.domain.errors import Fault, InvalidInputError
from daylily.entrypoints.http.audit import UNHEARD
from daylily.entrypoints.http.auth import NEEDS
from daylily.entrypoints.http.core import made_yaml
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.portal.context import Person, shown
from daylily.entrypoints.portal.drafts import GENOMES, PRIORITIES, Draft, whole_number
from daylily.entrypoints.portal.sample_table import ALWAYS, TITLES, CellFault, Table
from daylily.entrypoints.portal.table_form import LARGEST, SHOWN, TableForm, with_blanks

COLUMNS: Final = (*ALWAYS, "coverage")
"""What such a file says of samples."""

_LOOKS: Final = {UNHEARD: False, NEEDS: Scope.READ}
"""Nothing is stored: it is done by whoever may look, and no trail tells of it."""
_FIELDS: Final = {"pipeline_type", "reference_genome", "priority", "max_retries", "estimated_coverage"}


@frozen(kw_only=True)
class _Page:
    """What is on the page."""

    draft: Draft
    coverage: str = ""
    pasted: str = ""
    """YAML that somebody wants to go on from."""
    made: str | None = None
    faults: Sequence[Fault] = ()
    notes: Sequence[str] = ()
    found: Sequence[Fault] = ()
    """What is wrong with the YAML that was pasted."""


@get("/yaml", sync_to_thread=True)
def yaml_page(request: Person, app: UseCases) -> Response[str]:
    """Show an empty form."""
    return _shown(request, app, _Page(draft=Draft()))


@post("/yaml", status_code=200, request_max_body_size=LARGEST, opt=_LOOKS)
async def make(request: Person, app: UseCases) -> Response[Any]:
    """Make the file, to be looked at or fetched, or take one over into the form."""
    form = await TableForm.sent(request)
    return await to_thread.run_sync(_made, request, app, form)


ROUTES: Final = (yaml_page, make)


def _made(request: Person, app: App, form: TableForm) -> Response[Any]:
    step, pasted = form.texts.get("step", "make"), form.texts.get("yaml_text", "")
    draft = evolve(form.draft, table=form.draft.table.only(COLUMNS))
    here = _Page(
        draft=draft, coverage=form.texts.get("estimated_coverage", "").strip(), pasted=pasted,
        notes=form.notes,
    )  # fmt: skip
    if step == "import":
        return _shown(request, app, _imported(here))
    if step == "rows":
        return _shown(request, app, evolve(here, draft=evolve(draft, table=with_blanks(draft.table))))
    try:
        text = made_yaml(app, *_said(here)).yaml_content
    except InvalidInputError as error:
        return _shown(request, app, evolve(here, faults=error.faults), status_code=422)
    if step == "download":
        headers = {"Content-Disposition": 'attachment; filename="daylily_work.yaml"'}
        return Response(text, media_type="application/yaml", headers=headers)
    return _shown(request, app, evolve(here, made=text))


def _said(here: _Page) -> tuple[dict[str, object], float | None]:
    """
    Return what the form says, as the use case takes it.

    Raises:
        InvalidInputError: The coverage is no number.
    """
    draft = here.draft
    said: dict[str, object] = {
        "workset_name": "generated",
        "pipeline_type": draft.pipeline or "germline",
        "reference_genome": draft.genome,
        "priority": draft.priority or None,
        "max_retries": whole_number(draft.max_retries) if draft.max_retries else None,
        "samples": draft.table.entries(),
    }
    try:
        coverage = float(here.coverage or 30)
        sound = 0 <= coverage <= 10_000
    except ValueError:
        sound = False
    if not sound:
        text = f"{here.coverage[:40]!r} is not a number from 0 to 10000"
        raise InvalidInputError.of("estimated_coverage", text)
    return said, coverage


def _imported(here: _Page) -> _Page:
    """Return the page with what a pasted file says, and with what is wrong with it, line by line."""
    reading = work_yaml.read(here.pasted.encode("utf-8", "replace"), default_name="")
    file = reading.file
    if file is None:
        return evolve(here, found=reading.faults)
    draft = evolve(
        here.draft,
        name=file.name,
        pipeline=work_yaml.pipeline_of(file) or "",
        genome=file.reference_genome,
        priority=str(file.priority),
        max_retries="" if file.max_retries is None else str(file.max_retries),
        email=file.notification_email or "",
        table=Table.of_samples(file.samples),
    )
    notes = [f"{path}: means nothing here, and is left out" for path in file.ignored]
    return evolve(here, draft=draft, found=reading.faults, notes=notes)


def _shown(request: Person, app: App, here: _Page, *, status_code: int = 200) -> Response[str]:
    draft = here.draft
    table = draft.table if draft.table.rows else with_blanks(draft.table, 3)
    table = table.with_columns(COLUMNS)
    cells, others = table.told(here.faults)
    return shown(
        request, "yaml.html", status_code=status_code, here=here, draft=evolve(draft, table=table),
        titles={name: TITLES[name] for name in COLUMNS}, rows=table.rows[:SHOWN],
        faults=_by_cell(cells), marks=json.dumps([[f.row, f.column, f.message] for f in cells]),
        fields={fault.place: fault.message for fault in others if fault.place in _FIELDS},
        others=[str(fault) for fault in others if fault.place not in _FIELDS],
        pipelines_pairs=_pairs(each.name for each in app.settings.registry.pipelines),
        genomes_pairs=_pairs(GENOMES), priorities_pairs=_pairs(PRIORITIES),
    )  # fmt: skip


def _pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


def _by_cell(cells: Iterable[CellFault]) -> dict[tuple[int, str], str]:
    return {(each.row, each.column): each.message for each in cells}
