"""``daylily auth``: who may sign in, and with what."""

import sys
from datetime import timedelta

import click
from rich.table import Table
from rich.text import Text

from daylily.bootstrap import pool_setup
from daylily.domain.customers import Principal, Role, Scope
from daylily.domain.errors import InvalidInputError
from daylily.entrypoints.account_views import (
    MemberView,
    NewMemberView,
    NewTokenView,
    TokenView,
)
from daylily.entrypoints.cli.base import DaylilyGroup, pass_session
from daylily.entrypoints.cli.session import Session
from daylily.ports.identities import Member
from daylily.ports.paging import every

_ROLES = click.Choice([*map(str, Role)])
_SCOPES = click.Choice([*map(str, Scope)])


@click.group(cls=DaylilyGroup)
def auth() -> None:
    """
    Say who may sign in for a customer (--customer), and make tokens for programs.

    People are in the Cognito pool that the settings name, else in this store.

    \b
    Examples:
      daylily auth create-pool
      daylily auth create-user ada@acme.example --customer acme --role admin
      daylily auth users --customer acme
      daylily auth create-token "sequencer 7" --customer acme --scope submit --days 30
    """


@auth.command(name="create-pool")
@click.option("--name", default="daylily-workset-users", show_default=True, help="What to call it.")
@pass_session
def create_pool(session: Session, name: str) -> None:
    """Make a Cognito user pool with its app client and groups; what is there stays as it is."""
    session.refuse_url()
    pool = pool_setup(session.settings, name)()
    for warning in pool.warnings:
        session.say(f"warning: {warning}")
    if session.as_json:
        session.print_json(
            {
                "user_pool_id": pool.pool_id,
                "app_client_id": pool.client_id,
                "region": pool.region,
                "made": list(pool.made),
                "warnings": list(pool.warnings),
            }
        )
        return
    session.say("\n".join(f"made {each}" for each in pool.made) or "nothing to do: it is there")
    click.echo(f"export COGNITO_USER_POOL_ID={pool.pool_id}")
    click.echo(f"export COGNITO_APP_CLIENT_ID={pool.client_id}")
    click.echo(f"export AWS_REGION={pool.region}")


@auth.command(name="create-user")
@click.argument("name", metavar="NAME")
@click.option("--role", type=_ROLES, default="user", show_default=True, help="What they are.")
@click.option("--password-stdin", is_flag=True, help="Read their first password from standard input.")
@pass_session
def create_user(session: Session, name: str, role: str, password_stdin: bool) -> None:
    """
    Take on NAME, mostly an e-mail address, for the customer.

    They replace their first password when they first sign in. A pool sends it to them; else it is
    printed, to be handed over.
    """
    session.refuse_url()
    app, customer = session.app, session.settings.customer
    member = Member(name=name, customer_id=customer, role=Role(role))
    given = _from_stdin() if password_stdin else None
    password = app.world.identities.add(member, given)
    _noted(session, "addMember", name)
    if session.as_json:
        session.print_json(NewMemberView(member=MemberView.of(member), password=password))
    elif password is None:
        click.echo(f"{name} may sign in for {customer}")
    else:
        session.say(f"{name} may sign in for {customer}, first with this password:")
        click.echo(password)


@auth.command(name="set-password")
@click.argument("name", metavar="NAME")
@click.option("--password-stdin", is_flag=True, help="Read it from standard input.")
@pass_session
def set_password(session: Session, name: str, password_stdin: bool) -> None:
    """Give NAME a new first password, and end all their sessions; not for people of a pool."""
    session.refuse_url()
    identities = session.app.world.identities
    change = getattr(identities, "set_password", None)
    if change is None:
        raise InvalidInputError.of(
            "NAME", "is in a user pool: have them reset it (/api/auth/forgot-password)"
        )
    password = change(name, _from_stdin() if password_stdin else None)
    _noted(session, "setPassword", name)
    if session.as_json:
        session.print_json({"name": name, "password": password})
    elif password is not None:
        click.echo(password)


@auth.command(name="users")
@pass_session
def users(session: Session) -> None:
    """List who may sign in for the customer."""
    session.refuse_url()
    found = [*map(MemberView.of, session.app.members.list(_operator(session), _customer(session)))]
    if session.as_json:
        session.print_json(found)
        return
    table = _table("NAME", "ROLE", "ADDED")
    for each in found:
        table.add_row(Text(each.name), each.role, (each.added_at or "")[:10])
    session.print(table)


@auth.command(name="remove-user")
@click.argument("name", metavar="NAME")
@pass_session
def remove_user(session: Session, name: str) -> None:
    """Let NAME in no longer, and revoke the tokens that they have made."""
    session.refuse_url()
    session.app.members.remove(_operator(session), _customer(session), name)
    _noted(session, "removeMember", name)
    session.say(f"{name} may not sign in for {_customer(session)} any more")


@auth.command(name="create-token")
@click.argument("name", metavar="NAME")
@click.option("--scope", type=_SCOPES, default="read", show_default=True, help="How far it reaches.")
@click.option("--days", type=int, default=90, show_default=True, help="How long it is good.")
@pass_session
def create_token(session: Session, name: str, scope: str, days: int) -> None:
    """Make a token for a program, called NAME, and print it: it cannot be printed again."""
    session.refuse_url()
    # It acts for the customer, whoever makes it: what runs unattended should reach no further.
    maker = Principal(name=session.user, customer_id=_customer(session), admin=True)
    token, text = session.app.tokens.create(
        maker,
        _customer(session),
        name=name,
        scope=Scope(scope),
        lasts=timedelta(days=max(-1, min(days, 10_000))),
    )
    _noted(session, "createToken", token.token_id)
    if session.as_json:
        session.print_json(NewTokenView(token=text, about=TokenView.of(token)))
        return
    session.say(f"{token.token_id} acts for {token.customer_id} until {token.expires_at:%Y-%m-%d}:")
    click.echo(text)


@auth.command(name="tokens")
@pass_session
def tokens(session: Session) -> None:
    """List the customer's tokens for programs."""
    session.refuse_url()
    app, who, customer = session.app, _operator(session), _customer(session)
    found = [*map(TokenView.of, every(lambda cursor: app.tokens.list(who, customer, cursor=cursor)))]
    if session.as_json:
        session.print_json(found)
        return
    table = _table("ID", "NAME", "SCOPE", "BY", "EXPIRES", "REVOKED")
    for each in found:
        table.add_row(
            each.token_id,
            Text(each.name),
            each.scope,
            Text(each.created_by),
            each.expires_at[:10],
            (each.revoked_at or "")[:10],
        )
    session.print(table)


@auth.command(name="revoke-token")
@click.argument("token_id", metavar="ID")
@pass_session
def revoke_token(session: Session, token_id: str) -> None:
    """Have the token ID open no door any more, at once."""
    session.refuse_url()
    session.app.tokens.revoke(_operator(session), _customer(session), token_id)
    _noted(session, "revokeToken", token_id)
    session.say(f"{token_id} is revoked")


def _customer(session: Session) -> str:
    return session.settings.customer


def _operator(session: Session) -> Principal:
    """Whoever has the store at hand sees to everything in it."""
    return Principal(name=session.user, customer_id=_customer(session), operator=True)


def _noted(session: Session, action: str, target: str) -> None:
    session.app.audit.record(
        _customer(session),
        actor=session.user,
        action=action,
        target=target,
        outcome="done",
        request_id="command",
    )


def _from_stdin() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _table(*titles: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in titles:
        table.add_column(title, overflow="fold")
    return table
