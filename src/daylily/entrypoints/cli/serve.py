"""``daylily up`` and ``daylily serve``."""

import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Any

import click

from daylily.config import Settings
from daylily.domain.errors import InvalidInputError
from daylily.entrypoints.cli.base import command, pass_session, take_flag
from daylily.entrypoints.cli.diary import json_logs_option, keep_diary
from daylily.entrypoints.cli.monitor import monitor_options
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.presence import announced, check_alone
from daylily.entrypoints.service import (
    ADMIN_TOKEN,
    SHORTEST_TOKEN,
    Listener,
    MonitorLoop,
    create_server,
    ensure_admin_token,
    is_loopback,
    listen,
    run_monitor,
    serve_asgi,
    stopped_by_signals,
)
from daylily.entrypoints.tls import tls_context


def _server_options(call: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        (
            click.option(
                "--host", metavar="ADDRESS", callback=take_flag, expose_value=False,
                help="Address to listen on [default: 127.0.0.1].",
            ),
            click.option(
                "--port", type=int, metavar="N", callback=take_flag, expose_value=False,
                help="Port to listen on; 0 takes a free one [default: 8000].",
            ),
            click.option(
                "--another", is_flag=True,
                help="Run beside a server that is at work on this home; server.json stays that one's.",
            ),
            click.option("--show-token", is_flag=True, help="Print the token that signs you in."),
            click.option(
                "--insecure", is_flag=True,
                help="Ask nobody for a token: whoever can connect is operator.",
            ),
            click.option(
                "--anyone-on-the-network", is_flag=True,
                help="With --insecure and a --host beyond loopback: yes, this is meant.",
            ),
            click.option(
                "--cert", type=click.Path(path_type=Path), metavar="PEM",
                help="Speak HTTPS, with this certificate; a renewed file is taken without a restart.",
            ),
            click.option(
                "--key", type=click.Path(path_type=Path), metavar="PEM", help="Its private key.",
            ),
            json_logs_option,
        )
    ):  # fmt: skip
        call = option(call)
    return call


@command(
    epilog="""\b
Examples:
  daylily up                               http://127.0.0.1:8000
  daylily up --home /data/daylily --port 0
  DAYLILY_MAX_CONCURRENT=8 daylily up

The address is also in server.json of the home. A home has one server, unless --another says that
more are meant; monitors it may have any number of. Stop with Ctrl-C or SIGTERM: running worksets go on,
and the next 'daylily up' picks them up again.
"""
)
@_server_options
@monitor_options
@pass_session
def up(session: Session, **options: Any) -> None:
    """Run everything: the server with its portal, and a monitor, in one process."""
    _run(session, with_monitor=True, **options)


@command(
    epilog="""\b
Examples:
  daylily serve --port 8080                beside one or more 'daylily monitor'
  DAYLILY_TOKEN=... daylily serve --host 0.0.0.0 --port 8443 --cert cert.pem --key key.pem
"""
)
@_server_options
@pass_session
def serve(session: Session, **options: Any) -> None:
    """Run the server alone; worksets wait for a monitor."""
    _run(session, with_monitor=False, **options)


def _run(
    session: Session,
    *,
    with_monitor: bool,
    another: bool,
    show_token: bool,
    insecure: bool,
    anyone_on_the_network: bool,
    cert: Path | None,
    key: Path | None,
    json_logs: bool,
) -> None:
    session.refuse_url()
    settings = session.settings
    keep_diary(session, json_logs=json_logs)
    _check_exposure(settings.host, insecure=insecure, meant=anyone_on_the_network)
    if insecure and settings.has_issuer:
        raise InvalidInputError.of(
            "--insecure", "makes no sense where people sign in (COGNITO_USER_POOL_ID)"
        )
    # These first: a second one must not touch anything.
    if not another:
        check_alone(settings.home)
    tls = _tls(cert, key)
    listener = listen(settings.host, settings.port, "https" if tls else "http")
    stop = threading.Event()
    try:
        token = None if insecure else _token(session)
        app = session.app
        asgi = create_server(app, admin_token=token)
        with (
            announced(settings.home, listener, another=another) as announce,
            stopped_by_signals(stop),
        ):

            def started() -> None:
                announce()
                _greet(session, listener, token if show_token else None, insecure=insecure)

            def work() -> None:
                # On a terminal, with a page that asks every two seconds, nobody wants to see them.
                told = json_logs or not with_monitor or settings.log_level == "DEBUG"
                serve_asgi(asgi, listener, started=started, access_log=told, tls=tls)

            if with_monitor:
                loop = MonitorLoop(
                    app.cycle,
                    settings.poll_interval,
                    heart=lambda: app.heart,
                    watch=app.watch,
                    stop=stop,
                )
                run_monitor(loop, work)
                session.say("Stopped. What runs goes on; the next 'daylily up' picks it up again.")
            else:
                work()
    finally:
        listener.socket.close()


def _check_exposure(host: str, *, insecure: bool, meant: bool) -> None:
    if insecure and not is_loopback(host) and not meant:
        raise InvalidInputError.of(
            "--insecure",
            f"anyone who can reach {host} could run and read everything; "
            f"if that is meant, add --anyone-on-the-network",
        )


def _tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        missing = "--cert" if cert is None else "--key"
        raise InvalidInputError.of(missing, "is needed beside the other: HTTPS takes both")
    return tls_context(cert, key)


def _token(session: Session) -> str:
    """Return the token to ask for: the one given, or the home's own, which is made if need be."""
    given = session.settings.token
    if given is None and session.token_file is None:
        return ensure_admin_token(session.settings.home)
    token = session.token() or ""
    if len(token) < SHORTEST_TOKEN:
        raise InvalidInputError.of("token", f"is shorter than {SHORTEST_TOKEN} characters")
    return token


def _greet(session: Session, listener: Listener, token: str | None, *, insecure: bool) -> None:
    settings = session.settings
    if session.as_json:
        session.print_json({"url": listener.url, **({"token": token} if token else {})})
        return
    click.echo(f"daylily is up at {listener.url}/portal")
    if insecure:
        click.echo("Nobody is asked for a token: whoever can connect is operator.")
    elif settings.token is not None or session.token_file is not None:
        click.echo("Sign in with the token that was given.")
    else:
        home = "" if settings.home == Settings().home else f" --home {quote(str(settings.home))}"
        place = settings.home / ADMIN_TOKEN
        click.echo(f"Sign in with the token in {place}: daylily token show{home}")
    if token:
        click.echo(f"Token: {token}")
    if not (is_loopback(settings.host) or listener.url.startswith("https:")):
        session.say("warning: this is plain HTTP; put a server with TLS in front of it")
    session.say("Stop with Ctrl-C; running worksets go on.")
