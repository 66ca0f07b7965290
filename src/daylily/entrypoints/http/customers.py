"""Customers, their members and tokens, and who did what for them."""

from datetime import timedelta
from typing import Any, Final

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, RawBody

from daylily.application.api_tokens import LONGEST, faults_of_token
from daylily.application.manage_customers import (
    LEAST_STORAGE,
    MOST_STORAGE,
    MOST_WORKSETS,
    faults_of_customer,
)
from daylily.domain.customers import Customer, Role, Scope
from daylily.entrypoints.account_views import (
    AuditPage,
    CustomerView,
    MembersView,
    MemberView,
    NewMemberView,
    NewTokenView,
    TokenPage,
    TokenView,
)
from daylily.entrypoints.http import parameters
from daylily.entrypoints.http.answers import Answer
from daylily.entrypoints.http.auth import NEEDS
from daylily.entrypoints.http.describing import Body, described
from daylily.entrypoints.http.idempotency import SECRET
from daylily.entrypoints.http.parameters import closed, nullable, optional
from daylily.entrypoints.http.prefix import path_asked_for
from daylily.entrypoints.http.requests import Fields, count, json_object, query
from daylily.entrypoints.http.wiring import Call, UseCases, Who
from daylily.ports.identities import Member

_LINE: Final = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": parameters.ONE_LINE}
_EMAIL: Final = {"type": "string", "pattern": parameters.EMAIL}
_QUOTAS: Final[dict[str, Any]] = {
    "max_concurrent_worksets": nullable({"type": "integer", "minimum": 1, "maximum": MOST_WORKSETS}),
    "max_storage_gb": nullable({"type": "number", "minimum": LEAST_STORAGE, "maximum": MOST_STORAGE}),
    "billing_account_id": nullable(_LINE),
    "cost_center": nullable(_LINE),
}
_NEW: Final = Body(
    closed({"customer_name": _LINE, "email": _EMAIL, **_QUOTAS}, "customer_name", "email"),
    {"customer_name": "Acme Genomics", "email": "ada@acme.example", "max_concurrent_worksets": 5},
)
_CHANGE: Final = Body(
    closed({"customer_name": nullable(_LINE), "email": nullable(_EMAIL), **_QUOTAS}),
    {"max_concurrent_worksets": 10},
)
_TOKEN: Final = Body(
    closed(
        {
            "name": {**_LINE, "maxLength": 60},
            "scope": optional({"type": "string", "enum": [*map(str, Scope)], "default": "read"}),
            "expires_in_days": nullable(
                {"type": "integer", "minimum": 1, "maximum": LONGEST.days, "default": 90}
            ),
        },
        "name",
    ),
    {"name": "sequencer 7", "scope": "submit", "expires_in_days": 30},
)
_MEMBER: Final = Body(
    closed(
        {
            "name": {"type": "string", "minLength": 3, "maxLength": 128},
            "role": optional({"type": "string", "enum": [*map(str, Role)], "default": "user"}),
        },
        "name",
    ),
    {"name": "ada@acme.example", "role": "admin"},
)
_PAGE: Final = (parameters.LIMIT, parameters.CURSOR)
_TAG: Final = "customers"


@post(
    "/customers",
    status_code=201,
    sync_to_thread=True,
    opt={NEEDS: Scope.ADMIN},
    **described("createCustomer", _TAG, body=_NEW, errors=(409,), sends=("Location",)),
)
def create(request: Call, body: RawBody, app: UseCases, who: Who) -> Answer[CustomerView]:
    """Take on a customer; operators do."""
    fields = Fields(json_object(request, body))
    customer = Customer(
        customer_id="",
        name=fields.required("customer_name"),
        email=fields.required("email"),
        **_said(fields, "max_concurrent_worksets", "max_storage_gb"),
        billing_account_id=fields.text("billing_account_id"),
        cost_center=fields.text("cost_center"),
    )
    fields.also(faults_of_customer(customer))
    fields.refuse_others()
    fields.raise_faults()
    made = app.manage.create(who, customer)
    location = f"{path_asked_for(request.scope).rstrip('/')}/{made.customer_id}"
    return Answer(CustomerView.of(made, app.settings.bucket), headers={"Location": location})


@get(
    "/customers",
    sync_to_thread=True,
    **described("listCustomers", _TAG, parameters=_PAGE, sends=("X-Next-Cursor",)),
)
def list_customers(request: Call, app: UseCases, who: Who) -> Answer[tuple[CustomerView, ...]]:
    """Return all customers, by id; operators may ask. ``X-Next-Cursor`` leads to the next."""
    cursor, limit = _page(request)
    page = app.manage.list(who, cursor=cursor, limit=limit)
    views = tuple(CustomerView.of(each, app.settings.bucket) for each in page.items)
    return Answer(views, headers={"X-Next-Cursor": page.cursor} if page.cursor else {})


@get("/customers/{cid:str}", sync_to_thread=True, **described("getCustomer", _TAG))
def look(cid: FromPath[str], app: UseCases, who: Who) -> Answer[CustomerView]:
    """Return a customer."""
    return Answer(CustomerView.of(app.manage.get(who, cid), app.settings.bucket))


@patch(
    "/customers/{cid:str}",
    status_code=200,
    sync_to_thread=True,
    opt={NEEDS: Scope.ADMIN},
    **described("changeCustomer", _TAG, body=_CHANGE, errors=(409,)),
)
def change(
    request: Call, cid: FromPath[str], body: RawBody, app: UseCases, who: Who
) -> Answer[CustomerView]:
    """Change what was agreed upon with a customer; operators do. What is left out stays."""
    fields = Fields(json_object(request, body))
    changes = _said(fields, "max_concurrent_worksets", "max_storage_gb")
    for name, wire in (("name", "customer_name"), ("email", "email")):
        if (text := fields.text(wire)) is not None:
            changes[name] = text
    for name in ("billing_account_id", "cost_center"):
        text = fields.text(name)
        if name in fields.raw:  # null takes it away
            changes[name] = text
    fields.refuse_others()
    fields.raise_faults()
    return Answer(CustomerView.of(app.manage.change(who, cid, **changes), app.settings.bucket))


# Members


@get(
    "/api/customers/{cid:str}/members",
    sync_to_thread=True,
    opt={NEEDS: Scope.ADMIN},
    **described("listMembers", _TAG),
)
def list_members(cid: FromPath[str], app: UseCases, who: Who) -> Answer[MembersView]:
    """Return who may sign in for a customer; admins of it may ask."""
    return Answer(MembersView(members=tuple(map(MemberView.of, app.members.list(who, cid)))))


@post(
    "/api/customers/{cid:str}/members",
    status_code=201,
    sync_to_thread=True,
    opt={NEEDS: Scope.ADMIN, SECRET: True},
    **described("addMember", _TAG, body=_MEMBER, errors=(409,), sends=("Location",)),
)
def add_member(
    request: Call, cid: FromPath[str], body: RawBody, app: UseCases, who: Who
) -> Answer[NewMemberView]:
    """Take somebody on; where no mail is sent, the answer has the password to hand over."""
    fields = Fields(json_object(request, body))
    name, role = fields.required("name"), _choice(fields, "role", Role.USER)
    fields.refuse_others()
    fields.raise_faults()
    member = Member(name=name, customer_id=cid, role=Role(role))
    password = app.members.add(who, member)
    return Answer(
        NewMemberView(member=MemberView.of(member), password=password),
        headers={"Location": f"{path_asked_for(request.scope).rstrip('/')}/{name}"},
    )


@delete(
    "/api/customers/{cid:str}/members/{name:str}",
    status_code=204,
    sync_to_thread=True,
    opt={NEEDS: Scope.ADMIN},
    **described("removeMember", _TAG, errors=(409,)),
)
def remove_member(cid: FromPath[str], name: FromPath[str], app: UseCases, who: Who) -> Response[None]:
    """Let somebody in no longer, and revoke the tokens that they have made."""
    app.members.remove(who, cid, name)
    return Response(None, status_code=204)


# Tokens for programs


@get(
    "/api/customers/{cid:str}/tokens",
    sync_to_thread=True,
    **described("listTokens", _TAG, parameters=_PAGE),
)
def list_tokens(request: Call, cid: FromPath[str], app: UseCases, who: Who) -> Answer[TokenPage]:
    """Return the caller's tokens for programs; to admins of the customer, all of its."""
    cursor, limit = _page(request)
    return Answer(TokenPage.of(app.tokens.list(who, cid, cursor=cursor, limit=limit)))


@post(
    "/api/customers/{cid:str}/tokens",
    status_code=201,
    sync_to_thread=True,
    opt={NEEDS: Scope.ADMIN, SECRET: True},
    **described("createToken", _TAG, body=_TOKEN, sends=("Location",)),
)
def create_token(
    request: Call, cid: FromPath[str], body: RawBody, app: UseCases, who: Who
) -> Answer[NewTokenView]:
    """Make a token for a program. Its text is in this answer, and can never be had again."""
    fields = Fields(json_object(request, body))
    name, scope = fields.required("name"), _choice(fields, "scope", Scope.READ)
    days = fields.whole("expires_in_days", 90) or 0
    lasts = timedelta(days=max(0, min(days, LONGEST.days + 1)))
    fields.also(faults_of_token(name, lasts))
    fields.refuse_others()
    fields.raise_faults()
    token, text = app.tokens.create(who, cid, name=name, scope=Scope(scope), lasts=lasts)
    return Answer(
        NewTokenView(token=text, about=TokenView.of(token)),
        headers={"Location": f"{path_asked_for(request.scope).rstrip('/')}/{token.token_id}"},
    )


@delete(
    "/api/customers/{cid:str}/tokens/{token_id:str}",
    status_code=204,
    sync_to_thread=True,
    **described("revokeToken", _TAG, errors=(409,)),
)
def revoke_token(
    cid: FromPath[str], token_id: FromPath[str], app: UseCases, who: Who
) -> Response[None]:
    """Have a token open no door any more, at once."""
    app.tokens.revoke(who, cid, token_id)
    return Response(None, status_code=204)


# The audit trail


@get(
    "/api/customers/{cid:str}/audit",
    sync_to_thread=True,
    opt={NEEDS: Scope.ADMIN},
    **described("readAuditTrail", _TAG, parameters=_PAGE),
)
def audit(request: Call, cid: FromPath[str], app: UseCases, who: Who) -> Answer[AuditPage]:
    """Return who did what for a customer, latest first; admins of it may ask."""
    cursor, limit = _page(request)
    return Answer(AuditPage.of(app.audit.list(who, cid, cursor=cursor, limit=limit)))


def _page(request: Call) -> tuple[str | None, int]:
    fields = query(request)
    limit = count(fields, "limit", least=1, most=parameters.MOST, default=100) or 100
    cursor = fields.text("cursor")
    fields.refuse_others()
    fields.raise_faults()
    return cursor, limit


def _choice(fields: Fields, name: str, default: Scope | Role) -> str:
    """Take one of the words that *default* is one of."""
    known = [str(each) for each in type(default)]
    text = fields.optional(name) or str(default)
    if text not in known:
        fields.fault(name, f"{text[:40]!r} is not one of {', '.join(known)}")
        return str(default)
    return text


def _said(fields: Fields, whole: str, number: str) -> dict[str, Any]:
    """Take the quotas that were said."""
    found: dict[str, Any] = {whole: fields.whole(whole), number: fields.number(number)}
    return {name: value for name, value in found.items() if value is not None}
