"""Customers, as operators see to them: all of them, each, and what was agreed upon."""

import math
from typing import Any, Final
from urllib.parse import quote

from litestar import Response, get, post
from litestar.params import FromPath, RawBody
from litestar.response import Redirect

from daylily.application.manage_customers import LEAST_STORAGE, MOST_STORAGE, MOST_WORKSETS
from daylily.application.slots import UNBOUNDED
from daylily.bootstrap import App
from daylily.domain.customers import Customer, Scope
from daylily.domain.errors import InvalidInputError, UnavailableError
from daylily.entrypoints.http.auth import NEEDS
from daylily.entrypoints.http.core import operators_only
from daylily.entrypoints.http.requests import query
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.portal.context import Person, pages, shown
from daylily.entrypoints.portal.forms import check_csrf, form_of
from daylily.entrypoints.views import UsageView, WorksetView
from daylily.ports.state_store import Filter

ROWS: Final = 50
LATEST: Final = 10
BOUNDS: Final = {"worksets": MOST_WORKSETS, "least": LEAST_STORAGE, "most": MOST_STORAGE}


@get("/fleet/customers", sync_to_thread=True)
def customers_page(request: Person, app: UseCases) -> Response[str]:
    """Show all customers, by id."""
    operators_only(request.user)
    fields = query(request)
    cursor = fields.text("cursor")
    fields.raise_faults()
    found = app.manage.list(request.user, cursor=cursor, limit=ROWS)
    return shown(
        request,
        "fleet_customers.html",
        customers=found.items,
        unbounded=UNBOUNDED,
        bounds_storage=app.files.quota.bounds,
        **pages("/portal/fleet/customers", cursor, found.cursor),
    )


@get("/fleet/customers/{cid:str}", sync_to_thread=True)
def customer_page(request: Person, cid: FromPath[str], app: UseCases) -> Response[str]:
    """Show a customer, with a form for what was agreed upon."""
    operators_only(request.user)
    return _customer(request, app, app.manage.get(request.user, cid))


def _customer(
    request: Person,
    app: App,
    customer: Customer,
    *,
    status_code: int = 200,
    form: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
) -> Response[str]:
    where = Filter(customer_id=customer.customer_id)
    latest = app.read.list(request.user, where, limit=LATEST).items
    try:
        found = app.usage(request.user, customer.customer_id)
    except UnavailableError:
        found = None
    return shown(
        request,
        "fleet_customer.html",
        status_code=status_code,
        customer=customer,
        usage=UsageView.of(found) if found else None,
        stored=found.stored_bytes if found else None,
        bounded=app.files.quota.bounds(customer.customer_id),
        worksets=[WorksetView.of(each, app.read) for each in latest],
        bounds=BOUNDS,
        form=form or _form(customer),
        faults=faults or {},
    )


def _form(customer: Customer) -> dict[str, str]:
    return {
        "max_concurrent_worksets": str(customer.max_concurrent_worksets),
        "max_storage_gb": f"{customer.max_storage_gb:g}",
        "billing_account_id": customer.billing_account_id or "",
        "cost_center": customer.cost_center or "",
    }


@post(
    "/fleet/customers/{cid:str}",
    status_code=200,
    sync_to_thread=True,
    operation_id="changeCustomer",
    opt={NEEDS: Scope.ADMIN},
)
def change(request: Person, cid: FromPath[str], body: RawBody, app: UseCases) -> Response[Any]:
    """Change what was agreed upon; every fault is told at its field."""
    operators_only(request.user)
    form = form_of(request, body)
    check_csrf(request, form)
    customer = app.manage.get(request.user, cid)
    before = _form(customer)
    said = {name: form.get(name, "").strip() for name in before}
    # What stays may be beyond the bounds: an installation is set up with what it likes.
    changed = {name for name in said if said[name] != before[name]}
    values: dict[str, Any] = {
        "max_concurrent_worksets": _whole(said["max_concurrent_worksets"]),
        "max_storage_gb": _number(said["max_storage_gb"]),
        "billing_account_id": said["billing_account_id"] or None,
        "cost_center": said["cost_center"] or None,
    }
    try:
        app.manage.change(request.user, cid, **{name: values[name] for name in changed})
    except InvalidInputError as error:
        faults = {fault.place: fault.message for fault in error.faults}
        return _customer(request, app, customer, status_code=422, form=said, faults=faults)
    return Redirect(f"/portal/fleet/customers/{quote(cid, safe='')}", status_code=303)


def _whole(text: str) -> int:
    """Return a number; one that is out of all bounds, of which the use case tells, if it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0


ROUTES: Final = (customers_page, customer_page, change)
