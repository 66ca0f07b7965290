"""The account: who one is, what was agreed upon and is used, tokens, members, and the trail."""

from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from litestar import Response, get, post
from litestar.params import FromPath, RawBody
from litestar.response import Redirect

from daylily.application.slots import UNBOUNDED
from daylily.bootstrap import App
from daylily.domain.customers import Customer, Principal, Role, Scope
from daylily.domain.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotAllowedError,
    UnavailableError,
)
from daylily.domain.lifecycle import State
from daylily.entrypoints.account_views import EntryView, MemberView, TokenView
from daylily.entrypoints.http.requests import query
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.portal.context import Person, pages, shown
from daylily.entrypoints.portal.forms import check_csrf, form_of
from daylily.entrypoints.views import UsageView
from daylily.ports.identities import Member
from daylily.ports.paging import every
from daylily.ports.state_store import Filter

ENTRIES: Final = 50
TOKENS: Final = 100
LASTS: Final = (7, 30, 90, 180, 365)
"""Days that the form offers for a token."""


@get("/account", sync_to_thread=True)
def account_page(request: Person, app: UseCases) -> Response[str]:
    """Show the account of the caller; operators may ask for any customer's."""
    fields = query(request)
    customer_id = fields.text("customer") or request.user.customer_id
    fields.raise_faults()
    return _account(request, app, customer_id)


def _account(
    request: Person,
    app: App,
    customer_id: str,
    *,
    status_code: int = 200,
    faults: dict[str, str] | None = None,
    **more: Any,
) -> Response[str]:
    who = request.user
    customer = app.manage.get(who, customer_id)
    manages = who.manages(customer_id)
    told: dict[str, Any] = {"form": {}, "new_token": None, "new_member": None, **more}
    return shown(
        request,
        "account.html",
        status_code=status_code,
        who=who,
        customer=customer,
        own=customer_id == who.customer_id,
        manages=manages,
        makes_tokens=who.scope.covers(Scope.ADMIN),
        bounded=app.files.quota.bounds(customer_id),
        unbounded=customer.max_concurrent_worksets >= UNBOUNDED,
        use=_use(app, who, customer),
        tokens=_tokens(app, who, customer_id),
        now=app.world.clock().isoformat(),
        members=_members(app, who, customer_id) if manages else None,
        scopes=[(str(scope), str(scope)) for scope in Scope if scope is not Scope.ADMIN or manages],
        roles=[(str(role), str(role)) for role in Role if role is not Role.OPERATOR or who.operator],
        lasts=[(str(days), f"{days} days") for days in LASTS],
        faults=faults or {},
        **told,
    )


def _use(app: App, who: Principal, customer: Customer) -> dict[str, Any]:
    """Return what a customer uses of what was agreed upon."""
    try:
        found = app.usage(who, customer.customer_id)
    except UnavailableError:
        return {"usage": None, "stored": None, "running": None}
    where = Filter(
        customer_id=customer.customer_id, states=frozenset({State.IN_PROGRESS, State.LOCKED})
    )
    running = sum(1 for _ in every(lambda c: app.read.list(who, where, cursor=c, limit=1000)))
    return {"usage": UsageView.of(found), "stored": found.stored_bytes, "running": running}


def _tokens(app: App, who: Principal, customer_id: str) -> list[TokenView]:
    found = every(lambda c: app.tokens.list(who, customer_id, cursor=c, limit=TOKENS))
    views = [TokenView.of(token) for token in found]
    return sorted(views, key=lambda each: each.created_at, reverse=True)


def _members(app: App, who: Principal, customer_id: str) -> list[MemberView] | None:
    """Return who may sign in; None where whoever keeps people does not answer."""
    try:
        return [MemberView.of(member) for member in app.members.list(who, customer_id)]
    except UnavailableError:
        return None


def _faults(error: InvalidInputError) -> dict[str, str]:
    return {fault.place: fault.message for fault in error.faults}


# Tokens


@post("/account/{cid:str}/tokens", status_code=200, sync_to_thread=True, operation_id="createToken")
def create_token(request: Person, cid: FromPath[str], body: RawBody, app: UseCases) -> Response[Any]:
    """Make a token, and show it: this once."""
    form = form_of(request, body)
    check_csrf(request, form)
    scope, days = form.get("scope", ""), form.get("days", "")
    said = {"token_name": form.get("name", ""), "scope": scope, "days": days}
    try:
        if scope not in set(Scope):
            raise InvalidInputError.of("scope", "is none that there is")
        known = days.isascii() and days.isdigit() and len(days) < 5
        lasts = timedelta(days=int(days) if known else 0)
        token, text = app.tokens.create(
            request.user, cid, name=form.get("name", "").strip(), scope=Scope(scope), lasts=lasts
        )
    except InvalidInputError as error:
        faults = {f"token_{place}": text for place, text in _faults(error).items()}
        return _account(request, app, cid, status_code=422, faults=faults, form=said)
    return _account(request, app, cid, new_token={"text": text, "about": TokenView.of(token)})


@get("/account/{cid:str}/tokens/{token_id:str}/revoke", sync_to_thread=True)
def revoke_page(
    request: Person, cid: FromPath[str], token_id: FromPath[str], app: UseCases
) -> Response[str]:
    """Ask whether a token is to open no door any more."""
    found = [each for each in _tokens(app, request.user, cid) if each.token_id == token_id]
    name = found[0].name if found else token_id
    text = "Whatever uses this token is refused from then on. That cannot be taken back."
    return _asked(request, cid, title=f"Revoke {name}?", text=text, word="Revoke it")


@post(
    "/account/{cid:str}/tokens/{token_id:str}/revoke",
    status_code=200,
    sync_to_thread=True,
    operation_id="revokeToken",
)
def revoke(
    request: Person, cid: FromPath[str], token_id: FromPath[str], body: RawBody, app: UseCases
) -> Redirect:
    """Have a token open no door any more."""
    check_csrf(request, form_of(request, body))
    app.tokens.revoke(request.user, cid, token_id)
    return Redirect(_address(request, cid), status_code=303)


# Members


@post("/account/{cid:str}/members", status_code=200, sync_to_thread=True, operation_id="addMember")
def add_member(request: Person, cid: FromPath[str], body: RawBody, app: UseCases) -> Response[Any]:
    """Take somebody on; where no mail is sent, the page shows the password to hand over, this once."""
    form = form_of(request, body)
    check_csrf(request, form)
    name, role = form.get("name", "").strip(), form.get("role", "")
    said = {"member_name": name, "role": role}
    try:
        if role not in set(Role):
            raise InvalidInputError.of("role", "is none that there is")
        password = app.members.add(request.user, Member(name=name, customer_id=cid, role=Role(role)))
    except (InvalidInputError, AlreadyExistsError) as error:
        found = _faults(error) if isinstance(error, InvalidInputError) else {"name": str(error)}
        faults = {f"member_{place}": text for place, text in found.items()}
        return _account(request, app, cid, status_code=422, faults=faults, form=said)
    return _account(request, app, cid, new_member={"name": name, "password": password})


@get("/account/{cid:str}/members/{name:str}/remove", sync_to_thread=True)
def remove_page(
    request: Person, cid: FromPath[str], name: FromPath[str], app: UseCases
) -> Response[str]:
    """Ask whether somebody is to be let in no longer."""
    _only_managers(request, app, cid)
    text = "They can sign in no longer, and the tokens that they have made are revoked."
    return _asked(request, cid, title=f"Remove {name}?", text=text, word="Remove them")


@post(
    "/account/{cid:str}/members/{name:str}/remove",
    status_code=200,
    sync_to_thread=True,
    operation_id="removeMember",
)
def remove_member(
    request: Person, cid: FromPath[str], name: FromPath[str], body: RawBody, app: UseCases
) -> Redirect:
    """Let somebody in no longer."""
    check_csrf(request, form_of(request, body))
    app.members.remove(request.user, cid, name)
    return Redirect(_address(request, cid), status_code=303)


# The trail


@get("/account/{cid:str}/audit", sync_to_thread=True)
def trail_page(request: Person, cid: FromPath[str], app: UseCases) -> Response[str]:
    """Show who did what for a customer, latest first."""
    fields = query(request)
    cursor = fields.text("cursor")
    fields.raise_faults()
    customer = app.manage.get(request.user, cid)
    found = app.audit.list(request.user, cid, cursor=cursor, limit=ENTRIES)
    return shown(
        request,
        "account_audit.html",
        customer=customer,
        back=_address(request, cid),
        entries=[EntryView.of(each) for each in found.items],
        **pages(f"/portal/account/{quote(cid, safe='')}/audit", cursor, found.cursor),
    )


def _asked(request: Person, cid: str, *, title: str, text: str, word: str) -> Response[str]:
    """Show a page that asks; its form goes to the page's own address."""
    return shown(
        request, "account_sure.html", title=title, text=text, word=word, back=_address(request, cid)
    )


def _only_managers(request: Person, app: App, cid: str) -> None:
    app.manage.get(request.user, cid)
    if not request.user.manages(cid):
        raise NotAllowedError("only admins of the customer, and operators, see to its members")


def _address(request: Person, cid: str) -> str:
    own = cid == request.user.customer_id
    return "/portal/account" if own else f"/portal/account?{urlencode({'customer': cid})}"


ROUTES: Final = (
    account_page,
    create_token,
    revoke_page,
    revoke,
    add_member,
    remove_page,
    remove_member,
    trail_page,
)
